//! Accounts, target lists and batches, as connectors return them.

use super::PushError;
use relay_delivery::batch::RowResult;
use relay_delivery::mapping::{Field, MatchKeyKind};
use relay_model::batch::{BatchEntry, BatchLimits, Kind};
use relay_model::pacing::{Pace, Quota};
use relay_model::{ListId, SegmentId};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// A usable account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Account {
    /// The name of the account at the destination, for people.
    pub name: String,
    /// Notices for people who use the account.
    pub notices: Vec<String>,
}

/// The target list that an export requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedList {
    /// The list with this id, as the export writes it.
    Existing(ListId),
    /// The segment's own list: the one of an earlier run, one found by its name, or a new one.
    OfSegment {
        /// The segment.
        segment: SegmentId,
        /// The segment's current name.
        name: String,
        /// The destination's id of the list from an earlier run.
        known: Option<ListId>,
    },
}

impl WantedList {
    /// Returns its label for people: the id, or the segment's name.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Existing(list) => &list.0,
            Self::OfSegment { name, .. } => name,
        }
    }

    /// Returns the destination's id of the segment's list from an earlier run.
    #[must_use]
    pub const fn known(&self) -> Option<&ListId> {
        match self {
            Self::Existing(_) => None,
            Self::OfSegment { known, .. } => known.as_ref(),
        }
    }
}

/// A target list, verified before the first push.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared<T> {
    /// What each push needs.
    pub target: T,
    /// The destination's own id of the list, normalized. Delivered state belongs to it.
    pub list_id: ListId,
    /// The kind of the export's match key.
    pub match_key: MatchKeyKind,
    /// Values that are sent with every row. If they change, every row is sent again.
    pub terms: String,
    /// The fields that rows can be mapped to.
    pub fields: Vec<Field>,
    /// How much of the account's daily quota is spent, if the destination reports it.
    pub quota: Option<Quota>,
    /// Notices for the run and its report.
    pub notices: Vec<String>,
}

/// The cost of a delta, as far as it is known without a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Calls.
    pub calls: u64,
    /// Seconds that the calls take at the connection's pace without other work; `None` if there is no pace.
    pub seconds: Option<u64>,
}

impl Estimate {
    /// Returns the cost of a number of calls at a pace.
    #[must_use]
    pub fn at(calls: u64, pace: Option<&Pace>) -> Self {
        Self { calls, seconds: pace.map(|pace| pace.seconds(calls)) }
    }
}

/// The rows of one delta that need a call, with their batches.
#[derive(Clone, Copy, Debug)]
pub struct Workload<'a> {
    /// The batches, as they would be sent.
    pub batches: &'a [BatchEntry],
    /// The size that [`Connector::gather`](super::Connector::gather) received.
    pub size: DeltaSize,
    /// Rows that add a person.
    pub added_rows: u64,
}

impl Workload<'_> {
    /// Sums `calls` over the batches of a kind; its argument is a batch's number of rows.
    #[must_use]
    pub fn sum(&self, kind: Kind, calls: impl Fn(u64) -> u64) -> u64 {
        let batches = self.batches.iter().filter(|batch| batch.kind == kind);
        batches.map(|batch| calls(u64::from(batch.rows))).sum()
    }
}

/// The size of a delta's additions and changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeltaSize {
    /// Rows that add or change.
    pub upsert_rows: u64,
    /// Bytes of their requests, at most.
    pub upsert_bytes: u64,
    /// Mapped fields.
    pub fields: u64,
    /// Lanes that the rows are spread over.
    pub lanes: u16,
}

/// How a delta's additions and changes are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathering {
    /// Batches of one lane are merged up to these limits; `None` leaves them as they are.
    pub limits: Option<BatchLimits>,
    /// The reason, for the run and its report.
    pub notices: Vec<String>,
}

/// The result of deleting a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retired {
    /// The list is deleted, now or earlier.
    Gone,
    /// Something else uses the list, so it was left alone.
    InUse,
    /// The destination's API cannot delete lists.
    NotOffered,
}

/// The result of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Pushed<J> {
    /// One result per row, in the rows' order.
    Done(Vec<RowResult>),
    /// The results of the first rows, and the error that stopped the rest. The remaining rows are sent again.
    Partly(Vec<RowResult>, PushError),
    /// The destination has accepted the batch and processes it.
    Accepted {
        /// What is stored until the next poll.
        job: J,
        /// When to poll again.
        look_after: Duration,
    },
}

/// The job of a destination that always responds at once: there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoJob {}
