//! The position and the size limits of batches.

use crate::{Lane, Operation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the rows of a batch ask for. Destinations take additions and changes through other calls than
/// removals.
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

/// The size limits of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// The maximum number of rows in a batch of additions and changes.
    pub upsert_rows: u32,
    /// The maximum number of bytes of the request for such a batch.
    pub upsert_bytes: u64,
    /// The maximum number of rows in a batch of removals.
    pub remove_rows: u32,
}

/// The position of a zstd frame in a delta object, so that one range read fetches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FramePlace {
    /// The offset in bytes.
    pub offset_bytes: u64,
    /// The length in bytes.
    pub length_bytes: u64,
}

/// One batch of a delta object, which one message carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchEntry {
    /// Its number within the delta, from 0.
    pub number: u32,
    /// The lane of all its rows.
    pub lane: Lane,
    /// What its rows ask for.
    pub kind: Kind,
    /// Its frames, in the order of the delta.
    pub frames: Vec<FramePlace>,
    /// How many rows it has.
    pub rows: u32,
    /// The maximum number of bytes of its request.
    pub request_bytes: u64,
}

/// Merges batches of additions and changes: neighbours of one lane become one batch, up to `limits`.
/// Nothing is rewritten, because a batch may have several frames.
#[must_use]
pub fn gather(batches: Vec<BatchEntry>, limits: BatchLimits) -> Vec<BatchEntry> {
    let mut gathered: Vec<BatchEntry> = Vec::new();
    let mut open: BTreeMap<Lane, usize> = BTreeMap::new();
    for batch in batches {
        let into = open.get(&batch.lane).and_then(|place| gathered.get_mut(*place)).filter(|before| {
            batch.kind == Kind::Upsert
                && before.rows.saturating_add(batch.rows) <= limits.upsert_rows
                && before.request_bytes.saturating_add(batch.request_bytes) <= limits.upsert_bytes
        });
        if let Some(before) = into {
            before.frames.extend(batch.frames);
            before.rows += batch.rows;
            before.request_bytes += batch.request_bytes;
        } else {
            if batch.kind == Kind::Upsert {
                open.insert(batch.lane, gathered.len());
            }
            gathered.push(batch);
        }
    }
    for (number, batch) in (0..).zip(&mut gathered) {
        batch.number = number;
    }
    gathered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(number: u32, lane: u16, kind: Kind, rows: u32) -> BatchEntry {
        let place = FramePlace { offset_bytes: u64::from(number) * 10, length_bytes: 10 };
        BatchEntry {
            number,
            lane: Lane(lane),
            kind,
            frames: vec![place],
            rows,
            request_bytes: u64::from(rows) * 2,
        }
    }

    #[track_caller]
    fn check(upsert_rows: u32, upsert_bytes: u64, expected: &[(u16, &[u64])]) {
        use Kind::{Remove, Upsert};
        let batches =
            [(0, Upsert), (1, Upsert), (0, Upsert), (0, Remove), (0, Upsert), (1, Upsert), (1, Remove)];
        let batches: Vec<BatchEntry> =
            (0..).zip(batches).map(|(number, (lane, kind))| batch(number, lane, kind, 5)).collect();
        let gathered = gather(batches, BatchLimits { upsert_rows, upsert_bytes, remove_rows: 1 });
        let found: Vec<(u16, Vec<u64>)> = gathered
            .iter()
            .map(|batch| (batch.lane.0, batch.frames.iter().map(|place| place.offset_bytes / 10).collect()))
            .collect();
        let expected: Vec<(u16, Vec<u64>)> =
            expected.iter().map(|(lane, frames)| (*lane, frames.to_vec())).collect();
        assert_eq!(found, expected);
        assert_eq!(gathered.iter().map(|batch| batch.rows).sum::<u32>(), 35);
        assert!((0..).zip(&gathered).all(|(number, batch)| batch.number == number));
    }

    #[test]
    fn neighbours_of_a_lane_become_one_batch() {
        check(100, 1_000, &[(0, &[0, 2, 4]), (1, &[1, 5]), (0, &[3]), (1, &[6])]);
        check(10, 1_000, &[(0, &[0, 2]), (1, &[1, 5]), (0, &[3]), (0, &[4]), (1, &[6])]);
        check(100, 20, &[(0, &[0, 2]), (1, &[1, 5]), (0, &[3]), (0, &[4]), (1, &[6])]);
        let alone: &[(u16, &[u64])] =
            &[(0, &[0]), (1, &[1]), (0, &[2]), (0, &[3]), (0, &[4]), (1, &[5]), (1, &[6])];
        check(1, 1, alone);
    }
}
