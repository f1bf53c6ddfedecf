//! The daily calls of an account.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The daily calls of an account, as the destination counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quota {
    /// The calls of today so far, by every client of the account.
    pub used_today: u64,
    /// The daily limit: the connection's own, or the destination's default.
    pub limit_today: u64,
}
