//! What one piece of work may spend.

use super::{NotYet, Pacer};
use std::num::NonZeroU8;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// What a piece of work is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intent {
    /// Something is delivered afterwards: what an export asks for is made where it is missing.
    #[default]
    Deliver,
    /// Nothing is delivered: what would be made is only told, and nothing is written.
    Look,
}

/// The calls that one piece of work has made, when it has to be done, and who gives out turns.
#[derive(Debug)]
pub struct CallContext {
    calls: AtomicU64,
    throttled: AtomicU64,
    deadline: Instant,
    pacer: Option<Arc<dyn Pacer>>,
    intent: Intent,
}

impl CallContext {
    /// A context whose work has to be done at `deadline`.
    #[must_use]
    pub const fn until(deadline: Instant) -> Self {
        Self::paced(deadline, None)
    }

    /// A context whose calls wait for their turn.
    #[must_use]
    pub const fn paced(deadline: Instant, pacer: Option<Arc<dyn Pacer>>) -> Self {
        let intent = Intent::Deliver;
        Self { calls: AtomicU64::new(0), throttled: AtomicU64::new(0), deadline, pacer, intent }
    }

    /// The same for other work.
    #[must_use]
    pub fn with_intent(self, intent: Intent) -> Self {
        Self { intent, ..self }
    }

    /// What the work is for.
    #[must_use]
    pub const fn intent(&self) -> Intent {
        self.intent
    }

    /// Waits for the turn of one call, where the connection has a pace. Every attempt needs its own.
    pub async fn turn(&self) -> Result<(), NotYet> {
        match &self.pacer {
            Some(pacer) => pacer.turn(self.left()).await,
            None => Ok(()),
        }
    }

    /// Waits for the turns of a call that takes the room of several.
    pub async fn turns(&self, turns: NonZeroU8) -> Result<(), NotYet> {
        for _ in 0..turns.get() {
            self.turn().await?;
        }
        Ok(())
    }

    /// Waits for the turn of a call of the kind that the destination lets fewer of through.
    pub async fn rare_turn(&self) -> Result<(), NotYet> {
        match &self.pacer {
            Some(pacer) => pacer.rare_turn(self.left()).await,
            None => Ok(()),
        }
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

    /// Counts a call that the destination refused as one too many, and slows everybody down.
    pub async fn throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
        if let Some(pacer) = &self.pacer {
            pacer.slow_down().await;
        }
    }

    /// The calls so far that were refused as one too many.
    #[must_use]
    pub fn throttles(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// Who gives out turns.
    #[must_use]
    pub const fn pacer(&self) -> Option<&Arc<dyn Pacer>> {
        self.pacer.as_ref()
    }

    /// How long is left.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
