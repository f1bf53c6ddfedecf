//! The deadline, the calls and the pace of one piece of work.

use super::{NotYet, Pacer};
use std::num::NonZeroU8;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The purpose of a piece of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intent {
    /// A delivery: lists and fields that an export requests are created if they are missing.
    #[default]
    Deliver,
    /// A dry run: nothing is written, and notices say what would be created.
    Look,
}

/// The calls that one piece of work has made, its deadline, and the pacer that grants slots.
#[derive(Debug)]
pub struct CallContext {
    calls: AtomicU64,
    throttled: AtomicU64,
    deadline: Instant,
    pacer: Option<Arc<dyn Pacer>>,
    intent: Intent,
}

impl CallContext {
    /// Creates a context with a deadline and without a pace.
    #[must_use]
    pub const fn until(deadline: Instant) -> Self {
        Self::paced(deadline, None)
    }

    /// Creates a context; its calls wait for slots of `pacer`.
    #[must_use]
    pub const fn paced(deadline: Instant, pacer: Option<Arc<dyn Pacer>>) -> Self {
        let intent = Intent::Deliver;
        Self { calls: AtomicU64::new(0), throttled: AtomicU64::new(0), deadline, pacer, intent }
    }

    /// Returns the same context with another purpose.
    #[must_use]
    pub fn with_intent(self, intent: Intent) -> Self {
        Self { intent, ..self }
    }

    /// Returns the purpose of the work.
    #[must_use]
    pub const fn intent(&self) -> Intent {
        self.intent
    }

    /// Waits for the slot of one call, if the connection has a pace. Every attempt takes its own slot.
    pub async fn turn(&self) -> Result<(), NotYet> {
        match &self.pacer {
            Some(pacer) => pacer.turn(self.left()).await,
            None => Ok(()),
        }
    }

    /// Waits for the slots of a call that takes several.
    pub async fn turns(&self, turns: NonZeroU8) -> Result<(), NotYet> {
        for _ in 0..turns.get() {
            self.turn().await?;
        }
        Ok(())
    }

    /// Waits for the slot of a call with the lower rate.
    pub async fn rare_turn(&self) -> Result<(), NotYet> {
        match &self.pacer {
            Some(pacer) => pacer.rare_turn(self.left()).await,
            None => Ok(()),
        }
    }

    /// Counts one call. Every attempt counts against the quota.
    pub fn count_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the calls made so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Counts a call that the destination refused because of its rate limit, and slows down all workers of
    /// the connection.
    pub async fn throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
        if let Some(pacer) = &self.pacer {
            pacer.slow_down().await;
        }
    }

    /// Returns the number of calls so far that were refused because of the rate limit.
    #[must_use]
    pub fn throttles(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// Returns the pacer.
    #[must_use]
    pub const fn pacer(&self) -> Option<&Arc<dyn Pacer>> {
        self.pacer.as_ref()
    }

    /// Returns the time until the deadline.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
