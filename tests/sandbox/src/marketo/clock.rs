//! The vendor's time: it begins at the moment of the start and may run faster than ours.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Milliseconds since 1970 in vendor time.
pub(super) type Moment = i64;

/// The vendor's time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    started_at: Moment,
    scale: f64,
}

impl Clock {
    /// `scale`: how many vendor seconds pass in one of ours; what is not positive counts as 1.
    pub(super) fn new(scale: f64) -> Self {
        let scale = if scale.is_finite() && scale > 0.0 { scale } else { 1.0 };
        Self { started: Instant::now(), started_at: Timestamp::now().as_millisecond(), scale }
    }

    pub(super) fn now(&self) -> Moment {
        let passed = seconds(self.started.elapsed().as_secs_f64() * self.scale).as_millis();
        self.started_at.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }

    /// How long this much vendor time takes here.
    pub(super) fn real(&self, vendor_ms: u64) -> Duration {
        seconds(Duration::from_millis(vendor_ms).as_secs_f64() / self.scale)
    }

    pub(super) async fn sleep(&self, vendor_ms: u64) {
        if vendor_ms > 0 {
            sleep(self.real(vendor_ms)).await;
        }
    }
}

/// For ever, if it is more than a duration can be.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

fn shown(moment: Moment, format: &str) -> String {
    let moment = Timestamp::from_millisecond(moment).unwrap_or(Timestamp::UNIX_EPOCH);
    moment.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

/// `2021-11-23T22:57:24Z`, the form of the lead database.
pub(super) fn show(moment: Moment) -> String {
    shown(moment, "%Y-%m-%dT%H:%M:%SZ")
}

/// `2021-11-23T22:57:24Z+0000`, the form of the asset API.
pub(super) fn show_asset(moment: Moment) -> String {
    shown(moment, "%Y-%m-%dT%H:%M:%SZ+0000")
}

/// The calendar day in a zone so many minutes behind UTC.
pub(super) fn show_day(moment: Moment, minutes_behind_utc: i64) -> String {
    shown(moment.saturating_sub(minutes_behind_utc.saturating_mul(60_000)), "%Y-%m-%d")
}

/// A vendor duration of the options as a signed figure.
pub(super) fn signed(milliseconds: u64) -> i64 {
    i64::try_from(milliseconds).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendor_time_takes_less_of_ours() {
        assert_eq!(Clock::new(20.0).real(20_000), Duration::from_secs(1));
        assert_eq!(Clock::new(0.5).real(1000), Duration::from_secs(2));
        assert_eq!(Clock::new(0.000_001).real(u64::MAX), Duration::MAX);
        assert_eq!(Clock::new(-1.0).real(1000), Duration::from_secs(1));
    }

    #[test]
    fn moments_as_the_vendor_shows_them() {
        let moment = 1_637_708_244_000;
        assert_eq!(show(moment), "2021-11-23T22:57:24Z");
        assert_eq!(show_asset(moment), "2021-11-23T22:57:24Z+0000");
        assert_eq!(show_day(1_637_647_200_000, 360), "2021-11-23");
        assert_eq!(show_day(1_637_647_199_999, 360), "2021-11-22");
    }
}
