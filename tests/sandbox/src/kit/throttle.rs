//! A rate limit: so many calls in a window of time.

use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How many calls a server takes within a window; the next ones are refused until the window is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// Calls that are taken in one window.
    pub calls: usize,
    /// Length of the window in milliseconds.
    pub window_ms: u64,
}

/// The calls of the window that is running.
#[derive(Debug, Default)]
pub struct Window {
    began: Option<Instant>,
    calls: usize,
}

impl Window {
    /// Counts a call. False: the limit is used up and the call has to be refused.
    pub(crate) fn admit(&mut self, limit: Throttle, now: Instant) -> bool {
        let window = Duration::from_millis(limit.window_ms);
        let running = self.began.is_some_and(|began| now.duration_since(began) < window);
        if !running {
            *self = Self { began: Some(now), calls: 0 };
        }
        self.calls = self.calls.saturating_add(1);
        self.calls <= limit.calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_its_calls_and_the_next_window_takes_them_again() {
        let limit = Throttle { calls: 2, window_ms: 1000 };
        let start = Instant::now();
        let mut window = Window::default();
        let answers: Vec<bool> = [0, 1, 999, 1000, 1001, 1002]
            .into_iter()
            .map(|at_ms| window.admit(limit, start + Duration::from_millis(at_ms)))
            .collect();
        assert_eq!(answers, [true, true, false, true, true, false]);
    }
}
