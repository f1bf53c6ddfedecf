//! What an outcome says of a person's membership in a target list.

use serde::{Deserialize, Serialize};

/// What an outcome says of a person's membership in a target list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Follows the outcome: an applied row is applied, any other leaves the delivered state as it was.
    #[default]
    FollowsOutcome,
    /// The membership is no longer owned by Segment Relay, which never changes or removes it again.
    NotOurs,
    /// Another member now stands for the person. The membership stays recorded with this member until the other one is
    /// delivered.
    HandedOver,
}
