//! What a connector says of accounts, target lists and batches.

use super::PushError;
use relay_delivery::batch::RowResult;
use relay_delivery::mapping::{Field, MatchKeyKind};
use relay_model::batch::{BatchEntry, BatchLimits, Kind};
use relay_model::pacing::{Pace, Quota};
use relay_model::{ListId, SegmentId};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// What a check says of an account that is usable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Account {
    /// What the destination calls it, for people.
    pub name: String,
    /// What people should know before they use it.
    pub notices: Vec<String>,
}

/// The target list that an export asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedList {
    /// The one with this id, as the export writes it.
    Existing(ListId),
    /// One of the segment's own: found again where it was made before, else found by name or made.
    OfSegment {
        /// The segment.
        segment: SegmentId,
        /// What people call the segment now.
        name: String,
        /// The destination's id of the list from an earlier run.
        known: Option<ListId>,
    },
}

impl WantedList {
    /// What people call it: the id, or the segment's name.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Existing(list) => &list.0,
            Self::OfSegment { name, .. } => name,
        }
    }

    /// The destination's id of the list that the segment had in an earlier run.
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
    /// The destination's own id of the list, in one spelling: what decides whose list it is.
    pub list_id: ListId,
    /// What the export's match key is made of there.
    pub match_key: MatchKeyKind,
    /// What is sent with every row alike: when it changes, every row is sent again.
    pub terms: String,
    /// The fields that rows can be mapped to.
    pub fields: Vec<Field>,
    /// What is spent of the account's day, where the destination tells.
    pub quota: Option<Quota>,
    /// What people should know: said in the run and in its report.
    pub notices: Vec<String>,
}

/// What a delta would cost, as far as that can be known without a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Calls.
    pub calls: u64,
    /// How long they take at the connection's pace, others leaving it alone; `None` where there is no pace.
    pub seconds: Option<u64>,
}

impl Estimate {
    /// So many calls at a pace.
    #[must_use]
    pub fn at(calls: u64, pace: Option<&Pace>) -> Self {
        Self { calls, seconds: pace.map(|pace| pace.seconds(calls)) }
    }
}

/// The rows of one delta that need a call, with their batches.
#[derive(Clone, Copy, Debug)]
pub struct Workload<'a> {
    /// Its batches, as they would be sent.
    pub batches: &'a [BatchEntry],
    /// What [`Connector::gather`](super::Connector::gather) was told.
    pub size: DeltaSize,
    /// Rows that add somebody.
    pub added_rows: u64,
}

impl Workload<'_> {
    /// Sums over the batches of a kind what `calls` says of the number of a batch's rows.
    #[must_use]
    pub fn sum(&self, kind: Kind, calls: impl Fn(u64) -> u64) -> u64 {
        let batches = self.batches.iter().filter(|batch| batch.kind == kind);
        batches.map(|batch| calls(u64::from(batch.rows))).sum()
    }
}

/// How much a delta adds and changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeltaSize {
    /// Rows that add or change.
    pub upsert_rows: u64,
    /// Bytes of the requests that they become, at the most.
    pub upsert_bytes: u64,
    /// Mapped fields.
    pub fields: u64,
    /// Lanes that the rows are spread over.
    pub lanes: u16,
}

/// How a delta's additions and changes go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathering {
    /// Several batches of one lane go as one, up to these limits; `None` leaves them as they are.
    pub limits: Option<BatchLimits>,
    /// Why, for the run and its report.
    pub notices: Vec<String>,
}

/// What became of a list that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retired {
    /// It is gone, by our doing or somebody else's.
    Gone,
    /// Something else uses it, so it was left alone.
    InUse,
    /// The destination's lists cannot be deleted through its API.
    NotOffered,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Pushed<J> {
    /// One result per row, in the rows' order.
    Done(Vec<RowResult>),
    /// The first rows have their results, then something went wrong: the rest is to be sent again.
    Partly(Vec<RowResult>, PushError),
    /// The destination has taken the batch and works on it.
    Accepted {
        /// What has to be remembered.
        job: J,
        /// When to look again.
        look_after: Duration,
    },
}

/// The job of a destination that always answers at once: there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoJob {}
