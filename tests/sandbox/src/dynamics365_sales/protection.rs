//! Service protection limits: requests and combined execution time in a sliding window, and concurrent requests, for
//! each user at each web server.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The limits, in the vendor's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceProtection {
    /// Length of the sliding window in milliseconds.
    pub window_ms: u64,
    /// Requests that are taken in a window.
    pub requests: usize,
    /// Combined execution time that is taken in a window, in milliseconds.
    pub execution_ms: u64,
    /// Requests that are taken at one time.
    pub concurrent: usize,
    /// How much longer somebody has to wait for each call that comes before they may, in milliseconds. The
    /// documents say that the wait is extended, and not by how much.
    pub extension_ms: u64,
    /// What `Retry-After` says to a call too many at one time, in milliseconds; it holds nobody else up.
    pub concurrent_wait_ms: u64,
}

impl Default for ServiceProtection {
    fn default() -> Self {
        Self {
            window_ms: 300_000,
            requests: 6_000,
            execution_ms: 1_200_000,
            concurrent: 52,
            extension_ms: 1_000,
            concurrent_wait_ms: 2_000,
        }
    }
}

/// A limit that refuses calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// -2147015902: too many requests in a window.
    Requests,
    /// -2147015903: too much combined execution time in a window.
    ExecutionTime,
    /// -2147015898: too many requests at one time.
    Concurrent,
}

impl Limit {
    /// The code of its error.
    #[must_use]
    pub fn code(self) -> u32 {
        match self {
            Self::Requests => 0x8007_2322,
            Self::ExecutionTime => 0x8007_2321,
            Self::Concurrent => 0x8007_2326,
        }
    }

    pub(super) fn message(self, limits: &ServiceProtection) -> String {
        let window = limits.window_ms / 1000;
        match self {
            Self::Requests => format!(
                "Number of requests exceeded the limit of {} over time window of {window} seconds.",
                limits.requests
            ),
            Self::ExecutionTime => format!(
                "Combined execution time of incoming requests exceeded limit of {} milliseconds over time window of \
                 {window} seconds. Decrease number of concurrent requests or reduce the duration of requests and \
                 try again later.",
                limits.execution_ms
            ),
            Self::Concurrent => {
                format!("Number of concurrent requests exceeded the limit of {}.", limits.concurrent)
            }
        }
    }
}

/// What one user does at one web server.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// When each call of the window began.
    began: VecDeque<u64>,
    /// When each call of the window ended, and how long it was.
    ended: VecDeque<(u64, u64)>,
    execution_ms: u64,
    in_flight: usize,
    /// Nobody is let in before, and which limit said so.
    blocked: Option<(u64, Limit)>,
}

/// A call that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) limit: Limit,
    /// In the vendor's time.
    pub(super) wait_ms: u64,
    /// Whether the caller had been told to wait until later.
    pub(super) is_early: bool,
}

impl Usage {
    /// Lets a call in, which has to be ended by [`Self::end`], or refuses it.
    pub(super) fn begin(&mut self, limits: &ServiceProtection, now_ms: u64) -> Result<(), Refusal> {
        self.forget(limits, now_ms);
        if let Some((until, limit)) = self.blocked.filter(|(until, _)| *until > now_ms) {
            let until = until.saturating_add(limits.extension_ms);
            self.blocked = Some((until, limit));
            return Err(Refusal { limit, wait_ms: until - now_ms, is_early: true });
        }
        if self.in_flight >= limits.concurrent {
            return Err(Refusal {
                limit: Limit::Concurrent,
                wait_ms: limits.concurrent_wait_ms,
                is_early: false,
            });
        }
        if self.began.len() >= limits.requests {
            let oldest = self.began.front().copied().unwrap_or(now_ms);
            return Err(self.block(Limit::Requests, oldest.saturating_add(limits.window_ms), now_ms));
        }
        if self.execution_ms > limits.execution_ms {
            let mut excess = self.execution_ms - limits.execution_ms;
            let mut until = now_ms;
            for (ended, duration) in &self.ended {
                until = ended.saturating_add(limits.window_ms);
                match excess.checked_sub(*duration) {
                    Some(rest) if rest > 0 => excess = rest,
                    _ => break,
                }
            }
            return Err(self.block(Limit::ExecutionTime, until, now_ms));
        }
        self.began.push_back(now_ms);
        self.in_flight += 1;
        Ok(())
    }

