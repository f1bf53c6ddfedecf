//! Stack space for recursion. Parsers and planners recurse as deeply as a query is nested, and a stack
//! overflow aborts the whole process.

use std::pin::pin;
use std::task::Poll;

/// The size of the stack for parsing and planning. Only touched pages use memory.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Polls a future on a large stack of its own.
pub async fn with_large_stack<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| -> Poll<F::Output> {
        stacker::grow(STACK_BYTES, || future.as_mut().poll(context))
    })
    .await
}

/// Runs a closure on a large stack of its own.
pub(super) fn on_large_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::grow(STACK_BYTES, work)
}
