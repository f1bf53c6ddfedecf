//! The limits that all callers of an instance share: rate, concurrency and the day's calls.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/marketo-integration-best-practices>

use super::clock::{Moment, signed};
use super::errors::{self, ApiError};
use super::options::{Options, RefusedCalls};
use std::collections::{BTreeMap, VecDeque};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What of the limits is used up.
#[derive(Debug, Default)]
pub(super) struct Limits {
    received: VecDeque<Moment>,
    admitted: VecDeque<Moment>,
    in_flight: usize,
    pub(super) most_in_window: usize,
    pub(super) most_in_flight: usize,
    pub(super) day: Day,
}

/// The calls since the quota began.
#[derive(Debug, Default)]
pub(super) struct Day {
    number: i64,
    pub(super) calls: usize,
    pub(super) by_user: BTreeMap<String, usize>,
    pub(super) errors: BTreeMap<u16, usize>,
    pub(super) exported_bytes: usize,
}

impl Limits {
    /// A call arrives: refused, or let in until [`Limits::leave`]. Either way it counts in the day until
    /// [`Limits::forgive`].
    pub(super) fn enter(&mut self, options: &Options, user: &str, now: Moment) -> Result<(), ApiError> {
        self.turn_day(options, now);
        self.in_flight += 1;
        self.most_in_flight = self.most_in_flight.max(self.in_flight);
        let window_ms = signed(options.rate_window_ms);
        let received = count(&mut self.received, window_ms, now);
        self.received.push_back(now);
        self.most_in_window = self.most_in_window.max(received + 1);
        let admitted = count(&mut self.admitted, window_ms, now);
        let in_window = match options.refused_calls {
            RefusedCalls::Counted => received,
            RefusedCalls::Free => admitted,
        };
        let is_over = self.day.calls >= options.daily_quota;
        self.day.calls += 1;
        *self.day.by_user.entry(user.to_owned()).or_default() += 1;
        if is_over {
            return Err(errors::QUOTA);
        }
        if in_window.saturating_add(options.others.rate_calls) >= options.rate_calls {
            return Err(rate(options));
        }
        if self.in_flight.saturating_add(options.others.concurrency) > options.concurrency {
            return Err(concurrency(options));
        }
        self.admitted.push_back(now);
        Ok(())
    }

    /// A call is over.
    pub(super) fn leave(&mut self, code: Option<u16>) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(code) = code {
            *self.day.errors.entry(code).or_default() += 1;
        }
    }

    /// The call does not count in the day after all.
    pub(super) fn forgive(&mut self, user: &str) {
        self.day.calls = self.day.calls.saturating_sub(1);
        if let Some(calls) = self.day.by_user.get_mut(user) {
            *calls = calls.saturating_sub(1);
        }
    }

    /// Begins a new day if it is time.
    pub(super) fn turn_day(&mut self, options: &Options, now: Moment) {
        let number = day_number(options, now);
        if number != self.day.number {
            self.day = Day { number, ..Day::default() };
        }
    }

    /// The quota begins anew at once.
    pub(super) fn reset_day(&mut self) {
        self.day = Day { number: self.day.number, ..Day::default() };
    }
}

fn day_number(options: &Options, now: Moment) -> i64 {
    now.saturating_sub(i64::from(options.quota_resets_at_utc_minute) * 60_000).div_euclid(DAY_MS)
}

/// How many calls of the window that ends now there are; older ones are forgotten.
fn count(calls: &mut VecDeque<Moment>, window_ms: i64, now: Moment) -> usize {
    while calls.front().is_some_and(|at| now.saturating_sub(*at) >= window_ms) {
        calls.pop_front();
    }
    calls.len()
}

fn rate(options: &Options) -> ApiError {
    let seconds = options.rate_window_ms / 1000;
    errors::error(606, format!("Max rate limit '{}' exceeded with in '{seconds}' secs", options.rate_calls))
}

fn concurrency(options: &Options) -> ApiError {
    errors::error(615, format!("Concurrent access limit '{}' reached", options.concurrency))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marketo::OtherUsers;

    #[track_caller]
    fn check(options: &Options, arrivals_ms: &[i64], expected: &[u16]) {
        let mut limits = Limits::default();
        let codes: Vec<u16> = arrivals_ms
            .iter()
            .map(|at| {
                let code = limits.enter(options, "user", *at).err().map(|error| error.code);
                limits.leave(code);
                code.unwrap_or(0)
            })
            .collect();
        assert_eq!(codes, expected, "{arrivals_ms:?}");
    }

    #[test]
    fn the_window_rolls() {
        let options = Options { rate_calls: 2, rate_window_ms: 100, ..Options::default() };
        check(&options, &[0, 50, 99, 199], &[0, 0, 606, 0]);
        check(&options, &[0, 50, 99, 150], &[0, 0, 606, 0]);
        // With the refused call there are two in the window, without it one.
        check(&options, &[0, 50, 60, 149], &[0, 0, 606, 606]);
        let free = Options { refused_calls: RefusedCalls::Free, ..options };
        check(&free, &[0, 50, 60, 149], &[0, 0, 606, 0]);
    }

    #[test]
    fn others_and_the_day() {
        let others = OtherUsers { rate_calls: 99, ..OtherUsers::default() };
        check(&Options { others, ..Options::default() }, &[0, 1], &[0, 606]);
        let others = OtherUsers { concurrency: 10, ..OtherUsers::default() };
        check(&Options { others, ..Options::default() }, &[0], &[615]);
        let options = Options { daily_quota: 1, quota_resets_at_utc_minute: 1, ..Options::default() };
        check(&options, &[0, 59_999, 60_000, 60_001], &[0, 607, 0, 607]);
    }

    #[test]
    fn calls_at_one_time() {
        let options = Options { concurrency: 1, ..Options::default() };
        let mut limits = Limits::default();
        assert!(limits.enter(&options, "user", 0).is_ok());
        assert_eq!(limits.enter(&options, "user", 0).map_err(|error| error.code), Err(615));
        limits.leave(Some(615));
        limits.leave(None);
        assert!(limits.enter(&options, "user", 0).is_ok());
        assert_eq!((limits.most_in_flight, limits.most_in_window, limits.day.errors[&615]), (2, 3, 1));
    }
}
