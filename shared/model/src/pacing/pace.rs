//! The rate and the daily quota of a connection's calls.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::time::Duration;

/// What a connection may spend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Calls within any window.
    pub calls: u32,
    /// The window's length.
    pub window: Duration,
    /// What may be spent in a day.
    pub daily: Option<DailyBudget>,
}

impl Pace {
    /// The least time that so many calls take.
    #[must_use]
    pub fn seconds(&self, calls: u64) -> u64 {
        let window_ms = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX);
        let milliseconds = calls.saturating_mul(window_ms) / u64::from(self.calls.max(1));
        milliseconds.div_ceil(1_000)
    }
}

/// What may be spent in a day, and when the destination's day begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyBudget {
    /// Calls a day; `None` where only the destination's own quota counts.
    pub calls: Option<u64>,
    /// When the day begins.
    pub resets_at: Time,
    /// In which time zone.
    pub time_zone: TimeZone,
}

impl DailyBudget {
    /// When the day after `now` begins.
    #[must_use]
    pub fn next_reset(&self, now: Timestamp) -> Timestamp {
        let local = now.to_zoned(self.time_zone.clone());
        let days = [Some(local.date()), local.date().tomorrow().ok()];
        let resets = days.into_iter().flatten().filter_map(|day| {
            let reset = day.to_datetime(self.resets_at).to_zoned(self.time_zone.clone()).ok()?.timestamp();
            (reset > now).then_some(reset)
        });
        // At the end of the calendar there is no tomorrow; an hour is as good as any answer.
        resets.min().unwrap_or_else(|| now.saturating_add(Duration::from_hours(1)).unwrap_or(now))
    }
}

/// Why a call may not be made now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotYet {
    /// Others are first.
    Turn(Duration),
    /// The day's calls are spent, by us or by others; the whole connection waits.
    Spent {
        /// Until then.
        until: Timestamp,
        /// Whose budget it was, in words.
        text: String,
    },
    /// The connection's budget cannot be read now.
    Unavailable,
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time;

    #[track_caller]
    fn check(now: &str, expected: &str) {
        let budget = DailyBudget {
            calls: None,
            resets_at: time(0, 5, 0, 0),
            time_zone: TimeZone::get("America/Chicago").unwrap(),
        };
        let reset = budget.next_reset(now.parse().unwrap());
        assert_eq!(reset, expected.parse::<Timestamp>().unwrap(), "{now}");
    }

    #[test]
    fn the_day_begins_in_the_destinations_time_zone() {
        check("2026-01-15T12:00:00Z", "2026-01-16T06:05:00Z");
        check("2026-01-15T06:04:59Z", "2026-01-15T06:05:00Z");
        check("2026-01-15T06:05:00Z", "2026-01-16T06:05:00Z");
        check("2026-07-15T12:00:00Z", "2026-07-16T05:05:00Z");
        // The night in which the clocks change.
        check("2026-03-08T04:00:00Z", "2026-03-08T06:05:00Z");
        check("2026-03-08T12:00:00Z", "2026-03-09T05:05:00Z");
    }
}
