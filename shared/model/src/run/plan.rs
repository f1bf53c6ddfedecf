//! What chunk decided: written once, before the first batch can go, and never changed.

use crate::Warnings;
use crate::batch::BatchEntry;
use crate::uploads::UploadId;
use crate::{ConnectionId, Counts, Destination, ExportId, Lane, ListId, RunId, SegmentId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A run's plan: everything that the later steps have to know, so that a changed definition cannot change a run that
/// is under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The run.
    pub run_id: RunId,
    /// The export.
    pub export_id: ExportId,
    /// The account that it goes to.
    pub connection_id: ConnectionId,
    /// The kind of destination.
    pub destination: Destination,
    /// Lanes of the connection.
    pub lanes: u16,
    /// The segments, in the export's order.
    pub segments: Vec<RunSegment>,
    /// One delta for each target list.
    pub deltas: Vec<Delta>,
    /// What people should know.
    pub notices: Vec<String>,
    /// Calls that preparing cost.
    pub calls: u64,
}

/// A segment of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSegment {
    /// The segment.
    pub segment: SegmentId,
    /// Where it goes.
    pub target_list: ListId,
    /// Members in its snapshot.
    pub members: u64,
    /// Rows of its query that had no member key.
    pub rows_without_key: u64,
    /// Rows of its query beyond the first for their member key.
    pub duplicate_member_rows: u64,
    /// The custom upload that the members are from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub upload: Option<UploadId>,
    /// How many members that upload had, where it has come to its end: they leave, and the guard does not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_members: Option<u64>,
}

/// The custom uploads behind a target list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListUploads {
    /// Those whose members are on it after the run.
    pub live: Vec<UploadId>,
    /// Those that have come to their end and whose members the run takes off.
    pub ending: Vec<UploadId>,
}

impl ListUploads {
    /// The uploads of a list's segments. `had` are those whose members were put on it before: no other can end there.
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

    /// The uploads with members on the list after a run that has, or has not, taken everybody off whom it should.
    #[must_use]
    pub fn after(&self, has_ended: bool) -> Vec<UploadId> {
        let ending = if has_ended { &[][..] } else { &self.ending };
        self.live.iter().chain(ending).cloned().collect()
    }
}

/// What goes to one target list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delta {
    /// The target list.
    pub target_list: ListId,
    /// The custom uploads behind it.
    pub uploads: ListUploads,
    /// What the connector prepared: its own type.
    pub prepared: Value,
    /// The fields' keys that rows are mapped to.
    pub field_keys: Vec<String>,
    /// What is sent with every row alike.
    pub terms: String,
    /// Where the batches are.
    pub object_key: String,
    /// The batches, in the order of their numbers.
    pub batches: Vec<BatchEntry>,
    /// Where the rows are that were settled without a call.
    pub settled: DeltaLocals,
    /// The delivered state that it was made against.
    pub delivered_before: Option<String>,
    /// Rows that came in: members and people to be removed.
    pub rows_in: u64,
    /// Rows that were settled without a call.
    pub counts: Counts,
    /// What was bent to make values fit.
    pub warnings: Warnings,
    /// How it goes, and what people should know of it.
    pub notices: Vec<String>,
    /// The list's part of the message groups, where lanes are each list's own.
    pub lanes_of: Option<ListId>,
}

impl Delta {
    /// The message group of a lane: what is in one group is never in flight together.
    #[must_use]
    pub fn group(&self, connection: &ConnectionId, lane: Lane) -> String {
        match &self.lanes_of {
            Some(list) => format!("{connection}/{list}/{}", lane.0),
            None => format!("{connection}/{}", lane.0),
        }
    }
}

/// Where the rows are that were settled without a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeltaLocals {
    /// Members, sorted by member key.
    pub members_key: String,
    /// Removals, sorted by member key.
    pub removals_key: String,
}

impl Plan {
    /// Batches in all.
    #[must_use]
    pub fn batch_count(&self) -> u64 {
        self.deltas.iter().map(|delta| u64::try_from(delta.batches.len()).unwrap_or(u64::MAX)).sum()
    }

    /// Rows of the queries that could not become members: counted, for nothing is lost in silence.
    #[must_use]
    pub fn query_counts(&self) -> Counts {
        Self::query_counts_of(&self.segments)
    }

    /// The same for segments without a plan.
    #[must_use]
    pub fn query_counts_of(segments: &[RunSegment]) -> Counts {
        Counts {
            rejected: segments.iter().map(|segment| segment.rows_without_key).sum(),
            skipped: segments.iter().map(|segment| segment.duplicate_member_rows).sum(),
            ..Counts::default()
        }
    }

    /// Rows settled without a call.
    #[must_use]
    pub fn settled_counts(&self) -> Counts {
        let mut counts = self.query_counts();
        for delta in &self.deltas {
            counts += delta.counts;
        }
        counts
    }

    /// Rows that came in.
    #[must_use]
    pub fn rows_in(&self) -> u64 {
        self.query_counts().total() + self.deltas.iter().map(|delta| delta.rows_in).sum::<u64>()
    }
}
