//! A segment's members at one moment: a Parquet file sorted by member key, and its manifest.

mod manifest;
mod reader;
mod union;

pub use manifest::{MEMBER_KEY_COLUMN, Manifest, SnapshotUpload};
pub use reader::{Member, SnapshotError, SnapshotReader};
pub use union::{Union, UnionMember};
