//! What the sandbox has seen: calls, rows and whatever a careful client would not have done.

use super::endpoint::Endpoint;
use super::ids::ListId;
use super::subscriber::SubscriberState;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything counted since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Calls of each kind, refused ones too.
    pub calls: BTreeMap<Endpoint, CallReport>,
    /// The largest request body, in bytes.
    pub largest_body_bytes: usize,
    /// The largest number of calls that were being handled at one time.
    pub most_in_flight: usize,
    /// Calls that were refused by the throttle.
    pub throttled: usize,
    /// Calls that a requested fault hit.
    pub faults: usize,
    /// What imports brought.
    pub import: ImportReport,
    /// What custom field values brought.
    pub values: ValueReport,
    /// People removed by DELETE who were active: the documented use.
    pub deletes: usize,
    /// DELETEs of somebody who was not active (unsubscribed, bounced, unconfirmed): that state is lost now.
    pub foreign_deletes: usize,
    /// DELETEs of somebody whom no call of the API had put on the list.
    pub deletes_of_seeded: usize,
}

/// The calls of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallReport {
    /// All calls.
    pub calls: usize,
    /// By HTTP status; calls whose connection was cut are under 0.
    pub by_status: BTreeMap<u16, usize>,
    /// By the `Code` of the error answered.
    pub by_code: BTreeMap<u16, usize>,
}

/// What imports did. Only calls that were not refused as a whole count here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Imports that were carried out.
    pub calls: usize,
    /// The largest number of rows in one of them.
    pub most_rows: usize,
    /// Rows sent.
    pub rows: usize,
    /// Rows that made a new subscriber.
    pub new: usize,
    /// Rows that found an existing subscriber and were applied.
    pub existing: usize,
    /// Rows that failed, by code.
    pub failures: BTreeMap<u16, usize>,
    /// Rows beyond the first with the same address in their call.
    pub duplicates: usize,
    /// New people sent with `ConsentToTrack: Unchanged`, for whom consent was assumed.
    pub consents_assumed: usize,
    /// People who were sent a verification mail because the list wants confirmation.
    pub verification_mails: usize,
    /// Imports with `Resubscribe: true`.
    pub resubscribing_calls: usize,
    /// Each row of those imports.
    pub resubscribe_rows: Vec<ResubscribeRow>,
}

/// A row of an import with `Resubscribe: true`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResubscribeRow {
    /// The list.
    pub list_id: ListId,
    /// The address as sent.
    pub email: String,
    /// The state before; none for somebody who was not on the list.
    pub state_before: Option<SubscriberState>,
    /// Whether the address was on the client's suppression list before.
    pub suppressed_before: bool,
}

/// What became of custom field values that were not simply stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueReport {
    /// Longer than 250 characters: cut or dropped.
    pub too_long: usize,
    /// For a field that the list does not have: silently dropped.
    pub unknown_field: usize,
    /// Not of the field's type, or a date out of range: silently ignored.
    pub ignored: usize,
    /// Empty without `Clear`.
    pub empty: usize,
    /// Removed by `Clear` or the date of zeros.
    pub cleared: usize,
}
