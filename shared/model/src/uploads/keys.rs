//! Keys of uploads' objects in the data bucket.

use super::UploadId;
use crate::{IdError, SegmentId};

/// The prefix of uploaded files: `uploads/{segment}/{any name}`.
pub const UPLOADS_PREFIX: &str = "uploads/";

/// Returns the segment of an object under `uploads/`; `None` for objects that are not uploads, such as the
/// placeholder of a folder.
#[must_use]
pub fn segment_of(key: &str) -> Option<Result<SegmentId, IdError>> {
    let (segment, name) = key.strip_prefix(UPLOADS_PREFIX)?.split_once('/')?;
    (!name.is_empty() && !name.ends_with('/')).then(|| SegmentId::try_from(segment.to_owned()))
}

/// The object keys of one parsed upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadKeys {
    stem: String,
}

impl UploadKeys {
    /// Creates the keys of an upload.
    #[must_use]
    pub fn new(segment: &SegmentId, upload: &UploadId) -> Self {
        Self { stem: format!("uploaded/{segment}/{upload}") }
    }

    /// Returns the key of its lines, as Parquet.
    #[must_use]
    pub fn table(&self) -> String {
        format!("{}.parquet", self.stem)
    }

    /// Returns the key of its manifest.
    #[must_use]
    pub fn manifest(&self) -> String {
        format!("{}.json", self.stem)
    }

    /// Returns the key of the CSV of invalid lines.
    #[must_use]
    pub fn bad_lines(&self) -> String {
        format!("{}.bad-lines.csv", self.stem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks for a segment, a folder with an invalid segment id, or no upload.
    #[track_caller]
    fn check(key: &str, expected: &str) {
        let found = match segment_of(key) {
            Some(Ok(segment)) => String::from(segment),
            Some(Err(_)) => "(impossible)".to_owned(),
            None => "(none)".to_owned(),
        };
        assert_eq!(found, expected, "{key}");
    }

    #[test]
    fn uploads_are_objects_in_a_segments_folder() {
        check("uploads/guests/people.csv", "guests");
        check("uploads/guests/2026/people.csv", "guests");
        check("uploads/Guests/people.csv", "(impossible)");
        check("uploads/../people.csv", "(impossible)");
        check("uploads/people.csv", "(none)");
        check("uploads/guests/", "(none)");
        check("uploads/guests/2026/", "(none)");
        check("uploaded/guests/people.csv", "(none)");
    }
}
