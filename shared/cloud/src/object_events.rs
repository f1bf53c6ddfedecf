//! S3's notification of created objects.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use jiff::Timestamp;
use serde::Deserialize;
use url::form_urlencoded;

/// The event of a function that is triggered by created objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ObjectEvent {
    /// One for each object, usually a single one.
    #[serde(default, rename = "Records")]
    records: Vec<Record>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_time: Timestamp,
    s3: Entity,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Entity {
    bucket: Bucket,
    object: Object,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    key: String,
    #[serde(default)]
    size: u64,
    #[serde(default, rename = "eTag")]
    e_tag: String,
    version_id: Option<String>,
    #[serde(default)]
    sequencer: String,
}

/// A created object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutObject {
    /// The bucket.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// Its entity tag, which identifies its content.
    pub etag: String,
    /// Its version, if the bucket is versioned.
    pub version_id: Option<String>,
    /// The sequencer: greater for a later version of the same key.
    pub sequencer: String,
    /// When it was created.
    pub at: Timestamp,
}

impl ObjectEvent {
    /// Returns the created objects.
    pub fn objects(self) -> impl Iterator<Item = PutObject> {
        self.records.into_iter().map(|Record { event_time, s3: Entity { bucket, object } }| PutObject {
            bucket: bucket.name,
            key: decoded(&object.key),
            bytes: object.size,
            etag: object.e_tag,
            version_id: object.version_id,
            sequencer: object.sequencer,
            at: event_time,
        })
    }
}

/// Decodes a key. Notifications form-encode keys.
fn decoded(key: &str) -> String {
    let text = format!("key={}", key.replace('&', "%26"));
    let value = form_urlencoded::parse(text.as_bytes()).next().map(|(_, value)| value.into_owned());
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(encoded: &str, expected: &str) {
        assert_eq!(decoded(encoded), expected);
    }

    #[test]
    fn keys_are_decoded() {
        check("uploads/guests/people.csv", "uploads/guests/people.csv");
        check("uploads/guests/G%C3%A4ste+2026%2B1.csv", "uploads/guests/Gäste 2026+1.csv");
        check("uploads/guests/a%26b%3Dc.csv", "uploads/guests/a&b=c.csv");
        check("uploads/guests/a&b=c.csv", "uploads/guests/a&b=c.csv");
    }

    #[test]
    fn what_is_no_notification_has_no_objects() {
        let event: ObjectEvent = serde_json::from_str(r#"{"Event":"s3:TestEvent"}"#).unwrap();
        assert_eq!(event.objects().count(), 0);
    }
}
