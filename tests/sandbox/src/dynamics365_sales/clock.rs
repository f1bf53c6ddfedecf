//! Time in the sandbox: the vendor's milliseconds, of which a real one holds as many as the scale says.

use std::time::{Duration, Instant};

/// Counts the vendor's time from the start of the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    began: Instant,
    scale: f64,
}

impl Clock {
    /// A scale that is no positive number counts as 1.
    pub(super) fn start(scale: f64) -> Self {
        let scale = if scale.is_finite() && scale > 0.0 { scale } else { 1.0 };
        Self { began: Instant::now(), scale }
    }

    /// Milliseconds of the vendor's time since the start.
    pub(super) fn now_ms(&self) -> u64 {
        let elapsed = self.began.elapsed().as_secs_f64();
        u64::try_from(Duration::try_from_secs_f64(elapsed * self.scale).unwrap_or(Duration::MAX).as_millis())
            .unwrap_or(u64::MAX)
    }

    /// How long this much of the vendor's time really takes.
    pub(super) fn real(&self, vendor_ms: u64) -> Duration {
        let vendor = Duration::from_millis(vendor_ms).as_secs_f64();
        Duration::try_from_secs_f64(vendor / self.scale).unwrap_or(Duration::MAX)
    }

    /// The same in whole seconds for a header, rounded up and at least one.
    pub(super) fn real_seconds(&self, vendor_ms: u64) -> u64 {
        let real = self.real(vendor_ms);
        real.as_secs().saturating_add(u64::from(real.subsec_nanos() > 0)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scale: f64, vendor_ms: u64, real_ms: u64, header_seconds: u64) {
        let clock = Clock::start(scale);
        assert_eq!(clock.real(vendor_ms), Duration::from_millis(real_ms));
        assert_eq!(clock.real_seconds(vendor_ms), header_seconds);
    }

    #[test]
    fn scaled_time() {
        check(1.0, 1500, 1500, 2);
        check(1.0, 2000, 2000, 2);
        check(20.0, 300_000, 15_000, 15);
        check(20.0, 1000, 50, 1);
        check(20.0, 0, 0, 1);
        check(0.0, 1000, 1000, 1);
        check(f64::NAN, 1000, 1000, 1);
    }
}
