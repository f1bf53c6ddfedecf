//! A destination's limits as data.

use relay_model::batch::BatchLimits;
use std::time::Duration;

/// The limits that a destination documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest batch.
    pub batch: BatchLimits,
    /// How many calls of a connection may be in flight: one per lane.
    pub lanes: u16,
    /// What the lanes belong to.
    pub lane_scope: LaneScope,
    /// How many profiles may be exported.
    pub cap_rows: u64,
    /// What the cap applies to.
    pub cap_scope: CapScope,
    /// How long a call may take.
    pub call_timeout: Duration,
}

/// What lanes belong to: which writes must not be in flight together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneScope {
    /// The connection: two writes to one person, on any lists.
    Connection,
    /// Each target list: two writes to one list.
    List,
}

/// What a cap applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapScope {
    /// All segments of one export together.
    Export,
    /// Each segment by itself.
    Segment,
}
