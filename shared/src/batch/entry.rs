//! Where a batch is, and how large one may be.

use crate::model::{Lane, Operation};
use serde::{Deserialize, Serialize};

/// What the rows of a batch have in common: destinations take additions and changes by other calls than removals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Additions and changes.
    Upsert,
    /// Removals.
    Remove,
}

impl From<Operation> for Kind {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Add | Operation::Change => Self::Upsert,
            Operation::Remove => Self::Remove,
        }
    }
}

/// How large a batch may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Rows of a batch of additions and changes.
    pub upsert_rows: u32,
    /// Bytes of the request that such a batch becomes.
    pub upsert_bytes: u64,
    /// Rows of a batch of removals.
    pub remove_rows: u32,
}

/// One batch of a delta object: a zstd frame of its own, so that one range read fetches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchEntry {
    /// Its number within the delta, from 0.
    pub number: u32,
    /// The lane that all its rows are in.
    pub lane: Lane,
    /// What its rows ask for.
    pub kind: Kind,
    /// Where its frame begins in the delta object.
    pub offset_bytes: u64,
    /// How long its frame is.
    pub length_bytes: u64,
    /// How many rows it has.
    pub rows: u32,
}
