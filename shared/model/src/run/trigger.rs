//! Triggers of runs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The kind of a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// The export's schedule.
    Schedule,
    /// A user requested the run.
    OnDemand,
    /// The profiles were refreshed, and the export runs with every refresh.
    Refresh,
    /// A user requested the rows that an earlier run could not deliver.
    Retry,
    /// A custom upload of one of its segments, or the expiry of one.
    Upload,
    /// The erasure of a person on one of its lists.
    Erasure,
}

/// The trigger of a run, with a key that deduplicates repeated triggers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// The kind.
    pub kind: TriggerKind,
    /// The deduplication key: the due instant, or the caller's idempotency key.
    pub key: String,
    /// The caller, if any, with the same identifier as in the audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Trigger {
    /// Creates a trigger without a caller.
    #[must_use]
    pub const fn new(kind: TriggerKind, key: String) -> Self {
        Self { kind, key, by: None }
    }

    /// Sets the caller.
    #[must_use]
    pub fn by(self, who: Option<String>) -> Self {
        Self { by: who, ..self }
    }
}
