//! What one piece of work may spend.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The calls that one piece of work has made, and when it has to be done.
#[derive(Debug)]
pub struct CallContext {
    calls: AtomicU64,
    deadline: Instant,
}

impl CallContext {
    /// A context whose work has to be done at `deadline`.
    #[must_use]
    pub const fn until(deadline: Instant) -> Self {
        Self { calls: AtomicU64::new(0), deadline }
    }

    /// Counts one call. Every attempt is counted, for every attempt is paid for.
    pub fn count_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// The calls made so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// How long is left.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
