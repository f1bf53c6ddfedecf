//! When an invocation ends.

use lambda_runtime::Context;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Returns when Lambda ends this invocation, on the clock of timeouts.
#[must_use]
pub fn deadline(context: &Context) -> Instant {
    let end = UNIX_EPOCH + Duration::from_millis(context.deadline);
    Instant::now() + end.duration_since(SystemTime::now()).unwrap_or_default()
}
