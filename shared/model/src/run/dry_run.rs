//! Results of dry runs: what a delivery would do and cost, with masked sample rows.

use super::mask::{mask_text, mask_value};
use super::{ReasonCount, RunSegment};
use crate::Warnings;
use crate::pacing::Quota;
use crate::{Counts, ExportId, FieldValue, ListId, MatchKey, MemberKey, Reason, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The number of sample rows of each kind per target list.
pub const SAMPLES_A_KIND: usize = 5;

/// What a delivery at the time of the dry run would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DryRun {
    /// The export.
    pub export_id: ExportId,
    /// The dry run.
    pub run_id: RunId,
    /// When the result was computed.
    pub made_at: Timestamp,
    /// The number of input rows.
    pub rows_in: u64,
    /// The expected outcomes if the destination accepts every row; adds up to `rows_in`.
    pub counts: Counts,
    /// The segments, with the rows of their queries that cannot be members.
    pub segments: Vec<RunSegment>,
    /// The target lists.
    pub targets: Vec<DryRunTarget>,
    /// The number of batches that would be sent.
    pub batches: u64,
    /// The estimated number of calls for sending them.
    pub calls_estimated: u64,
    /// The estimated duration of these calls at the connection's pace, in seconds; absent if the
    /// destination publishes no limit.
    pub seconds_estimated: Option<u64>,
    /// The number of calls that the dry run itself has made.
    pub calls_spent: u64,
    /// The account's daily quota, if the destination reports it.
    pub quota: Option<Quota>,
    /// Why the run would be held for approval.
    pub would_be_held: Option<String>,
    /// Why the run would fail before it sends anything.
    pub over_cap: Option<String>,
    /// Sample rows, masked.
    pub samples: Vec<Sample>,
    /// Warnings to address, or at least know, before a delivery.
    pub warnings: Vec<String>,
    /// Other notices.
    pub notices: Vec<String>,
}

/// The expected result for one target list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DryRunTarget {
    /// The list's name in the export and in reports.
    pub target_list: ListId,
    /// The display name.
    pub label: String,
    /// The number of input rows.
    pub rows_in: u64,
    /// The number of members that would be added.
    pub added: u64,
    /// The number of members that would be updated.
    pub changed: u64,
    /// The number of members that would be removed.
    pub removed: u64,
    /// The number of members that are already up to date.
    pub unchanged: u64,
    /// The number of rows that would be skipped.
    pub skipped: u64,
    /// The number of rows whose data has to be corrected.
    pub rejected: u64,
    /// Why rows would be skipped or rejected, the most frequent reasons first.
    pub reasons: Vec<ReasonCount>,
    /// The values that would be adjusted to fit.
    pub warnings: Warnings,
}

/// The expected outcome of a sample row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SampleKind {
    /// The member would be added.
    Added,
    /// The member would be updated.
    Changed,
    /// The member would be removed.
    Removed,
    /// The row would be rejected.
    Rejected,
}

/// A masked row. There is no way to create an unmasked one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sample {
    /// The list.
    pub target_list: ListId,
    /// The expected outcome.
    pub kind: SampleKind,
    /// The member's key, masked.
    pub member: String,
    /// The match key, masked; empty if there is none.
    pub match_key: String,
    /// The fields that would be sent, masked; an empty text clears the field.
    pub fields: BTreeMap<String, String>,
    /// Why the row would be rejected.
    pub reason: Option<Reason>,
}

impl Sample {
    /// Creates the sample of a row.
    #[must_use]
    pub fn new(target_list: ListId, kind: SampleKind, member: &MemberKey, match_key: &MatchKey) -> Self {
        Self {
            target_list,
            kind,
            member: mask_text(&member.0),
            match_key: mask_text(&match_key.0),
            fields: BTreeMap::new(),
            reason: None,
        }
    }

    /// Adds the fields that would be sent. Field numbers in `values` are indexes into `field_keys`.
    #[must_use]
    pub fn with_fields(mut self, field_keys: &[String], values: &[(u16, FieldValue)]) -> Self {
        let fields = values.iter().filter_map(|(number, value)| {
            Some((field_keys.get(usize::from(*number))?.clone(), mask_value(value)))
        });
        self.fields = fields.collect();
        self
    }
}
