//! The result of an upload: written when it has been read, never changed later.

use super::UploadId;
use crate::SegmentId;
use crate::catalog::UploadColumnType;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The result of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadManifest {
    /// The upload.
    pub upload_id: UploadId,
    /// The segment.
    pub segment: SegmentId,
    /// The uploaded object.
    pub source: UploadSource,
    /// When it was uploaded.
    pub uploaded_at: Timestamp,
    /// When it was read.
    pub made_at: Timestamp,
    /// Whether its lines are now the segment's members.
    pub outcome: UploadOutcome,
}

/// The uploaded object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadSource {
    /// Its key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// The entity tag of the version that was read.
    pub etag: String,
    /// Its version, if the bucket is versioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
}

/// Whether an upload was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum UploadOutcome {
    /// Its valid lines are the segment's members.
    Accepted(AcceptedUpload),
    /// It breaks the rules as a whole; the segment keeps its members.
    Refused {
        /// A stable code.
        code: String,
        /// What is wrong and how to fix it.
        text: String,
        /// The list of invalid lines, if it was refused for them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bad_lines_key: Option<String>,
    },
}

/// An accepted upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedUpload {
    /// The object with its lines, as Parquet.
    pub object_key: String,
    /// The size of that object, in bytes.
    pub bytes: u64,
    /// The number of valid lines.
    pub rows: u64,
    /// The number of lines without a single value, which are ignored.
    pub empty_rows: u64,
    /// The number of invalid lines.
    pub bad_lines: u64,
    /// The number of invalid lines by reason.
    pub bad_lines_by_code: BTreeMap<String, u64>,
    /// The list of invalid lines, limited to the first 10,000.
    pub bad_lines_key: Option<String>,
    /// The character encoding.
    pub encoding: String,
    /// The separator.
    pub separator: char,
    /// Its columns, in order.
    pub columns: Vec<UploadColumn>,
    /// When its members expire, unless there is a new upload.
    pub expires_at: Timestamp,
}

/// A column of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub column_type: UploadColumnType,
}
