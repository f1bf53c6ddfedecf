//! Trouble on request: contacts that spoil calls, refusals, and another pace.

use super::endpoint::Endpoint;
use super::options::ExecutionTimes;
use super::protection::{Limit, ServiceProtection};
use serde::{Deserialize, Serialize};

/// What a contact does to every membership call that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poison {
    /// What the call fails with.
    pub error: PoisonError,
    /// Which calls.
    #[serde(default)]
    pub calls: PoisonedCalls,
}

impl Poison {
    pub(super) fn hits(self, endpoint: Endpoint) -> bool {
        let is_adding = matches!(endpoint, Endpoint::AddListMembers | Endpoint::AddMember);
        match self.calls {
            PoisonedCalls::Adding => is_adding,
            PoisonedCalls::Removing => !is_adding,
            PoisonedCalls::Both => true,
        }
    }
}

/// How a poisoned call fails, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoisonError {
    /// A plug-in of the company's refuses it, and does not say whom.
    PlugIn,
    /// The contact is said not to exist, although queries find it.
    Missing,
    /// The database gives up.
    Timeout,
}

/// The calls that a poisoned contact spoils.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoisonedCalls {
    /// Those that add it.
    #[default]
    Adding,
    /// Those that remove it.
    Removing,
    /// All.
    Both,
}

/// A service protection limit's 429 on request, whatever has been used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForcedThrottle {
    /// Which calls.
    pub matches: Endpoint,
    /// Whose error.
    pub limit: Limit,
    /// What `Retry-After` says, exactly so whatever the time scale. Nobody is held to it.
    pub retry_after_seconds: u64,
    /// How many calls.
    pub times: usize,
}

impl ForcedThrottle {
    pub(super) fn hits(&self, endpoint: Endpoint) -> bool {
        self.times > 0 && (self.matches == Endpoint::Any || self.matches == endpoint)
    }
}

/// How fast the server is and what it protects itself from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// How long calls take.
    pub execution: ExecutionTimes,
    /// The service protection limits, if any.
    pub protection: Option<ServiceProtection>,
}
