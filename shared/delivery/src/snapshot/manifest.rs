//! The manifest of a snapshot: written next to it, never changed later.

use jiff::Timestamp;
use relay_model::uploads::UploadId;
use relay_model::{RunId, SegmentId};
use serde::{Deserialize, Serialize};

/// The column of every snapshot that holds the member key.
pub const MEMBER_KEY_COLUMN: &str = "member_key";

/// The origin and content of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The run that created it.
    pub run_id: RunId,
    /// The segment whose members it holds.
    pub segment: SegmentId,
    /// The query at that time.
    pub query: String,
    /// The attributes, in the order of the file's columns after the member key.
    pub attributes: Vec<String>,
    /// The snapshot's key in the data bucket.
    pub object_key: String,
    /// The number of members in the file.
    pub rows: u64,
    /// The number of rows without a member key, which cannot be members.
    pub rows_without_key: u64,
    /// The number of rows that repeat a member key.
    pub duplicate_member_rows: u64,
    /// The number of members that are left out because of an exclusion; no other count includes them.
    pub excluded_members: u64,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// BLAKE3 of the file, in hexadecimal.
    pub hash: String,
    /// When it was created.
    pub made_at: Timestamp,
    /// The custom upload that it is created from, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<SnapshotUpload>,
}

/// The custom upload behind a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotUpload {
    /// The upload.
    pub upload_id: UploadId,
    /// The number of valid lines.
    pub rows: u64,
    /// Whether it had expired, so that the snapshot is empty on purpose.
    pub is_expired: bool,
}
