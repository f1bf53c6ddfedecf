//! How many members a call has: as many as take about ten seconds.
//!
//! The vendor publishes neither a limit nor how long a call takes, which depends on the organisation's plug-ins; a call
//! that takes too long is given up by the database, and everything in it with it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The size of the next call, in members.
#[derive(Debug)]
pub(super) struct Size {
    state: Mutex<State>,
    goal: Duration,
    largest: usize,
}

#[derive(Clone, Copy, Debug)]
struct State {
    members: usize,
    /// What the last call took, and its members.
    last: Option<(usize, Duration)>,
}

impl Size {
    pub(super) const fn new(first: usize, largest: usize, goal: Duration) -> Self {
        Self { state: Mutex::new(State { members: first, last: None }), goal, largest }
    }

    /// How many of `left` members go next, so that the calls to come are alike.
    pub(super) fn next(&self, left: usize) -> usize {
        let members = self.read().members;
        left.div_ceil(left.div_ceil(members).max(1))
    }

    /// How long a call with so many members is expected to take; nothing where nothing is known.
    pub(super) fn expected(&self, members: usize) -> Duration {
        let Some((last_members, took)) = self.read().last else { return Duration::ZERO };
        scaled(took, members, last_members)
    }

    /// Takes up how long a call took.
    pub(super) fn took(&self, members: usize, duration: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.last = Some((members, duration));
        // A small remainder says little about large calls, unless it was slow all the same.
        if members * 2 < state.members && duration < self.goal {
            return;
        }
        let fitting = u128::try_from(members).unwrap_or(u128::MAX).saturating_mul(self.goal.as_micros())
            / duration.as_micros().max(1);
        let fitting = usize::try_from(fitting).unwrap_or(usize::MAX);
        // It grows by doubling only: one quick answer is not a promise.
        state.members = fitting.min(state.members.saturating_mul(2)).clamp(1, self.largest);
    }

    /// A call with so many members was too much.
    pub(super) fn too_many(&self, members: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.members = (members / 2).clamp(1, state.members);
    }

    fn read(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn scaled(duration: Duration, members: usize, of: usize) -> Duration {
    let ratio = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    duration.saturating_mul(ratio(members)) / ratio(of.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_as_large_as_ten_seconds_allow() {
        let size = Size::new(500, 1_000, Duration::from_secs(10));
        let check = |left: usize, expected: usize| assert_eq!(size.next(left), expected, "{left}");
        check(2_000, 500);
        check(501, 251);
        check(7, 7);
        check(0, 0);
        size.took(500, Duration::from_millis(2_500));
        check(2_000, 1_000);
        assert_eq!(size.expected(1_000), Duration::from_secs(5));
        // A small remainder is no measure …
        size.took(10, Duration::from_secs(1));
        check(2_000, 1_000);
        // … unless it was slow.
        size.took(10, Duration::from_secs(20));
        check(2_000, 5);
        size.took(5, Duration::from_millis(1));
        check(2_000, 10);
        size.too_many(10);
        check(2_000, 5);
        size.too_many(1);
        check(2_000, 1);
        size.too_many(1_000);
        check(2_000, 1);
        size.took(1, Duration::from_mins(10));
        check(2_000, 1);
    }

    #[test]
    fn a_call_has_no_more_than_the_largest() {
        let size = Size::new(500, 700, Duration::from_secs(10));
        size.took(500, Duration::ZERO);
        assert_eq!(size.next(700), 700);
        assert_eq!(size.next(1_400), 700);
        assert_eq!(size.expected(100), Duration::ZERO);
    }
}
