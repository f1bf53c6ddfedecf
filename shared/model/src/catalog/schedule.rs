//! Schedules of exports.

use super::cron::Cron;
use jiff::civil::{Date, Time};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When an export runs automatically.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// Only on demand.
    #[default]
    Off,
    /// With every refresh of the profiles (`POST /refreshes`, or the deployment's `refresh_schedule`).
    EveryRefresh,
    /// Every so many minutes, counted from the Unix epoch, so that the instants do not depend on the
    /// deployment.
    EveryMinutes(u32),
    /// Once a day at a wall-clock time of a time zone (an IANA name such as `Europe/Rome`).
    Daily {
        /// `06:30`.
        #[schema(value_type = String)]
        at: Time,
        /// `Europe/Rome`.
        time_zone: String,
    },
    /// At the wall-clock times of a cron expression in a time zone: minute, hour, day of the month, month
    /// and day of the week. If both days are given, either is sufficient.
    Cron {
        /// `30 6 * * MON`.
        expression: String,
        /// `Europe/Rome`.
        time_zone: String,
    },
}

/// Why a schedule is invalid.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ScheduleError {
    /// The period is out of range.
    #[error("every_minutes must be 1 to 44640 (31 days)")]
    Period,
    /// The time zone is unknown.
    #[error("time_zone \"{0}\" is not an IANA time zone such as Europe/Rome")]
    TimeZone(String),
    /// The expression cannot be parsed.
    #[error(
        "cron.expression \"{expression}\" cannot be read ({problem}): it has five fields, which are minute, hour, day of \
         the month, month and day of the week, such as \"30 6 * * MON\""
    )]
    Expression {
        /// The expression, cut to a bounded length.
        expression: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No day in the calendar matches.
    #[error("cron.expression \"{0}\" is never due: no year has such a day")]
    NeverDue(String),
}

impl Schedule {
    /// Checks constraints beyond the types.
    pub fn validate(&self) -> Result<(), ScheduleError> {
        match self {
            Self::Off | Self::EveryRefresh => Ok(()),
            Self::EveryMinutes(minutes) if (1..=44_640).contains(minutes) => Ok(()),
            Self::EveryMinutes(_) => Err(ScheduleError::Period),
            Self::Daily { time_zone, .. } => zone(time_zone).map(drop),
            Self::Cron { expression, time_zone } => {
                zone(time_zone)?;
                Cron::parse(expression).map(drop)
            }
        }
    }

    /// Returns the newest instant at or before `now` at which a run was due; `None` if there is none.
    ///
    /// It depends on the clock alone, so that every tick that sees the same due instant requests the same
    /// run.
    #[must_use]
    pub fn last_due(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Off | Self::EveryRefresh => None,
            Self::EveryMinutes(minutes) => {
                let period_seconds = i64::from((*minutes).max(1)) * 60;
                Timestamp::from_second(now.as_second().div_euclid(period_seconds) * period_seconds).ok()
            }
            Self::Daily { at, time_zone } => {
                let zone = TimeZone::get(time_zone).ok()?;
                let today = now.to_zoned(zone.clone()).date();
                let due = |date: Date| instant(date, *at, &zone);
                due(today).filter(|due| *due <= now).or_else(|| due(today.checked_sub(1.day()).ok()?))
            }
            Self::Cron { expression, time_zone } => {
                Cron::parse(expression).ok()?.last_due(now, &TimeZone::get(time_zone).ok()?)
            }
        }
    }

    /// Returns the oldest instant after `now` at which a run is due; `None` if the schedule starts none.
    #[must_use]
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Off | Self::EveryRefresh => None,
            Self::EveryMinutes(minutes) => {
                let period_seconds = i64::from((*minutes).max(1)) * 60;
                let periods = now.as_second().div_euclid(period_seconds) + 1;
                Timestamp::from_second(periods * period_seconds).ok()
            }
            Self::Daily { at, time_zone } => {
                let zone = TimeZone::get(time_zone).ok()?;
                let today = now.to_zoned(zone.clone()).date();
                let due = |days: i32| instant(today.checked_add(days.days()).ok()?, *at, &zone);
                (0..=1).filter_map(due).find(|due| *due > now)
            }
            Self::Cron { expression, time_zone } => {
                Cron::parse(expression).ok()?.next_due(now, &TimeZone::get(time_zone).ok()?)
            }
        }
    }
}

/// A wall-clock time that a change to summer time skips is due at the instant after the gap.
fn instant(date: Date, at: Time, zone: &TimeZone) -> Option<Timestamp> {
    Some(zone.to_ambiguous_zoned(date.to_datetime(at)).compatible().ok()?.timestamp())
}

