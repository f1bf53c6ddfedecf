//! What starts runs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// Its schedule.
    Schedule,
    /// Somebody asked for it.
    OnDemand,
    /// The profiles were refreshed, and the export runs with every refresh.
    Refresh,
    /// Somebody asked for what an earlier run could not deliver.
    Retry,
    /// A custom upload of one of its segments, or the end of one.
    Upload,
    /// Somebody asked to be forgotten who is on one of its lists.
    Erasure,
}

/// What started a run, and the key that makes a doubled trigger one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// What kind of trigger.
    pub kind: TriggerKind,
    /// The same for a doubled trigger: the due instant, or the caller's idempotency key.
    pub key: String,
    /// Who asked for it, where somebody did: what stands for them in the audit too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Trigger {
    /// A trigger that is nobody's in particular.
    #[must_use]
    pub const fn new(kind: TriggerKind, key: String) -> Self {
        Self { kind, key, by: None }
    }

    /// The same, of somebody.
    #[must_use]
    pub fn by(self, who: Option<String>) -> Self {
        Self { by: who, ..self }
    }
}
