//! What travels through the queues: pointers, never personal data.

use crate::batch::BatchEntry;
use crate::{ConnectionId, ExportId, RunId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a message cannot be read. Such a message goes to the dead-letter queue.
#[derive(Debug, thiserror::Error)]
#[error("message is not one of ours ({category:?} at column {column})")]
pub struct MessageError {
    category: serde_json::error::Category,
    column: usize,
}

/// Asks for the next step of a run. The queue says which step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageMessage {
    /// The form of the message.
    pub version: u8,
    /// The run.
    pub run_id: RunId,
}

impl StageMessage {
    /// Asks for the next step of `run_id`.
    #[must_use]
    pub const fn new(run_id: RunId) -> Self {
        Self { version: 1, run_id }
    }
}

/// Points at one batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchPointer {
    /// The form of the message.
    pub version: u8,
    /// The run.
    pub run_id: RunId,
    /// The export.
    pub export_id: ExportId,
    /// The account that it goes to.
    pub connection_id: ConnectionId,
    /// The target list's place in the run's plan.
    pub target: usize,
    /// Where the frame is.
    pub batch: BatchEntry,
    /// What the connector prepared: its own type, without personal data.
    pub prepared: Value,
}

/// Reads a message.
pub fn parse<T: DeserializeOwned>(body: &str) -> Result<T, MessageError> {
    serde_json::from_str(body)
        .map_err(|error| MessageError { category: error.classify(), column: error.column() })
}

impl StageMessage {
    /// Reads a message.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        parse(body)
    }
}

impl BatchPointer {
    /// Reads a message.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        parse(body)
    }
}

/// The deduplication id of a step of a run: the same for a doubled message, other for one that is sent again later.
#[must_use]
pub fn deduplication_id(run_id: RunId, step: &str, try_number: u64) -> String {
    format!("{run_id}/{step}/{try_number}")
}
