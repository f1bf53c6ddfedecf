//! Tokens of a connection's shared rate limiter.

use async_trait::async_trait;
use jiff::Timestamp;
use relay_model::ConnectionId;
use relay_model::pacing::NotYet;
use std::fmt;
use std::time::Duration;

/// Gives out turns for one connection's calls.
#[async_trait]
pub trait Pacer: Send + Sync + fmt::Debug {
    /// Waits for the turn of one call, for no longer than `left`.
    async fn turn(&self, left: Duration) -> Result<(), NotYet>;

    /// As [`Pacer::turn`], for a call of the kind that the destination lets fewer of through.
    async fn rare_turn(&self, left: Duration) -> Result<(), NotYet> {
        self.turn(left).await
    }

    /// The destination has refused a call as one too many: everybody slows down.
    async fn slow_down(&self);

    /// The destination's own quota is spent: everybody waits until it begins anew. Gives that moment.
    async fn pause(&self, text: &str) -> Timestamp;

    /// Whose calls it paces.
    fn connection(&self) -> &ConnectionId;
}
