//! Moments as the API shows them, and the documents' times on the sandbox's faster clock.

use jiff::Timestamp;
use std::time::Duration;

/// A moment in milliseconds since 1970, UTC.
pub(super) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// `2026-01-15T10:30:00Z`, with milliseconds where there are any.
pub(super) fn show(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// The moment that an RFC 3339 text says.
pub(super) fn parse(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// How long a documented time takes where time passes `scale` times as fast. What is no scale counts as 1.
pub(super) fn scaled(time_ms: u64, scale: f64) -> Duration {
    let time = Duration::from_millis(time_ms);
    if scale.is_finite() && scale > 0.0 {
        Duration::try_from_secs_f64(time.as_secs_f64() / scale).unwrap_or(time)
    } else {
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(time_ms: u64, scale: f64, expected_ms: u64) {
        assert_eq!(scaled(time_ms, scale), Duration::from_millis(expected_ms), "{time_ms} {scale}");
    }

    #[test]
    fn scales() {
        check(60_000, 1.0, 60_000);
        check(60_000, 20.0, 3000);
        check(60_000, 0.5, 120_000);
        check(60_000, 0.0, 60_000);
        check(60_000, -1.0, 60_000);
        check(60_000, f64::NAN, 60_000);
        check(60_000, f64::INFINITY, 60_000);
    }

    #[test]
    fn moments() {
        assert_eq!(show(1_768_473_000_000), "2026-01-15T10:30:00Z");
        assert_eq!(parse("2026-01-15T12:30:00+02:00"), Some(1_768_473_000_000));
        assert_eq!(parse("2026-01-15"), None);
    }
}
