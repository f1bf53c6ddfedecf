//! The domain types of Segment Relay: identifiers, values, rows, outcomes, definitions, rules, policies and
//! runs.
//!
//! The crate does no I/O. The clock and new identifiers are passed in. Each connector defines the wire
//! types of its destination.

pub mod batch;
pub mod catalog;
mod credentials;
mod data_usage;
mod destination;
pub mod engine;
pub mod governance;
mod ids;
mod outcome;
pub mod pacing;
pub mod privacy;
pub mod query;
mod row;
pub mod run;
mod scalar;
mod standing;
pub mod uploads;
mod warnings;

pub use credentials::{CredentialError, CredentialStore};
pub use data_usage::{DataLabel, DataUsageWordError, MarketingAction};
pub use destination::Destination;
pub use ids::{
    ConnectionId, ExportId, IdError, Lane, ListId, MatchKey, MemberKey, PolicyId, RowHash, RunId, SegmentId,
    SourceId,
};
pub use outcome::{Counts, Outcome, OutcomeKind, Reason};
pub use row::{FieldValue, Operation, Row};
pub use scalar::Scalar;
pub use standing::Standing;
pub use warnings::Warnings;
