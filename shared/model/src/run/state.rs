//! States of runs, and failures.

use super::StopCode;
use super::{Cancellation, Trigger};
use crate::{ConnectionId, Counts, ExportId, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Another run of the export is in progress; this one starts when it ends.
    Waiting,
    /// The segments are being evaluated.
    Snapshotting,
    /// The delta is being computed and cut into batches.
    Chunking,
    /// The delta would remove more members than the guard allows; it waits for approval.
    Held,
    /// Batches are being sent to the destination.
    Pushing,
    /// Outcomes are being merged into the next delivered state.
    Finishing,
    /// Every row has its outcome.
    Succeeded,
    /// It failed; the failure says why.
    Failed,
    /// It was canceled; acknowledged rows count, the rest is deferred.
    Canceled,
}

impl RunState {
    /// Returns the state's name in the ledger, the API and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Snapshotting => "snapshotting",
            Self::Chunking => "chunking",
            Self::Held => "held",
            Self::Pushing => "pushing",
            Self::Finishing => "finishing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Returns the state with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Waiting,
            Self::Snapshotting,
            Self::Chunking,
            Self::Held,
            Self::Pushing,
            Self::Finishing,
            Self::Succeeded,
            Self::Failed,
            Self::Canceled,
        ];
        all.into_iter().find(|state| state.name() == name)
    }

    /// Returns whether the run has ended.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }
}

/// The purpose of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// Synchronises the destination.
    #[default]
    Delivery,
    /// Reports what a delivery would do, and writes nothing at the destination.
    DryRun,
    /// Sends only the rows that an earlier run of the export deferred or rejected.
    Retry {
        /// The earlier run.
        of: RunId,
    },
}

impl RunMode {
    /// Returns the mode that serves two merged requests: a delivery includes the rows of every retry.
    #[must_use]
    pub fn merged_with(self, other: Self) -> Self {
        if self == other { self } else { Self::Delivery }
    }

    /// Returns the message group of a run's steps. Deliveries of an export are serialised, and dry runs
    /// block no other run.
    #[must_use]
    pub fn group(self, export_id: &ExportId, run_id: RunId) -> String {
        match self {
            Self::Delivery | Self::Retry { .. } => export_id.to_string(),
            Self::DryRun => format!("dry-run/{run_id}"),
        }
    }
}

/// The steps of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Evaluating the segments.
    Snapshot,
    /// Computing the delta and the batches.
    Chunk,
    /// Sending.
    Push,
    /// Merging outcomes and writing the report.
    Finish,
}

/// Why a run failed. It names definitions, limits and counts, never a profile's values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The step that failed.
    pub stage: Stage,
    /// The stable code.
    #[schema(value_type = String)]
    pub code: StopCode,
    /// What is wrong, and how to fix it.
    pub text: String,
}

/// Why a run is paused, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// When it continues automatically.
    pub until: Timestamp,
    /// The reason.
    pub text: String,
}

impl Run {
    /// Returns whether the run is paused at `now`.
    #[must_use]
    pub fn is_paused(&self, now: Timestamp) -> bool {
        self.pause.as_ref().is_some_and(|pause| pause.until > now)
    }

    /// Returns the message group of its steps.
    #[must_use]
    pub fn group(&self) -> String {
        self.mode.group(&self.export_id, self.run_id)
    }

    /// Returns when a complete delivery ended; `None` for dry runs, which deliver nothing, and retries,
    /// which deliver only a part.
    #[must_use]
    pub fn delivered_at(&self) -> Option<Timestamp> {
        let has_delivered = self.state == RunState::Succeeded && self.mode == RunMode::Delivery;
        self.ended_at.filter(|_| has_delivered)
    }

    /// Returns when its current step began.
    #[must_use]
    pub fn step_started_at(&self) -> Timestamp {
        let steps =
            [self.finish_started_at, self.push_started_at, self.chunk_started_at, self.snapshot_started_at];
        steps.into_iter().flatten().max().unwrap_or(self.requested_at)
    }
}

/// A run, as stored in the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Its id.
    pub run_id: RunId,
    /// The export.
    pub export_id: ExportId,
    /// The export's connection when the run was requested.
    pub connection_id: ConnectionId,
    /// The purpose.
    pub mode: RunMode,
    /// The state.
    pub state: RunState,
    /// What started it.
    pub trigger: Trigger,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When the snapshot step began.
    pub snapshot_started_at: Option<Timestamp>,
    /// When the chunk step began.
    pub chunk_started_at: Option<Timestamp>,
    /// When the push step began.
    pub push_started_at: Option<Timestamp>,
    /// When the finish step began.
    pub finish_started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The number of input rows, once known.
    pub rows_in: Option<u64>,
    /// The outcomes so far; for a dry run, the expected outcomes.
    pub counts: Counts,
    /// The number of rows that were settled without a call before the first batch.
    pub rows_settled: u64,
    /// The number of batches.
    pub batches: u64,
    /// The number of batches without results so far.
    pub batches_open: u64,
    /// The number of calls to the destination so far.
    pub calls: u64,
    /// The number of throttled calls so far.
    pub throttled: u64,
    /// The latest pause.
    pub pause: Option<Pause>,
    /// The destination's own member count of each target list, by the list's index in the plan.
    // Keys of JSON objects are texts, so the integer keys need a conversion.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub members: BTreeMap<usize, u64>,
    /// Whether a user approved the removals that the guard held.
    pub is_approved: bool,
    /// Notices.
    pub notices: Vec<String>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// The cancellation, if it was canceled.
    pub canceled: Option<Cancellation>,
    /// The key of its report, once it is written.
    pub report_key: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_serves_two_requests() {
        let retry = |of| RunMode::Retry { of: RunId(uuid::Uuid::from_u128(of)) };
        let check = |one: RunMode, other: RunMode, expected: RunMode| {
            assert_eq!(one.merged_with(other), expected);
            assert_eq!(other.merged_with(one), expected);
        };
        check(RunMode::Delivery, RunMode::Delivery, RunMode::Delivery);
        check(RunMode::Delivery, retry(1), RunMode::Delivery);
        check(retry(1), retry(1), retry(1));
        // A retry does not include the rows of another one.
        check(retry(1), retry(2), RunMode::Delivery);
    }

    #[test]
    fn a_state_is_found_by_its_name() {
        for state in [RunState::Waiting, RunState::Held, RunState::Pushing, RunState::Canceled] {
            assert_eq!(RunState::from_name(state.name()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
        assert_eq!(RunState::from_name("gone"), None);
    }
}
