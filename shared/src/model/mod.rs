//! The words of the project as types: identifiers, values, rows, outcomes and destinations. No I/O.

mod data_usage;
mod destination;
mod ids;
mod outcome;
mod row;
mod scalar;

pub use data_usage::{DataLabel, DataUsageWordError, MarketingAction};
pub use destination::Destination;
pub use ids::{
    ConnectionId, ExportId, IdError, Lane, ListId, MatchKey, MemberKey, PolicyId, RowHash, RunId, SegmentId,
    SourceId,
};
pub use outcome::{Counts, Outcome, OutcomeKind, Reason};
pub use row::{FieldValue, Operation, Row};
pub use scalar::Scalar;
