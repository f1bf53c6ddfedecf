//! Calls that prepare a run and only have to wait: for a turn, or for a destination that lets no more calls through for
//! now.

use crate::connectors::{CallContext, PushError, Retry};
use std::time::Duration;

/// The shortest wait: whoever says that it is none would be asked again without end.
const LEAST_WAIT: Duration = Duration::from_secs(1);
/// What has to be left after a wait for another attempt to make sense.
const LEAST_TIME_AFTER: Duration = Duration::from_secs(5);

/// Makes a call, again where it only has to wait and there is time to. What prepares a run cannot be put down half done as
/// a batch can, and waiting is not failing.
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
    loop {
        let error = match call().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let Retry::Wait(wait) = error.retry else { return Err(error) };
        let wait = wait.max(least);
        if context.left() < wait + LEAST_TIME_AFTER {
            return Err(error);
        }
        tracing::info!(wait_ms = wait.as_millis(), %error, "the destination is waited for");
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connectors::ErrorKind;
    use crate::model::Destination;
    use std::cell::Cell;
    use tokio::time::Instant;

    const LEAST: Duration = Duration::from_millis(1);

    /// Calls that fail so many times for one reason: whether the last one went well, and how many were made.
    async fn check(fails: u32, retry: Retry, time: Duration, expected: (bool, u32)) {
        let calls = Cell::new(0);
        let context = CallContext::until(Instant::now() + time);
        let done = waiting_at_least(LEAST, &context, || {
            calls.set(calls.get() + 1);
            let error = PushError {
                kind: ErrorKind::RateLimited,
                retry: retry.clone(),
                destination: Destination::Omnisend,
                operation: "test",
                status: None,
                code: None,
                message: String::new(),
            };
            std::future::ready(if calls.get() > fails { Ok(()) } else { Err(error) })
        });
        assert_eq!((done.await.is_ok(), calls.get()), expected, "{fails} {retry:?} {time:?}");
    }

    #[tokio::test]
    async fn waiting_is_not_failing() {
        let (short, invocation) = (Duration::from_millis(2), Duration::from_mins(15));
        check(0, Retry::Wait(short), invocation, (true, 1)).await;
        check(9, Retry::Wait(short), invocation, (true, 10)).await;
        check(9, Retry::Wait(Duration::ZERO), invocation, (true, 10)).await;
        // No wait is begun that nothing could come after.
        check(9, Retry::Wait(short), LEAST_TIME_AFTER, (false, 1)).await;
        check(9, Retry::Wait(invocation), invocation, (false, 1)).await;
        for retry in [Retry::Never, Retry::Backoff, Retry::After(short)] {
            check(1, retry, invocation, (false, 1)).await;
        }
    }
}
