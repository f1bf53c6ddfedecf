//! What a snapshot is: written beside it, never changed later.

use jiff::Timestamp;
use relay_model::uploads::UploadId;
use relay_model::{RunId, SegmentId};
use serde::{Deserialize, Serialize};

/// The column of every snapshot that holds the member key.
pub const MEMBER_KEY_COLUMN: &str = "member_key";

/// What a snapshot is made from and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The run that made it.
    pub run_id: RunId,
    /// The segment whose members it holds.
    pub segment: SegmentId,
    /// The query as it was.
    pub query: String,
    /// The attributes, in the order of the file's columns after the member key.
    pub attributes: Vec<String>,
    /// Where the snapshot is in the data bucket.
    pub object_key: String,
    /// Members in the file.
    pub rows: u64,
    /// Rows of the query that had no member key and so cannot be anybody.
    pub rows_without_key: u64,
    /// Rows of the query beyond the first for their member key.
    pub duplicate_member_rows: u64,
    /// Members whom the query gave and who are kept out, because they asked to be forgotten; nothing else counts them.
    pub excluded_members: u64,
    /// The file's size.
    pub bytes: u64,
    /// BLAKE3 of the file, in hexadecimal.
    pub hash: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The custom upload that it is made from, where it is from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<SnapshotUpload>,
}

/// The custom upload behind a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotUpload {
    /// The upload.
    pub upload_id: UploadId,
    /// Its good lines.
    pub rows: u64,
    /// Whether it had come to its end, so that the snapshot is empty by what somebody declared.
    pub is_expired: bool,
}
