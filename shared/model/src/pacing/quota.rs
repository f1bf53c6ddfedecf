//! A day's calls of an account.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A day's calls of an account, as the destination counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quota {
    /// Calls of today so far, by every client of the account.
    pub used_today: u64,
    /// Calls that a day has: the connection's own limit, or what the destination grants by default.
    pub limit_today: u64,
}