    fn block(&mut self, limit: Limit, until_ms: u64, now_ms: u64) -> Refusal {
        let until_ms = until_ms.max(now_ms + 1);
        self.blocked = Some((until_ms, limit));
        Refusal { limit, wait_ms: until_ms - now_ms, is_early: false }
    }

    /// A call that was let in is over, after so long an execution.
    pub(super) fn end(&mut self, limits: &ServiceProtection, now_ms: u64, execution_ms: u64) {
        self.forget(limits, now_ms);
        self.in_flight = self.in_flight.saturating_sub(1);
        if execution_ms > 0 {
            self.ended.push_back((now_ms, execution_ms));
            self.execution_ms += execution_ms;
        }
    }

    fn forget(&mut self, limits: &ServiceProtection, now_ms: u64) {
        let is_over = |at: u64| at.saturating_add(limits.window_ms) <= now_ms;
        while self.began.front().is_some_and(|began| is_over(*began)) {
            self.began.pop_front();
        }
        while let Some((_, duration)) = self.ended.front().copied().filter(|(ended, _)| is_over(*ended)) {
            self.execution_ms = self.execution_ms.saturating_sub(duration);
            self.ended.pop_front();
        }
    }

    pub(super) fn requests(&self) -> usize {
        self.began.len()
    }

    pub(super) fn execution_ms(&self) -> u64 {
        self.execution_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ServiceProtection = ServiceProtection {
        window_ms: 1000,
        requests: 3,
        execution_ms: 100,
        concurrent: 2,
        extension_ms: 10,
        concurrent_wait_ms: 7,
    };

    /// Calls at these moments, each of this execution time and over at once: what each is answered.
    #[track_caller]
    fn check(calls: &[(u64, u64)], expected: &[Result<(), (Limit, u64)>]) {
        let mut usage = Usage::default();
        let mut answers = Vec::new();
        for (at, execution_ms) in calls {
            let answer = usage.begin(&LIMITS, *at).map_err(|refusal| (refusal.limit, refusal.wait_ms));
            if answer.is_ok() {
                usage.end(&LIMITS, *at, *execution_ms);
            }
            answers.push(answer);
        }
        assert_eq!(answers, expected);
    }

    #[test]
    fn requests_slide() {
        use Limit::Requests;
        check(&[(0, 0), (10, 0), (20, 0), (1000, 0)], &[Ok(()); 4]);
        check(&[(0, 0), (10, 0), (20, 0), (999, 0)], &[Ok(()), Ok(()), Ok(()), Err((Requests, 1))]);
    }

    #[test]
    fn who_does_not_wait_waits_longer() {
        use Limit::Requests;
        check(
            &[(0, 0), (0, 0), (0, 0), (900, 0), (950, 0), (1005, 0), (1020, 0)],
            &[Ok(()), Ok(()), Ok(()), Err((Requests, 100)), Err((Requests, 60)), Err((Requests, 15)), Ok(())],
        );
    }

    #[test]
    fn execution_time_is_waited_for_until_enough_has_left_the_window() {
        use Limit::ExecutionTime;
        check(&[(0, 60), (100, 60), (200, 0)], &[Ok(()), Ok(()), Err((ExecutionTime, 800))]);
        check(&[(0, 10), (100, 120), (200, 0)], &[Ok(()), Ok(()), Err((ExecutionTime, 900))]);
        check(&[(0, 50), (100, 50), (200, 0)], &[Ok(()); 3]);
    }

    #[test]
    fn calls_at_one_time() {
        let mut usage = Usage::default();
        assert!(usage.begin(&LIMITS, 0).is_ok() && usage.begin(&LIMITS, 0).is_ok());
        let refusal = usage.begin(&LIMITS, 0).map_err(|refusal| (refusal.limit, refusal.wait_ms));
        assert_eq!(refusal, Err((Limit::Concurrent, 7)));
        usage.end(&LIMITS, 1, 0);
        assert!(usage.begin(&LIMITS, 1).is_ok());
    }
}
