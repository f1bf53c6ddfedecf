//! Retries of failed calls within this process.
//!
//! Only short pauses are waited for here; the queue does the long waits. One budget covers a whole piece of
//! work. A destination that is down therefore costs a few calls in total, and not a few per row.

use crate::{CallContext, ErrorKind, PushError, Retry};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Further attempts that a whole piece of work may make.
const BUDGET: u32 = 6;
/// Further attempts of one call.
const ATTEMPTS: u32 = 2;
/// The longest pause that is waited for here.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Time that has to be left after a pause, so that another attempt makes sense.
const LEAST_TIME_AFTER: Duration = Duration::from_secs(1);
/// The pause before the first further attempt; each one after it is four times as long.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The retries that one piece of work has left.
#[derive(Debug)]
pub(super) struct RetryBudget {
    left: AtomicU32,
    first_pause: Duration,
}

impl RetryBudget {
    /// Creates a full budget.
    pub(super) const fn new(first_pause: Duration) -> Self {
        Self { left: AtomicU32::new(BUDGET), first_pause }
    }

    /// Waits and returns `true` if a call that failed with `error` may be sent again; returns `false` at once
    /// if not. `attempt` counts the further attempts so far.
    pub(super) async fn pause(&self, error: &PushError, attempt: u32, context: &CallContext) -> bool {
        let Some(pause) = self.length(error, attempt) else {
            return false;
        };
        if attempt >= ATTEMPTS || context.left() < pause + LEAST_TIME_AFTER {
            return false;
        }
        let take = |left: u32| left.checked_sub(1);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }

    fn length(&self, error: &PushError, attempt: u32) -> Option<Duration> {
        match error.retry {
            // A call that waits for a slot or for the next day leaves the time to other work.
            Retry::Never | Retry::Wait(_) | Retry::Pause(_) => None,
            // The wait that the destination asks for is never shortened.
            Retry::After(pause) => (pause <= LONGEST_PAUSE).then_some(pause),
            // A rate limit or an unknown response does not go away in a quarter of a second.
            Retry::Backoff => {
                let exponent = if error.kind == ErrorKind::RateLimited { attempt + 1 } else { attempt };
                let pause = self.first_pause.saturating_mul(4_u32.saturating_pow(exponent));
                Some(pause.min(LONGEST_PAUSE).mul_f64(0.5 + fastrand::f64() / 2.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_model::Destination;
    use tokio::time::Instant;

    fn error(kind: ErrorKind, retry: Retry) -> PushError {
        PushError {
            kind,
            retry,
            destination: Destination::CampaignMonitor,
            operation: "test",
            status: None,
            code: None,
            message: String::new(),
        }
    }

    #[tokio::test]
    async fn short_stumbles_are_waited_out_while_there_is_time_and_budget() {
        let long = CallContext::until(Instant::now() + Duration::from_mins(1));
        let short = CallContext::until(Instant::now() + Duration::from_millis(900));
        let broken = error(ErrorKind::Unavailable, Retry::Backoff);
        let retries = RetryBudget::new(Duration::ZERO);
        assert!(!retries.pause(&broken, 0, &short).await, "no time");
        assert!(!retries.pause(&broken, ATTEMPTS, &long).await, "tried often enough");
        let never = error(ErrorKind::Permission, Retry::Never);
        assert!(!retries.pause(&never, 0, &long).await, "cannot help");
        let minute = error(ErrorKind::RateLimited, Retry::After(Duration::from_mins(1)));
        assert!(!retries.pause(&minute, 0, &long).await, "the queue waits");
        for attempt in 0..BUDGET {
            assert!(retries.pause(&broken, attempt % ATTEMPTS, &long).await, "{attempt}");
        }
        assert!(!retries.pause(&broken, 0, &long).await, "the budget is spent");
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        let retries = RetryBudget::new(FIRST_PAUSE);
        let check = |kind, retry, attempt, low: u64, high: u64| {
            let found = retries.length(&error(kind, retry), attempt).unwrap();
            let (low, high) = (Duration::from_millis(low), Duration::from_millis(high));
            assert!((low..=high).contains(&found), "{kind:?} {attempt}: {found:?}");
        };
        check(ErrorKind::Unavailable, Retry::Backoff, 0, 125, 250);
        check(ErrorKind::Unavailable, Retry::Backoff, 1, 500, 1_000);
        check(ErrorKind::Unavailable, Retry::Backoff, 9, 2_500, 5_000);
        check(ErrorKind::RateLimited, Retry::Backoff, 0, 500, 1_000);
        check(ErrorKind::RateLimited, Retry::After(Duration::from_secs(2)), 0, 2_000, 2_000);
    }
}
