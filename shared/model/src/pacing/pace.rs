//! The pace of all calls of a connection.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::time::Duration;

/// The limits of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The maximum number of calls within any window.
    pub calls: u32,
    /// The length of the window.
    pub window: Duration,
    /// The daily limit.
    pub daily: Option<DailyBudget>,
}

impl Pace {
    /// Returns the minimum time that so many calls take, in seconds.
    #[must_use]
    pub fn seconds(&self, calls: u64) -> u64 {
        let window_ms = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX);
        let milliseconds = calls.saturating_mul(window_ms) / u64::from(self.calls.max(1));
        milliseconds.div_ceil(1_000)
    }
}

/// The daily limit, and when the destination's day begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyBudget {
    /// The number of calls a day; `None` if only the destination's own quota applies.
    pub calls: Option<u64>,
    /// The time of day of the reset.
    pub resets_at: Time,
    /// The time zone of the reset.
    pub time_zone: TimeZone,
}

impl DailyBudget {
    /// Returns when the day after `now` begins.
    #[must_use]
    pub fn next_reset(&self, now: Timestamp) -> Timestamp {
        let local = now.to_zoned(self.time_zone.clone());
        let days = [Some(local.date()), local.date().tomorrow().ok()];
        let resets = days.into_iter().flatten().filter_map(|day| {
            let reset = day.to_datetime(self.resets_at).to_zoned(self.time_zone.clone()).ok()?.timestamp();
            (reset > now).then_some(reset)
        });
        // At the end of the calendar there is no next day; any value will do.
        resets.min().unwrap_or_else(|| now.saturating_add(Duration::from_hours(1)).unwrap_or(now))
    }
}

/// Why a call may not be made now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotYet {
    /// Other calls are scheduled first.
    Turn(Duration),
    /// The day's calls are used up, by Segment Relay or by other clients; the whole connection waits.
    Spent {
        /// The end of the wait.
        until: Timestamp,
        /// The limit that was reached.
        text: String,
    },
    /// The connection's budget cannot be read at the moment.
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
        // The night of a clock change.
        check("2026-03-08T04:00:00Z", "2026-03-08T06:05:00Z");
        check("2026-03-08T12:00:00Z", "2026-03-09T05:05:00Z");
    }
}
