//! What a differ finds, and who takes it.

use crate::snapshot::SnapshotError;
use crate::sorted::OutOfOrder;
use relay_model::{Counts, MatchKey, MemberKey, Operation, Outcome, Row};
use relay_model::{Standing, Warnings};
use serde::{Deserialize, Serialize};
use std::io;

/// Which half of the work a settled row belongs to. Each half comes in the order of the member keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Members of the snapshots.
    Members,
    /// People who were delivered and are no longer members.
    Removals,
}

/// A row that ended without a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// The member.
    pub member_key: MemberKey,
    /// The person in the destination; empty where the profile has no usable match key.
    pub match_key: MatchKey,
    /// What would have been asked for.
    pub operation: Operation,
    /// What became of it.
    pub outcome: Outcome,
    /// What it says of the person's place on the list.
    pub standing: Standing,
}

/// Takes what the differ finds. Errors are those of the files that it writes.
pub trait Sink {
    /// A row for the destination.
    fn send(&mut self, row: Row) -> io::Result<()>;

    /// A row that is settled without a call. Unchanged rows are only counted, not given.
    fn settle(&mut self, phase: Phase, settled: Settled) -> io::Result<()>;
}

/// What a differ found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DifferFigures {
    /// Rows of the snapshots, repeated members included.
    pub members: u64,
    /// Members that could go, unchanged ones included: what the cap is about.
    pub deliverable: u64,
    /// Rows given to [`Sink::send`].
    pub sent: u64,
    /// Removals among them.
    pub removals: u64,
    /// People on the list by our doing, before this run.
    pub delivered_before: u64,
    /// Rows settled without a call, by outcome.
    pub settled: Counts,
    /// What was bent to make values fit.
    pub warnings: Warnings,
}

/// Why a delta could not be made.
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
