//! Results of the differ, and the sink that receives them.

use crate::snapshot::SnapshotError;
use crate::sorted::OutOfOrder;
use relay_model::{Counts, MatchKey, MemberKey, Operation, Outcome, Row};
use relay_model::{Standing, Warnings};
use serde::{Deserialize, Serialize};
use std::io;

/// The half of the delta that a settled row belongs to. Each half is in the order of the member keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Members of the snapshots.
    Members,
    /// Delivered persons that are no longer members.
    Removals,
}

/// A row that was settled without a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// The member.
    pub member_key: MemberKey,
    /// The person in the destination; empty where the profile has no usable match key.
    pub match_key: MatchKey,
    /// The operation that was skipped.
    pub operation: Operation,
    /// The outcome.
    pub outcome: Outcome,
    /// What the outcome implies for the person's membership.
    pub standing: Standing,
}

/// Receives the differ's results. Errors are those of the files that it writes.
pub trait Sink {
    /// Receives a row for the destination.
    fn send(&mut self, row: Row) -> io::Result<()>;

    /// Receives a row that is settled without a call. Unchanged rows are only counted.
    fn settle(&mut self, phase: Phase, settled: Settled) -> io::Result<()>;
}

/// The counts of a delta.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DifferFigures {
    /// Rows of the snapshots, repeated members included.
    pub members: u64,
    /// Deliverable members, unchanged ones included; the cap applies to these.
    pub deliverable: u64,
    /// Rows passed to [`Sink::send`].
    pub sent: u64,
    /// Removals among them.
    pub removals: u64,
    /// Members that Segment Relay had delivered before this run.
    pub delivered_before: u64,
    /// Rows settled without a call, by outcome.
    pub settled: Counts,
    /// The values that were adjusted to fit.
    pub warnings: Warnings,
}

/// Why a delta cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum DifferError {
    /// A snapshot or the delivered state cannot be read.
    #[error(transparent)]
    Input(#[from] SnapshotError),
    /// A stream is not sorted.
    #[error(transparent)]
    OutOfOrder(#[from] OutOfOrder),
    /// A temporary file or the sink failed.
    #[error("delta cannot be written: {0}")]
    Output(#[from] io::Error),
    /// The spool of removals cannot be read back.
    #[error("spool of removals is damaged: {0}")]
    Spool(#[from] serde_json::Error),
}
