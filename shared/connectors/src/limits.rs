//! A destination's limits as data.

use relay_model::batch::BatchLimits;
use std::time::Duration;

/// What a destination's documents allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How large a batch may be.
    pub batch: BatchLimits,
    /// How many calls of a connection may be in flight: one per lane.
    pub lanes: u16,
    /// What the lanes are of.
    pub lane_scope: LaneScope,
    /// How many profiles may be exported.
    pub cap_rows: u64,
    /// What the cap is over.
    pub cap_scope: CapScope,
    /// How long a call may take.
    pub call_timeout: Duration,
}

/// What lanes are of: what may never be in flight together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneScope {
    /// The connection: two writes for one person, whatever the lists.
    Connection,
    /// Each target list by itself: two writes to one list.
    List,
}

/// What a cap is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapScope {
    /// All segments of one export together.
    Export,
    /// Each segment by itself.
    Segment,
}
