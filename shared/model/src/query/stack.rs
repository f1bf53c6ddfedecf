//! Room for recursion: parsers and planners go as deep as a query is nested, and a stack that overflows ends the
//! whole process.

use std::pin::pin;
use std::task::Poll;

/// The stack that a query is parsed and planned on. Only what is touched becomes memory.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Runs a future with every poll on a large stack of its own.
pub async fn with_large_stack<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| -> Poll<F::Output> {
        stacker::grow(STACK_BYTES, || future.as_mut().poll(context))
    })
    .await
}

/// Does something on a large stack of its own.
pub(super) fn on_large_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::grow(STACK_BYTES, work)
}
