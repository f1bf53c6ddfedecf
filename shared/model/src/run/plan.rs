//! The plan of a run: written once before the first batch is sent, and never changed.

use crate::Warnings;
use crate::batch::BatchEntry;
use crate::uploads::UploadId;
use crate::{ConnectionId, Counts, Destination, ExportId, Lane, ListId, RunId, SegmentId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The plan of a run, with everything that later steps need, so that a changed definition does not affect a
/// run in progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The run.
    pub run_id: RunId,
    /// The export.
    pub export_id: ExportId,
    /// The connection.
    pub connection_id: ConnectionId,
    /// The kind of destination.
    pub destination: Destination,
    /// The number of lanes of the connection.
    pub lanes: u16,
    /// The segments, in the export's order.
    pub segments: Vec<RunSegment>,
    /// The deltas, one for each target list.
    pub deltas: Vec<Delta>,
    /// Notices.
    pub notices: Vec<String>,
    /// The number of calls made while preparing.
    pub calls: u64,
}

/// A segment of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSegment {
    /// The segment.
    pub segment: SegmentId,
    /// The target list.
    pub target_list: ListId,
    /// The number of members in its snapshot.
    pub members: u64,
    /// The number of rows without a member key.
    pub rows_without_key: u64,
    /// The number of rows that repeat a member key.
    pub duplicate_member_rows: u64,
    /// The custom upload that the members are from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub upload: Option<UploadId>,
    /// The number of members of that upload, if it has expired: they are removed, and the guard does not
    /// count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_members: Option<u64>,
}

/// The custom uploads behind a target list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListUploads {
    /// The uploads whose members are on the list after the run.
    pub live: Vec<UploadId>,
    /// The expired uploads whose members the run removes.
    pub ending: Vec<UploadId>,
}

impl ListUploads {
    /// Returns the uploads of a list's segments. `had` are the uploads whose members were on it before;
    /// only these can end.
    pub fn of<'a>(segments: impl Iterator<Item = &'a RunSegment>, had: &[UploadId]) -> Self {
        let mut uploads = Self::default();
        for segment in segments {
            match (&segment.upload, segment.expired_members) {
                (Some(upload), None) => uploads.live.push(upload.clone()),
                (Some(upload), Some(_)) if had.contains(upload) => uploads.ending.push(upload.clone()),
                _ => {}
            }
        }
        uploads
    }

    /// Returns the uploads with members on the list after a run, depending on whether it removed all
    /// expired members.
    #[must_use]
    pub fn after(&self, has_ended: bool) -> Vec<UploadId> {
        let ending = if has_ended { &[][..] } else { &self.ending };
        self.live.iter().chain(ending).cloned().collect()
    }
}

/// The delta of one target list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delta {
    /// The target list.
    pub target_list: ListId,
    /// The custom uploads behind it.
    pub uploads: ListUploads,
    /// The connector's prepared state, in its own type.
    pub prepared: Value,
    /// The keys of the mapped fields.
    pub field_keys: Vec<String>,
    /// The values that are sent identically with every row.
    pub terms: String,
    /// The object with the batches.
    pub object_key: String,
    /// The batches, in the order of their numbers.
    pub batches: Vec<BatchEntry>,
    /// The rows that were settled without a call.
    pub settled: DeltaLocals,
    /// The delivered state that the delta is based on.
    pub delivered_before: Option<String>,
    /// The number of input rows: members and removals.
    pub rows_in: u64,
    /// The rows that were settled without a call.
    pub counts: Counts,
    /// The values that were adjusted to fit.
    pub warnings: Warnings,
    /// The chosen push mode, and other notices.
    pub notices: Vec<String>,
    /// The target list in the message groups, if lanes are per list.
    pub lanes_of: Option<ListId>,
}

impl Delta {
    /// Returns the message group of a lane. Messages of one group are never in flight together.
    #[must_use]
    pub fn group(&self, connection: &ConnectionId, lane: Lane) -> String {
        match &self.lanes_of {
            Some(list) => format!("{connection}/{list}/{}", lane.0),
            None => format!("{connection}/{}", lane.0),
        }
    }
}

/// The objects with the rows that were settled without a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeltaLocals {
    /// Members, sorted by member key.
    pub members_key: String,
    /// Removals, sorted by member key.
    pub removals_key: String,
}

impl Plan {
    /// Returns the number of all batches.
    #[must_use]
    pub fn batch_count(&self) -> u64 {
        self.deltas.iter().map(|delta| u64::try_from(delta.batches.len()).unwrap_or(u64::MAX)).sum()
    }

    /// Returns the outcomes of query rows that could not become members.
    #[must_use]
    pub fn query_counts(&self) -> Counts {
        Self::query_counts_of(&self.segments)
    }

    /// As [`Plan::query_counts`], for segments without a plan.
    #[must_use]
    pub fn query_counts_of(segments: &[RunSegment]) -> Counts {
        Counts {
            rejected: segments.iter().map(|segment| segment.rows_without_key).sum(),
            skipped: segments.iter().map(|segment| segment.duplicate_member_rows).sum(),
            ..Counts::default()
        }
    }

    /// Returns the outcomes of rows that were settled without a call.
    #[must_use]
    pub fn settled_counts(&self) -> Counts {
        let mut counts = self.query_counts();
        for delta in &self.deltas {
            counts += delta.counts;
        }
        counts
    }

    /// Returns the number of input rows.
    #[must_use]
    pub fn rows_in(&self) -> u64 {
        self.query_counts().total() + self.deltas.iter().map(|delta| delta.rows_in).sum::<u64>()
    }
}
