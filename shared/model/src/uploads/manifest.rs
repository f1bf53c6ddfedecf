//! What became of an upload: written when it has been read, never changed later.

use super::UploadId;
use crate::SegmentId;
use crate::catalog::UploadColumnType;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What became of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadManifest {
    /// The upload.
    pub upload_id: UploadId,
    /// The segment that it is for.
    pub segment: SegmentId,
    /// What was read.
    pub source: UploadSource,
    /// When it was put.
    pub uploaded_at: Timestamp,
    /// When it was read.
    pub made_at: Timestamp,
    /// Whether it is the segment's members from then on.
    pub outcome: UploadOutcome,
}

/// The object that somebody put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadSource {
    /// Its key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// The entity tag of what was read.
    pub etag: String,
    /// Its version, where the bucket keeps versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
}

/// Whether an upload could be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum UploadOutcome {
    /// Its good lines are the segment's members.
    Accepted(AcceptedUpload),
    /// It breaks the rules as a whole; the segment keeps the members that it had.
    Refused {
        /// A stable word.
        code: String,
        /// What is wrong and what would mend it.
        text: String,
        /// Where its bad lines are listed, where it was refused for them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bad_lines_key: Option<String>,
    },
}

/// An upload that could be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedUpload {
    /// Where its lines are, as Parquet.
    pub object_key: String,
    /// The size of that.
    pub bytes: u64,
    /// Its good lines.
    pub rows: u64,
    /// Lines without a single value; they are nobody and no mistake.
    pub empty_rows: u64,
    /// Lines that could not be used.
    pub bad_lines: u64,
    /// How many of them for which reason.
    pub bad_lines_by_code: BTreeMap<String, u64>,
    /// Where they are listed, the first 10,000 of them.
    pub bad_lines_key: Option<String>,
    /// How its characters were written.
    pub encoding: String,
    /// Between two values.
    pub separator: char,
    /// Its columns, in its order.
    pub columns: Vec<UploadColumn>,
    /// When its members leave, unless there is a new upload.
    pub expires_at: Timestamp,
}

/// A column of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadColumn {
    /// Its name.
    pub name: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub column_type: UploadColumnType,
}
