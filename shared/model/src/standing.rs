//! What an outcome implies for a person's membership in a target list.

use serde::{Deserialize, Serialize};

/// What an outcome implies for a person's membership in a target list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Follows the outcome: an applied row updates the delivered state, any other leaves it unchanged.
    #[default]
    FollowsOutcome,
    /// The membership is no longer owned by Segment Relay, which never changes or removes it again.
    NotOurs,
    /// The membership is transferred to another member with the same person. It stays recorded with this
    /// member until the other one is delivered.
    HandedOver,
}
