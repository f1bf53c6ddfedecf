//! Messages of the queues: pointers, never personal data.

use crate::batch::BatchEntry;
use crate::{ConnectionId, ExportId, RunId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a message cannot be parsed. Such a message is moved to the dead-letter queue.
#[derive(Debug, thiserror::Error)]
#[error("message has an unexpected form ({category:?} at column {column})")]
pub struct MessageError {
    category: serde_json::error::Category,
    column: usize,
}

/// Requests the next step of a run. The queue determines which step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageMessage {
    /// The version of the message format.
    pub version: u8,
    /// The run.
    pub run_id: RunId,
}

impl StageMessage {
    /// Creates the request for the next step of `run_id`.
    #[must_use]
    pub const fn new(run_id: RunId) -> Self {
        Self { version: 1, run_id }
    }
}

/// Points at one batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchPointer {
    /// The version of the message format.
    pub version: u8,
    /// The run.
    pub run_id: RunId,
    /// The export.
    pub export_id: ExportId,
    /// The connection.
    pub connection_id: ConnectionId,
    /// The target list's index in the run's plan.
    pub target: usize,
    /// The batch and its frames.
    pub batch: BatchEntry,
    /// The connector's prepared state, in its own type, without personal data.
    pub prepared: Value,
}

/// Parses a message.
pub fn parse<T: DeserializeOwned>(body: &str) -> Result<T, MessageError> {
    serde_json::from_str(body)
        .map_err(|error| MessageError { category: error.classify(), column: error.column() })
}

impl StageMessage {
    /// Parses a message.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        parse(body)
    }
}

impl BatchPointer {
    /// Parses a message.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        parse(body)
    }
}

/// Returns the deduplication id of a step: equal for a duplicated message, different for one that is sent
/// again later.
#[must_use]
pub fn deduplication_id(run_id: RunId, step: &str, try_number: u64) -> String {
    format!("{run_id}/{step}/{try_number}")
}
