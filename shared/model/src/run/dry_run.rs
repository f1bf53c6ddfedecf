//! What a dry run finds: what a delivery would do and cost, with some of its rows, masked.

use super::mask::{mask_text, mask_value};
use super::{ReasonCount, RunSegment};
use crate::Warnings;
use crate::pacing::Quota;
use crate::{Counts, ExportId, FieldValue, ListId, MatchKey, MemberKey, Reason, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// So many rows of each kind are shown for each target list.
pub const SAMPLES_A_KIND: usize = 5;

/// What a delivery would do, had it been made at the moment of the dry run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DryRun {
    /// The export.
    pub export_id: ExportId,
    /// The dry run.
    pub run_id: RunId,
    /// When it was found.
    pub made_at: Timestamp,
    /// Rows that came in.
    pub rows_in: u64,
    /// What would become of them, if the destination took every row that is sent: adds up to `rows_in`.
    pub counts: Counts,
    /// The segments, with the rows of their queries that cannot be members.
    pub segments: Vec<RunSegment>,
    /// The target lists.
    pub targets: Vec<DryRunTarget>,
    /// Batches that would be sent.
    pub batches: u64,
    /// Calls that sending them would cost, as far as that can be known before.
    pub calls_estimated: u64,
    /// How long these calls would take at the connection's pace; absent where the destination publishes none.
    pub seconds_estimated: Option<u64>,
    /// Calls that the dry run itself has cost.
    pub calls_spent: u64,
    /// What is spent of the account's day, where the destination tells.
    pub quota: Option<Quota>,
    /// Why the run would wait for somebody's approval.
    pub would_be_held: Option<String>,
    /// Why the run would fail before it sends anything.
    pub over_cap: Option<String>,
    /// Some of the rows, masked.
    pub samples: Vec<Sample>,
    /// What should be mended or at least be known before a delivery.
    pub warnings: Vec<String>,
    /// What else people should know.
    pub notices: Vec<String>,
}

/// What would become of one target list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DryRunTarget {
    /// The list, as the export and reports call it.
    pub target_list: ListId,
    /// What people call it.
    pub label: String,
    /// Rows that came in for it.
    pub rows_in: u64,
    /// People who would be put on it.
    pub added: u64,
    /// People who would be brought up to date.
    pub changed: u64,
    /// People who would be taken off it.
    pub removed: u64,
    /// People with nothing to do.
    pub unchanged: u64,
    /// Rows left alone, nobody's mistake.
    pub skipped: u64,
    /// Rows that somebody has to mend.
    pub rejected: u64,
    /// Why rows would be skipped or rejected, the most frequent first.
    pub reasons: Vec<ReasonCount>,
    /// What would be bent to make values fit.
    pub warnings: Warnings,
}

/// What would become of a row that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SampleKind {
    /// The person would be put on the list.
    Added,
    /// The person would be brought up to date.
    Changed,
    /// The person would be taken off the list.
    Removed,
    /// The row would not be taken.
    Rejected,
}

/// A row as people may see it. It can only be made masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sample {
    /// The list.
    pub target_list: ListId,
    /// What would become of the row.
    pub kind: SampleKind,
    /// The member's key, masked.
    pub member: String,
    /// The match key, masked; empty where there is none.
    pub match_key: String,
    /// The fields that would be sent, masked; an empty text clears the field.
    pub fields: BTreeMap<String, String>,
    /// Why the row would not be taken.
    pub reason: Option<Reason>,
}

impl Sample {
    /// The sample of a row.
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

    /// With the fields that would be sent: `values` are by their place in `field_keys`.
    #[must_use]
    pub fn with_fields(mut self, field_keys: &[String], values: &[(u16, FieldValue)]) -> Self {
        let fields = values.iter().filter_map(|(number, value)| {
            Some((field_keys.get(usize::from(*number))?.clone(), mask_value(value)))
        });
        self.fields = fields.collect();
        self
    }
}
