//! The report of a run.

use super::{Failure, RunSegment, RunState, Trigger};
use crate::Warnings;
use crate::{Counts, ExportId, ListId, OutcomeKind, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The report of a run: counts and reasons. The rows are in a CSV next to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// The run.
    pub run_id: RunId,
    /// The export.
    pub export_id: ExportId,
    /// The final state.
    pub state: RunState,
    /// What started it.
    pub trigger: Trigger,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The duration of each step.
    pub durations: StageDurations,
    /// The number of input rows.
    pub rows_in: u64,
    /// The outcomes; they add up to `rows_in`.
    pub counts: Counts,
    /// Why rows were not applied, the most frequent first.
    pub reasons: Vec<ReasonCount>,
    /// The segments.
    pub segments: Vec<RunSegment>,
    /// The target lists.
    pub targets: Vec<ReportTarget>,
    /// The number of calls to the destination.
    pub calls: u64,
    /// The number of calls that were throttled.
    pub throttled: u64,
    /// The number of batches sent.
    pub batches: u64,
    /// Notices.
    pub notices: Vec<String>,
    /// Why it stopped.
    pub failure: Option<Failure>,
    /// The object with the rows that were not applied.
    pub rejected_key: Option<String>,
}

/// The duration of each step; absent if it was not reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StageDurations {
    /// From the request to the start of the first step.
    pub wait_ms: Option<i64>,
    /// Evaluating the segments.
    pub snapshot_ms: Option<i64>,
    /// Computing the delta.
    pub chunk_ms: Option<i64>,
    /// Sending.
    pub push_ms: Option<i64>,
    /// Merging outcomes and writing the report.
    pub finish_ms: Option<i64>,
}

/// The number of rows that were not applied for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReasonCount {
    /// The outcome.
    pub kind: OutcomeKind,
    /// The stable code.
    pub code: String,
    /// The description.
    pub text: String,
    /// The number of rows.
    pub rows: u64,
}

/// The result for one target list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportTarget {
    /// The list.
    pub target_list: ListId,
    /// The number of input rows.
    pub rows_in: u64,
    /// The outcomes.
    pub counts: Counts,
    /// The number of members on the list that Segment Relay delivered, after the run.
    pub delivered: u64,
    /// The number of members on the list by the destination's count, if it was queried.
    pub members_counted: Option<u64>,
    /// The values that were adjusted to fit.
    pub warnings: Warnings,
}
