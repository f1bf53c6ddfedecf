//! What a run is doing, and why it could not.

use super::StopCode;
use super::{Cancellation, Trigger};
use crate::{ConnectionId, Counts, ExportId, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Another run of the export is under way; this one starts when it ends.
    Waiting,
    /// The segments are evaluated.
    Snapshotting,
    /// The delta is made and cut into batches.
    Chunking,
    /// The delta would remove more than the guard allows; somebody has to approve it.
    Held,
    /// Batches go to the destination.
    Pushing,
    /// Outcomes become the next delivered state.
    Finishing,
    /// Every row has its outcome.
    Succeeded,
    /// It stopped; the failure says why.
    Failed,
    /// Somebody stopped it; what was acknowledged until then counts, the rest is deferred.
    Canceled,
}

impl RunState {
    /// The state's name in the ledger, the API and logs.
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

    /// The state of this name.
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

    /// Whether the run is over.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }
}

/// What a run is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// Brings the destination up to date.
    #[default]
    Delivery,
    /// Says what a delivery would do, and writes nothing at the destination.
    DryRun,
    /// Brings only the rows that an earlier run of the export deferred or rejected.
    Retry {
        /// The earlier run.
        of: RunId,
    },
}

impl RunMode {
    /// What one run has to deliver so that it serves two requests: a delivery brings the rows of every retry too.
    #[must_use]
    pub fn merged_with(self, other: Self) -> Self {
        if self == other { self } else { Self::Delivery }
    }

    /// The message group of a run's steps: deliveries of an export come one after the other, and nobody waits for a
    /// dry run.
    #[must_use]
    pub fn group(self, export_id: &ExportId, run_id: RunId) -> String {
        match self {
            Self::Delivery | Self::Retry { .. } => export_id.to_string(),
            Self::DryRun => format!("dry-run/{run_id}"),
        }
    }
}

/// The steps of a run that take time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Evaluating the segments.
    Snapshot,
    /// Making the delta and the batches.
    Chunk,
    /// Sending.
    Push,
    /// Accounting.
    Finish,
}

/// Why a run stopped. Names definitions, limits and counts, never a profile's values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The step that it stopped in.
    pub stage: Stage,
    /// The stable code.
    #[schema(value_type = String)]
    pub code: StopCode,
    /// What is wrong, and how to correct it.
    pub text: String,
}

/// Why a run waits by itself, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// It goes on by itself then.
    pub until: Timestamp,
    /// Why.
    pub text: String,
}

impl Run {
    /// Whether it waits by itself at `now`.
    #[must_use]
    pub fn is_paused(&self, now: Timestamp) -> bool {
        self.pause.as_ref().is_some_and(|pause| pause.until > now)
    }

    /// The message group of its steps.
    #[must_use]
    pub fn group(&self) -> String {
        self.mode.group(&self.export_id, self.run_id)
    }

    /// When it ended, where it brought everything that there was to bring: a dry run brings nothing, and a retry only
    /// what was left of another run.
    #[must_use]
    pub fn delivered_at(&self) -> Option<Timestamp> {
        let has_delivered = self.state == RunState::Succeeded && self.mode == RunMode::Delivery;
        self.ended_at.filter(|_| has_delivered)
    }

    /// When the step that it is in began.
    #[must_use]
    pub fn step_started_at(&self) -> Timestamp {
        let steps =
            [self.finish_started_at, self.push_started_at, self.chunk_started_at, self.snapshot_started_at];
        steps.into_iter().flatten().max().unwrap_or(self.requested_at)
    }
}

/// A run, as the ledger has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Its id.
    pub run_id: RunId,
    /// Of which export.
    pub export_id: ExportId,
    /// To which account the export went when the run was asked for.
    pub connection_id: ConnectionId,
    /// What it is to deliver.
    pub mode: RunMode,
    /// Where it is.
    pub state: RunState,
    /// What started it.
    pub trigger: Trigger,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When anything last happened.
    pub updated_at: Timestamp,
    /// When each step began, so far.
    pub snapshot_started_at: Option<Timestamp>,
    /// When chunking began.
    pub chunk_started_at: Option<Timestamp>,
    /// When the first batch could go.
    pub push_started_at: Option<Timestamp>,
    /// When accounting began.
    pub finish_started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Rows that came in, once they are known.
    pub rows_in: Option<u64>,
    /// Rows that have an outcome, so far; of a dry run, the outcomes that they would have.
    pub counts: Counts,
    /// Rows among them that were settled before the first batch, without a call.
    pub rows_settled: u64,
    /// Batches in all.
    pub batches: u64,
    /// Batches without results, so far.
    pub batches_open: u64,
    /// Calls to the destination, so far.
    pub calls: u64,
    /// Calls among them that the destination refused as one too many.
    pub throttled: u64,
    /// The latest time that it waits or waited by itself.
    pub pause: Option<Pause>,
    /// How many people the destination itself counts on each target list, by the list's place in the plan.
    // A key of a JSON object is a text, whatever it counts.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub members: BTreeMap<usize, u64>,
    /// Somebody approved what the guard held.
    pub is_approved: bool,
    /// What people should know.
    pub notices: Vec<String>,
    /// Why it stopped.
    pub failure: Option<Failure>,
    /// Who stopped it, where somebody did.
    pub canceled: Option<Cancellation>,
    /// Where its report is, once it is written.
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
        // One retry would not bring the other's rows.
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