fn zone(name: &str) -> Result<TimeZone, ScheduleError> {
    TimeZone::get(name).map_err(|_| ScheduleError::TimeZone(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[track_caller]
    fn check(schedule: &Schedule, now: &str, expected: Option<&str>) {
        let due = schedule.last_due(now.parse().unwrap());
        assert_eq!(due, expected.map(|text| text.parse().unwrap()), "{schedule:?} at {now}");
    }

    #[test]
    fn the_last_due_instant() {
        check(&Schedule::Off, "2026-11-21T10:00:30Z", None);
        check(&Schedule::EveryMinutes(1), "2026-11-21T10:00:30Z", Some("2026-11-21T10:00:00Z"));
        check(&Schedule::EveryMinutes(60), "2026-11-21T10:59:59Z", Some("2026-11-21T10:00:00Z"));
        let daily =
            |at: &str, zone: &str| Schedule::Daily { at: at.parse().unwrap(), time_zone: zone.to_owned() };
        check(&daily("06:30", "Europe/Rome"), "2026-11-21T05:29:59Z", Some("2026-11-20T05:30:00Z"));
        check(&daily("06:30", "Europe/Rome"), "2026-11-21T05:30:00Z", Some("2026-11-21T05:30:00Z"));
        // Rome's clocks go from 02:00 to 03:00 on that day, so 02:30 is due when it would have been.
        check(&daily("02:30", "Europe/Rome"), "2026-03-29T12:00:00Z", Some("2026-03-29T01:30:00Z"));
        check(&Schedule::EveryRefresh, "2026-11-21T10:00:30Z", None);
        let weekly =
            Schedule::Cron { expression: "30 6 * * MON".to_owned(), time_zone: "Europe/Rome".to_owned() };
        check(&weekly, "2026-11-21T10:00:30Z", Some("2026-11-16T05:30:00Z"));
    }

    #[track_caller]
    fn check_next(schedule: &Schedule, now: &str, expected: Option<&str>) {
        let due = schedule.next_due(now.parse().unwrap());
        assert_eq!(due, expected.map(|text| text.parse().unwrap()), "{schedule:?} after {now}");
        // The next due instant was due then, and no other is between.
        if let Some(due) = due {
            assert_eq!(schedule.last_due(due), Some(due));
            let before = schedule.last_due(due - jiff::SignedDuration::from_nanos(1));
            assert!(before.is_none_or(|before| before <= now.parse().unwrap()), "{before:?}");
        }
    }

    #[test]
    fn the_next_due_instant() {
        check_next(&Schedule::Off, "2026-11-21T10:00:30Z", None);
        check_next(&Schedule::EveryRefresh, "2026-11-21T10:00:30Z", None);
        check_next(&Schedule::EveryMinutes(1), "2026-11-21T10:00:30Z", Some("2026-11-21T10:01:00Z"));
        check_next(&Schedule::EveryMinutes(60), "2026-11-21T10:00:00Z", Some("2026-11-21T11:00:00Z"));
        let daily = |at: &str| {
            let time_zone = "Europe/Rome".to_owned();
            Schedule::Daily { at: at.parse().unwrap(), time_zone }
        };
        check_next(&daily("06:30"), "2026-11-21T05:29:59.999Z", Some("2026-11-21T05:30:00Z"));
        check_next(&daily("06:30"), "2026-11-21T05:30:00Z", Some("2026-11-22T05:30:00Z"));
        // Ten past midnight in Rome is the day before in UTC.
        check_next(&daily("00:10"), "2026-11-21T23:05:00Z", Some("2026-11-21T23:10:00Z"));
        // Rome's clocks go from 02:00 to 03:00 at 01:00Z on 29 March, and back at 01:00Z on 25 October.
        check_next(&daily("02:30"), "2026-03-28T12:00:00Z", Some("2026-03-29T01:30:00Z"));
        check_next(&daily("02:30"), "2026-03-29T01:10:00Z", Some("2026-03-29T01:30:00Z"));
        check_next(&daily("02:30"), "2026-03-29T01:30:00Z", Some("2026-03-30T00:30:00Z"));
        check_next(&daily("02:30"), "2026-10-25T00:00:00Z", Some("2026-10-25T00:30:00Z"));
        check_next(&daily("02:30"), "2026-10-25T01:10:00Z", Some("2026-10-26T01:30:00Z"));
        check_next(&daily("06:30"), "2026-10-24T12:00:00Z", Some("2026-10-25T05:30:00Z"));
        let expression = "30 6 * * MON".to_owned();
        let weekly = Schedule::Cron { expression, time_zone: "Europe/Rome".to_owned() };
        check_next(&weekly, "2026-11-21T10:00:30Z", Some("2026-11-23T05:30:00Z"));
    }

    #[track_caller]
    fn check_form(json: &Value, expected: &Schedule) {
        assert_eq!(serde_json::from_value::<Schedule>(json.clone()).unwrap(), *expected);
        assert_eq!(serde_json::to_value(expected).unwrap(), *json);
    }

    #[test]
    fn schedules_as_people_write_them() {
        check_form(&json!("off"), &Schedule::Off);
        check_form(&json!("every_refresh"), &Schedule::EveryRefresh);
        check_form(&json!({ "every_minutes": 60 }), &Schedule::EveryMinutes(60));
        let (expression, time_zone) = ("0 8 1 * *".to_owned(), "UTC".to_owned());
        check_form(
            &json!({ "cron": { "expression": "0 8 1 * *", "time_zone": "UTC" } }),
            &Schedule::Cron { expression, time_zone },
        );
    }

    #[test]
    fn impossible_schedules_are_refused() {
        assert_eq!(Schedule::EveryMinutes(0).validate(), Err(ScheduleError::Period));
        let nowhere = Schedule::Daily { at: "06:30".parse().unwrap(), time_zone: "Mars/Base".to_owned() };
        assert_eq!(nowhere.validate(), Err(ScheduleError::TimeZone("Mars/Base".to_owned())));
        assert_eq!(Schedule::EveryMinutes(15).validate(), Ok(()));
        assert_eq!(Schedule::EveryRefresh.validate(), Ok(()));
        let cron = |expression: &str, time_zone: &str| {
            let (expression, time_zone) = (expression.to_owned(), time_zone.to_owned());
            Schedule::Cron { expression, time_zone }.validate()
        };
        assert_eq!(cron("30 6 * * 1", "Europe/Rome"), Ok(()));
        assert_eq!(cron("30 6 * * 1", "Mars/Base"), Err(ScheduleError::TimeZone("Mars/Base".to_owned())));
        assert!(matches!(cron("30 6 * *", "UTC"), Err(ScheduleError::Expression { .. })));
    }
}
