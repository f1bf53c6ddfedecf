//! A pacer that gives every turn at once and remembers, or gives none.

use async_trait::async_trait;
use jiff::Timestamp;
use relay_connectors::Pacer;
use relay_model::ConnectionId;
use relay_model::pacing::NotYet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What was asked of a connection's budget.
#[derive(Debug)]
pub(crate) struct RecordingPacer {
    connection: ConnectionId,
    refusal: Option<NotYet>,
    turns: AtomicUsize,
    slow_downs: AtomicUsize,
}

impl RecordingPacer {
    /// One that gives every turn at once.
    pub(crate) fn generous() -> Self {
        Self::new(None)
    }

    /// One that gives no turn.
    pub(crate) fn refusing(refusal: NotYet) -> Self {
        Self::new(Some(refusal))
    }

    fn new(refusal: Option<NotYet>) -> Self {
        let connection = ConnectionId::try_from("contract".to_owned()).unwrap();
        Self { connection, refusal, turns: AtomicUsize::new(0), slow_downs: AtomicUsize::new(0) }
    }

    /// Turns that were given.
    pub(crate) fn turns(&self) -> usize {
        self.turns.load(Ordering::Relaxed)
    }

    /// How often everybody was slowed down.
    pub(crate) fn slow_downs(&self) -> usize {
        self.slow_downs.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Pacer for RecordingPacer {
    async fn turn(&self, _left: Duration) -> Result<(), NotYet> {
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        self.turns.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn slow_down(&self) {
        self.slow_downs.fetch_add(1, Ordering::Relaxed);
    }

    async fn pause(&self, _text: &str) -> Timestamp {
        Timestamp::now() + jiff::SignedDuration::from_hours(1)
    }

    fn connection(&self) -> &ConnectionId {
        &self.connection
    }
}
