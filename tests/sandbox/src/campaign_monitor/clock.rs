//! Time as the API shows it: to the second, in the client's time zone, without saying which zone that is.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

/// A moment in seconds since 1970, UTC.
pub(super) fn now() -> i64 {
    Timestamp::now().as_second()
}

/// Of a client: minutes east of UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zone(Offset);

impl Zone {
    pub(super) fn from_minutes(minutes: i32) -> Self {
        Self(Offset::from_seconds(minutes.saturating_mul(60)).unwrap_or(Offset::UTC))
    }

    pub(super) fn offset(self) -> Offset {
        self.0
    }

    fn zoned(self, seconds: i64) -> Zoned {
        Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::fixed(self.0))
    }

    /// `2010-10-25 10:28:00`.
    pub(super) fn show(self, seconds: i64) -> String {
        self.zoned(seconds).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The calendar day of a moment.
    pub(super) fn day(self, seconds: i64) -> Date {
        self.zoned(seconds).date()
    }

    /// The zone's name in the API, such as `(GMT+10:00)`.
    pub(super) fn name(self) -> String {
        let minutes = self.0.seconds() / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        format!("(GMT{sign}{:02}:{:02})", minutes.abs() / 60, minutes.abs() % 60)
    }
}
