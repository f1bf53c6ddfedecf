//! What a run did, for people and for machines.

use super::{Failure, RunSegment, RunState, Trigger};
use crate::Warnings;
use crate::{Counts, ExportId, ListId, OutcomeKind, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The report of a run. Counts and reasons; the rows themselves are in the CSV beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// The run.
    pub run_id: RunId,
    /// The export.
    pub export_id: ExportId,
    /// How it ended.
    pub state: RunState,
    /// What started it.
    pub trigger: Trigger,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How long each step took.
    pub durations: StageDurations,
    /// Rows that came in.
    pub rows_in: u64,
    /// What became of them: adds up to `rows_in`.
    pub counts: Counts,
    /// Why rows were not applied, the most frequent first.
    pub reasons: Vec<ReasonCount>,
    /// The segments that went.
    pub segments: Vec<RunSegment>,
    /// The target lists.
    pub targets: Vec<ReportTarget>,
    /// Calls to the destination.
    pub calls: u64,
    /// Calls among them that it refused as one too many.
    pub throttled: u64,
    /// Batches sent.
    pub batches: u64,
    /// What people should know.
    pub notices: Vec<String>,
    /// Why it stopped.
    pub failure: Option<Failure>,
    /// Where the rows are that were not applied.
    pub rejected_key: Option<String>,
}

/// How long each step took; a step that was not reached is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StageDurations {
    /// From the request to the start of the first step.
    pub wait_ms: Option<i64>,
    /// Evaluating the segments.
    pub snapshot_ms: Option<i64>,
    /// Making the delta.
    pub chunk_ms: Option<i64>,
    /// Sending.
    pub push_ms: Option<i64>,
    /// Accounting.
    pub finish_ms: Option<i64>,
}

/// How many rows were not applied for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReasonCount {
    /// What they count as.
    pub kind: OutcomeKind,
    /// The stable word.
    pub code: String,
    /// What it means.
    pub text: String,
    /// How many.
    pub rows: u64,
}

/// What became of one target list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportTarget {
    /// The list.
    pub target_list: ListId,
    /// Rows that came in for it.
    pub rows_in: u64,
    /// What became of them.
    pub counts: Counts,
    /// People on it by our doing, after the run.
    pub delivered: u64,
    /// People on it by the destination's own count, where it was asked.
    pub members_counted: Option<u64>,
    /// What was bent to make values fit.
    pub warnings: Warnings,
}
