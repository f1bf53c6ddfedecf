//! Retries calls that prepare a run, after a wait for a slot or a wait that the destination asks for.

use jiff::Timestamp;
use relay_connectors::{CallContext, PushError, Retry};
use std::time::Duration;

/// The shortest wait: a destination that asks for no wait at all would otherwise be called in an endless
/// loop.
const LEAST_WAIT: Duration = Duration::from_secs(1);
/// The time that has to be left after a wait for another attempt to make sense.
const LEAST_TIME_AFTER: Duration = Duration::from_secs(5);
/// How often a failed call is retried after the wait that its error asks for. A wait for a slot does not
/// count.
const TRIES: u32 = 3;

/// Makes a call, and repeats it after the wait that its error asks for. The wait is here, because preparation
/// cannot be released half done as a batch can. A wait that is longer than the invocation pauses the run.
///
/// The returned error never asks for a wait: the step is retried after a few seconds, which would undercut
/// it.
pub(super) async fn waiting<T, F, R>(context: &CallContext, call: F) -> Result<T, PushError>
where
    F: Fn() -> R,
    R: Future<Output = Result<T, PushError>>,
{
    waiting_at_least(LEAST_WAIT, context, call).await
}

async fn waiting_at_least<T, F, R>(least: Duration, context: &CallContext, call: F) -> Result<T, PushError>
where
    F: Fn() -> R,
    R: Future<Output = Result<T, PushError>>,
{
    let (mut tries, mut has_waited) = (0, false);
    loop {
        let error = match call().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let wait = match error.retry {
            Retry::Wait(wait) => wait,
            Retry::After(wait) if tries < TRIES => {
                tries += 1;
                wait
            }
            Retry::After(_) => return Err(PushError { retry: Retry::Never, ..error }),
            Retry::Never | Retry::Backoff | Retry::Pause(_) => return Err(error),
        };
        let wait = wait.max(least);
        if context.left() < wait + LEAST_TIME_AFTER {
            // A call that has waited here already does not pause the run, so that the run cannot wait
            // forever.
            let retry = if has_waited { Retry::Never } else { pause(wait) };
            return Err(PushError { retry, ..error });
        }
        tracing::info!(wait_ms = wait.as_millis(), %error, "the destination is waited for");
        tokio::time::sleep(wait).await;
        has_waited = true;
    }
}

fn pause(wait: Duration) -> Retry {
    let until =
        jiff::SignedDuration::try_from(wait).ok().and_then(|wait| Timestamp::now().checked_add(wait).ok());
    until.map_or(Retry::Never, Retry::Pause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_connectors::ErrorKind;
    use relay_model::Destination;
    use std::cell::Cell;
    use tokio::time::Instant;

    const LEAST: Duration = Duration::from_millis(1);

    /// The outcome of calls that fail so many times for one reason.
    #[derive(Debug, PartialEq, Eq)]
    enum Comes {
        Done,
        /// The run ends.
        Ends,
        /// The step is retried soon.
        Again,
        /// The run is paused.
        Pauses,
    }

    async fn check(fails: u32, retry: Retry, time: Duration, expected: (Comes, u32)) {
        let calls = Cell::new(0);
        let context = CallContext::until(Instant::now() + time);
        let done = waiting_at_least(LEAST, &context, || {
            calls.set(calls.get() + 1);
            let error = PushError {
                kind: ErrorKind::RateLimited,
                retry,
                destination: Destination::Omnisend,
                operation: "test",
                status: None,
                code: None,
                message: String::new(),
            };
            std::future::ready(if calls.get() > fails { Ok(()) } else { Err(error) })
        });
        let comes = match done.await.map_err(|error| error.retry) {
            Ok(()) => Comes::Done,
            Err(Retry::Never) => Comes::Ends,
            Err(Retry::Pause(_)) => Comes::Pauses,
            Err(Retry::Backoff | Retry::Wait(_) | Retry::After(_)) => Comes::Again,
        };
        assert_eq!((comes, calls.get()), expected, "{fails} {retry:?} {time:?}");
    }

    #[tokio::test]
    async fn waiting_is_not_failing_and_no_wait_is_undercut() {
        let (short, invocation) = (Duration::from_millis(2), Duration::from_mins(15));
        check(0, Retry::Wait(short), invocation, (Comes::Done, 1)).await;
        check(9, Retry::Wait(short), invocation, (Comes::Done, 10)).await;
        check(9, Retry::Wait(Duration::ZERO), invocation, (Comes::Done, 10)).await;
        check(3, Retry::After(short), invocation, (Comes::Done, 4)).await;
        check(4, Retry::After(short), invocation, (Comes::Ends, 4)).await;
        for retry in [Retry::Wait(invocation), Retry::After(invocation)] {
            check(9, retry, invocation, (Comes::Pauses, 1)).await;
        }
        let nearly_over = LEAST_TIME_AFTER + Duration::from_millis(40);
        check(99, Retry::Wait(Duration::from_millis(25)), nearly_over, (Comes::Ends, 2)).await;
        check(1, Retry::Never, invocation, (Comes::Ends, 1)).await;
        check(1, Retry::Backoff, invocation, (Comes::Again, 1)).await;
    }
}
