//! Custom uploads: identifiers, object keys and results.

mod id;
mod keys;
mod manifest;

pub use id::UploadId;
pub use keys::{UPLOADS_PREFIX, UploadKeys, segment_of};
pub use manifest::{AcceptedUpload, UploadColumn, UploadManifest, UploadOutcome, UploadSource};
