//! Tokens of a connection's shared rate limiter.

use async_trait::async_trait;
use jiff::Timestamp;
use relay_model::ConnectionId;
use relay_model::pacing::NotYet;
use std::fmt;
use std::time::Duration;

/// Grants slots for one connection's calls.
#[async_trait]
pub trait Pacer: Send + Sync + fmt::Debug {
    /// Waits for the slot of one call, for at most `left`.
    async fn turn(&self, left: Duration) -> Result<(), NotYet>;

    /// Waits as [`Pacer::turn`] does, for a call with the lower rate ([`Cost::Rare`](super::Cost::Rare)).
    async fn rare_turn(&self, left: Duration) -> Result<(), NotYet> {
        self.turn(left).await
    }

    /// Slows down all workers of the connection, because the destination refused a call because of its rate
    /// limit.
    async fn slow_down(&self);

    /// Pauses the connection until the destination's quota is renewed, and returns that time.
    async fn pause(&self, text: &str) -> Timestamp;

    /// Returns the connection.
    fn connection(&self) -> &ConnectionId;
}
