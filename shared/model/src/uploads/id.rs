//! Identifiers of uploads.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Names one version of one object under `uploads/`. It is equal for repeated notifications, and its text
/// order is the order of the uploads.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UploadId(pub String);

impl UploadId {
    /// Creates the id of the object at `key` that was uploaded at `at`. S3's sequencer orders two uploads
    /// in the same millisecond.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
    #[must_use]
    pub fn new(at: Timestamp, sequencer: &str, key: &str) -> Self {
        let sequencer: String =
            sequencer.chars().filter(char::is_ascii_alphanumeric).take(40).collect::<String>().to_uppercase();
        let digest = blake3::hash(key.as_bytes()).to_hex();
        let digest = digest.get(..8).unwrap_or_default();
        Self(format!("{}-{sequencer}-{digest}", Self::bound(at)))
    }

    /// Returns a text that is greater than the id of every object uploaded before `at`, and less than every
    /// other.
    #[must_use]
    pub fn bound(at: Timestamp) -> String {
        at.strftime("%Y%m%dT%H%M%S%3fZ").to_string()
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(at: &str, sequencer: &str, key: &str) -> UploadId {
        UploadId::new(at.parse().unwrap(), sequencer, key)
    }

    #[test]
    fn later_uploads_have_greater_names() {
        let names = [
            id("2026-11-21T10:00:00.009Z", "FF", "uploads/guests/b.csv"),
            id("2026-11-21T10:00:00.010Z", "0055AED6DCD90281E5", "uploads/guests/a.csv"),
            id("2026-11-21T10:00:00.010Z", "0055AED6DCD90281E6", "uploads/guests/a.csv"),
            id("2026-11-22T09:00:00Z", "00", "uploads/guests/a.csv"),
        ];
        assert!(names.is_sorted(), "{names:?}");
        let bound = UploadId::bound("2026-11-21T10:00:00.010Z".parse().unwrap());
        assert!(names[0].0 < bound && bound < names[1].0, "{bound}");
        assert_eq!(names[0].0.get(..23), Some("20261121T100000009Z-FF-"));
        let odd = id("2026-11-21T10:00:00Z", "../a b\u{e9}", "key");
        assert!(odd.0.starts_with("20261121T100000000Z-AB-"), "{odd}");
    }
}
