//! Cron expressions of five fields, with their last and next due times.

use super::ScheduleError;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// An upper bound for every shift of a time zone's clocks in the last hundred years, except across the date
/// line.
const LARGEST_SHIFT: SignedDuration = SignedDuration::from_hours(3);
/// Calendars repeat before this time, so an expression that is not due until then never is.
const END_OF_CALENDAR: DateTime = date(2_400, 1, 1).at(0, 0, 0, 0);

/// A parsed expression.
#[derive(Clone, Debug)]
pub(super) struct Cron(croner::Cron);

impl Cron {
    /// Parses an expression: minute, hour, day of the month, month and day of the week.
    pub(super) fn parse(expression: &str) -> Result<Self, ScheduleError> {
        let bounded = || expression.chars().take(80).collect::<String>();
        let refuse =
            |problem: &str| ScheduleError::Expression { expression: bounded(), problem: problem.to_owned() };
        // The parser also accepts nicknames such as "@daily", which hide the time of day.
        if expression.split_whitespace().count() != 5 {
            return Err(refuse("it must have five fields"));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(expression).map_err(|error| refuse(&error.to_string()))?;
        match cron.find_previous_occurrence(&END_OF_CALENDAR, true) {
            Ok(_) => Ok(Self(cron)),
            Err(_) => Err(ScheduleError::NeverDue(bounded())),
        }
    }

    /// Returns the newest instant at or before `now` at which the expression was due.
    ///
    /// A wall-clock time in the gap of a clock change is due later by the length of the gap; one that
    /// occurs twice is due the first time.
    pub(super) fn last_due(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let wall_now = zone.to_datetime(now);
        // After the clocks were set back, a due time may be ahead of the wall clock.
        let latest =
            if is_steady(now, zone) { wall_now } else { wall_now.checked_add(LARGEST_SHIFT).ok()? };
        let mut newest: Option<(DateTime, Timestamp)> = None;
        for wall in self.0.iter_before(latest.checked_add(SignedDuration::from_secs(1)).ok()?) {
            if newest.is_some_and(|(from, _)| wall.duration_until(from) > LARGEST_SHIFT) {
                break;
            }
            let due = zone.to_ambiguous_zoned(wall).compatible().ok()?.timestamp();
            if due > now {
                continue;
            }
            if newest.is_none() && is_steady(due, zone) {
                return Some(due);
            }
            // Near a clock change a skipped time is due after later ones.
            newest = Some(newest.map_or((wall, due), |(from, newest)| (from, newest.max(due))));
        }
        newest.map(|(_, due)| due)
    }

    /// Returns the oldest instant after `now` at which the expression is due. The instants are the same as
    /// those of [`Cron::last_due`].
    pub(super) fn next_due(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let wall_now = zone.to_datetime(now);
        // After the clocks were set forward, a skipped time may be behind the wall clock.
        let earliest =
            if is_steady(now, zone) { wall_now } else { wall_now.checked_sub(LARGEST_SHIFT).ok()? };
        let mut oldest: Option<(DateTime, Timestamp)> = None;
        for wall in self.0.iter_after(earliest.checked_sub(SignedDuration::from_secs(1)).ok()?) {
            if oldest.is_some_and(|(from, _)| from.duration_until(wall) > LARGEST_SHIFT) {
                break;
            }
            let due = zone.to_ambiguous_zoned(wall).compatible().ok()?.timestamp();
            if due <= now {
                continue;
            }
            if oldest.is_none() && is_steady(due, zone) {
                return Some(due);
            }
            // Near a clock change a skipped time is due after later ones.
            oldest = Some(oldest.map_or((wall, due), |(from, oldest)| (from, oldest.min(due))));
        }
        oldest.map(|(_, due)| due)
    }
}

/// Returns whether no clock change is near an instant, so that wall-clock times are in order.
fn is_steady(at: Timestamp, zone: &TimeZone) -> bool {
    let offset = |at: Result<Timestamp, jiff::Error>| at.ok().map(|at| zone.to_offset(at));
    offset(at.checked_sub(LARGEST_SHIFT)) == offset(at.checked_add(LARGEST_SHIFT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[track_caller]
    fn check(expression: &str, zone_name: &str, now: &str, expected: &str) {
        let due = Cron::parse(expression).unwrap().last_due(now.parse().unwrap(), &zone(zone_name));
        assert_eq!(due.map(|due| due.to_string()).as_deref(), Some(expected), "{expression} at {now}");
    }

    #[test]
    fn the_last_time_that_five_fields_describe() {
        check("* * * * *", "UTC", "2026-11-21T10:00:59Z", "2026-11-21T10:00:00Z");
        check("*/15 8-17 * * MON-FRI", "UTC", "2026-11-21T10:00:00Z", "2026-11-20T17:45:00Z");
        check("30 6 * * 1", "Europe/Rome", "2026-11-16T05:30:00Z", "2026-11-16T05:30:00Z");
        check("30 6 * * 1", "Europe/Rome", "2026-11-16T05:29:59.999Z", "2026-11-09T05:30:00Z");
        // Sunday is 0 and 7; either day field is sufficient.
        check("0 0 * * 7", "UTC", "2026-11-21T00:00:00Z", "2026-11-15T00:00:00Z");
        check("0 0 1 * 0", "UTC", "2026-10-03T00:00:00Z", "2026-10-01T00:00:00Z");
        check("0 0 1 JAN *", "America/New_York", "2026-11-21T00:00:00Z", "2026-01-01T05:00:00Z");
        check("0 0 29 2 *", "UTC", "2026-11-21T00:00:00Z", "2024-02-29T00:00:00Z");
        check("0 22 L * *", "UTC", "2026-03-01T00:00:00Z", "2026-02-28T22:00:00Z");
    }

    #[test]
    fn skipped_times_come_after_the_gap_and_doubled_ones_once() {
        // Rome's clocks go from 02:00 to 03:00 at 01:00Z on that day …
        check("30 2 * * *", "Europe/Rome", "2026-03-29T01:29:59Z", "2026-03-28T01:30:00Z");
        check("30 2 * * *", "Europe/Rome", "2026-03-29T01:30:00Z", "2026-03-29T01:30:00Z");
        check("30 2 * * *", "Europe/Rome", "2026-03-29T20:00:00Z", "2026-03-29T01:30:00Z");
        // … so a skipped time is newer than a later one on the wall clock.
        check("30,10 2,3 * * *", "Europe/Rome", "2026-03-29T01:20:00Z", "2026-03-29T01:10:00Z");
        check("30,10 2,3 * * *", "Europe/Rome", "2026-03-29T12:00:00Z", "2026-03-29T01:30:00Z");
        // Rome's clocks go back from 03:00 to 02:00 at 01:00Z on that day.
        check("30 2 * * *", "Europe/Rome", "2026-10-25T00:29:59Z", "2026-10-24T00:30:00Z");
        check("30 2 * * *", "Europe/Rome", "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z");
        check("30 2 * * *", "Europe/Rome", "2026-10-25T01:10:00Z", "2026-10-25T00:30:00Z");
        check("30 2 * * *", "Europe/Rome", "2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z");
    }

    #[track_caller]
    fn check_next(expression: &str, zone_name: &str, now: &str, expected: &str) {
        let due = Cron::parse(expression).unwrap().next_due(now.parse().unwrap(), &zone(zone_name));
        assert_eq!(due.map(|due| due.to_string()).as_deref(), Some(expected), "{expression} after {now}");
    }

    #[test]
    fn the_next_time_that_five_fields_describe() {
        check_next("* * * * *", "UTC", "2026-11-21T10:00:59Z", "2026-11-21T10:01:00Z");
        check_next("* * * * *", "UTC", "2026-11-21T10:00:00Z", "2026-11-21T10:01:00Z");
        check_next("*/15 8-17 * * MON-FRI", "UTC", "2026-11-20T17:45:00Z", "2026-11-23T08:00:00Z");
        check_next("30 6 * * 1", "Europe/Rome", "2026-11-16T05:29:59.999Z", "2026-11-16T05:30:00Z");
        check_next("30 6 * * 1", "Europe/Rome", "2026-11-16T05:30:00Z", "2026-11-23T05:30:00Z");
        check_next("0 0 29 2 *", "UTC", "2026-11-21T00:00:00Z", "2028-02-29T00:00:00Z");
        check_next("0 22 L * *", "UTC", "2026-02-28T22:00:00Z", "2026-03-31T22:00:00Z");
        // Rome's clocks go from 02:00 to 03:00 at 01:00Z on that day …
        check_next("30 2 * * *", "Europe/Rome", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z");
        check_next("30 2 * * *", "Europe/Rome", "2026-03-29T01:10:00Z", "2026-03-29T01:30:00Z");
        check_next("30 2 * * *", "Europe/Rome", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z");
        check_next("30,10 2,3 * * *", "Europe/Rome", "2026-03-29T01:00:00Z", "2026-03-29T01:10:00Z");
        check_next("30,10 2,3 * * *", "Europe/Rome", "2026-03-29T01:10:00Z", "2026-03-29T01:30:00Z");
        // … and back from 03:00 to 02:00 at 01:00Z on that one.
        check_next("30 2 * * *", "Europe/Rome", "2026-10-25T00:29:59Z", "2026-10-25T00:30:00Z");
        check_next("30 2 * * *", "Europe/Rome", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
        check_next("30 2 * * *", "Europe/Rome", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z");
    }

    #[track_caller]
    fn check_refused(expression: &str, expected: &str) {
        let problem = Cron::parse(expression).unwrap_err().to_string();
        assert!(problem.contains(expected), "{problem}");
    }

    #[test]
    fn mistakes_are_reported() {
        check_refused("", "it must have five fields");
        check_refused("@daily", "it must have five fields");
        check_refused("0 0 0 * * *", "it must have five fields");
        check_refused("60 * * * *", "\"60 * * * *\" cannot be read");
        check_refused("* 24 * * *", "cannot be read");
        check_refused("* * * * FUNDAY", "cannot be read");
        check_refused("x * * * *", "cannot be read");
        check_refused("0 0 30 2 *", "is never due");
    }

    /// Returns every due instant within some days, by checking each minute of the wall clock.
    fn all_due(cron: &Cron, from: DateTime, zone: &TimeZone) -> Vec<Timestamp> {
        let walls = (0..4 * 24 * 60).map(|minute| from + SignedDuration::from_mins(minute));
        let due = walls.filter(|wall| cron.0.is_time_matching(wall).unwrap());
        let mut due: Vec<Timestamp> =
            due.map(|wall| zone.to_ambiguous_zoned(wall).compatible().unwrap().timestamp()).collect();
        due.sort_unstable();
        due
    }

    proptest! {
        #[test]
        fn whatever_people_write_is_read_or_refused(
            fields in proptest::collection::vec("[0-9*/,#+?LWa-z@-]{1,5}|\\PC{1,3}", 5),
        ) {
            let expression = fields.join(" ");
            if let Ok(cron) = Cron::parse(&expression) {
                prop_assert!(cron.last_due("2026-11-21T10:00:00Z".parse().unwrap(), &TimeZone::UTC).is_some());
            }
        }

        #[test]
        fn it_is_what_the_calendar_says(
            minute in prop_oneof![Just("*"), Just("30"), Just("*/7"), Just("0,15,59")],
            hour in prop_oneof![Just("*"), Just("1"), Just("2"), Just("2,3"), Just("*/5")],
            (name, from) in prop_oneof![
                Just(("Europe/Rome", date(2026, 3, 27))),
                Just(("Europe/Rome", date(2026, 10, 23))),
                Just(("America/New_York", date(2026, 3, 6))),
                Just(("Australia/Lord_Howe", date(2026, 4, 3))),
                Just(("Antarctica/Troll", date(2026, 10, 23))),
                Just(("Asia/Kolkata", date(2026, 6, 1))),
            ],
            // The second and third day, so that due instants are within the window of four days.
            second in 86_400_i64..3 * 86_400,
        ) {
            let zone = zone(name);
            let cron = Cron::parse(&format!("{minute} {hour} * * *")).unwrap();
            let from = from.at(0, 0, 0, 0);
            let now = zone.to_ambiguous_zoned(from).compatible().unwrap().timestamp() + SignedDuration::from_secs(second);
            let all_due = all_due(&cron, from, &zone);
            prop_assert_eq!(cron.last_due(now, &zone), all_due.iter().copied().rfind(|due| *due <= now));
            prop_assert_eq!(cron.next_due(now, &zone), all_due.iter().copied().find(|due| *due > now));
        }
    }
}
