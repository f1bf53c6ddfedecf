//! How many calls of this process may be in flight: as many as the organisation recommends.
//!
//! Its answers say so in `x-ms-dop-hint`, and more calls at a time make all of them slower
//! (<https://learn.microsoft.com/power-apps/developer/data-platform/send-parallel-requests>).

use http::HeaderMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

const HEADER: &str = "x-ms-dop-hint";
/// Before the organisation has said anything.
const FIRST: usize = 4;
/// The service protection limit for calls at a time
/// (<https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>).
const MOST: usize = 52;

/// Lets calls in.
#[derive(Debug)]
pub(super) struct Gate {
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    /// Permits there are, taken or not.
    permits: usize,
    hint: Option<usize>,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self { permits: Semaphore::new(FIRST), state: Mutex::new(State { permits: FIRST, hint: None }) }
    }

    /// Waits until a call may begin; it is over when the permit is dropped. The gate is never closed.
    pub(super) async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.acquire().await.ok()
    }

    /// Takes up what an answer recommends.
    pub(super) fn learn(&self, headers: &HeaderMap) {
        let hint = headers.get(HEADER).and_then(|value| value.to_str().ok());
        let Some(hint) = hint.and_then(|text| text.trim().parse::<usize>().ok()) else { return };
        let hint = hint.clamp(1, MOST);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.hint = Some(hint);
        if hint > state.permits {
            self.permits.add_permits(hint - state.permits);
            state.permits = hint;
        } else {
            // Those that are taken are forgotten at a later answer.
            state.permits -= self.permits.forget_permits(state.permits - hint);
        }
    }

    /// What the organisation recommends, as far as it has said.
    pub(super) fn hint(&self) -> Option<usize> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[tokio::test]
    async fn as_many_calls_as_recommended_are_in_flight() {
        let gate = Gate::new();
        let check = |text: &str, available: usize, hint: Option<usize>| {
            let headers = [(HEADER.parse().unwrap(), HeaderValue::try_from(text).unwrap())];
            gate.learn(&headers.into_iter().collect());
            assert_eq!((gate.permits.available_permits(), gate.hint()), (available, hint), "{text}");
        };
        check("what", 4, None);
        check("10", 10, Some(10));
        check("1000", 52, Some(52));
        check("0", 1, Some(1));
        check("2", 2, Some(2));
        let first = gate.enter().await.unwrap();
        let second = gate.enter().await.unwrap();
        // Both are out: one fewer is let in once one of them is back.
        check("1", 0, Some(1));
        drop(first);
        check("1", 0, Some(1));
        drop(second);
        check("1", 1, Some(1));
    }
}
