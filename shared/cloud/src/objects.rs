//! Objects of the data bucket.

use super::{CloudError, count_call};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use jiff::Timestamp;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::time::Duration;

/// One version of an object, so that all parts of a read come from the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectVersion {
    /// Its entity tag.
    pub etag: String,
    /// Its version, if the bucket is versioned.
    pub version_id: Option<String>,
}

/// A listed object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key.
    pub key: String,
    /// When it was stored.
    pub stored_at: Timestamp,
}

/// The data bucket.
#[derive(Clone, Debug)]
pub struct Objects {
    client: aws_sdk_s3::Client,
    bucket: String,
}

impl Objects {
    /// Creates the client of `bucket`.
    #[must_use]
    pub const fn new(client: aws_sdk_s3::Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// Reads a small object as a whole.
    pub async fn get(&self, key: &str) -> Result<Vec<u8>, CloudError> {
        self.fetch("get object", key, None).await
    }

    /// Reads a small object as a whole, or returns `None` if it does not exist.
    pub async fn find(&self, key: &str) -> Result<Option<Vec<u8>>, CloudError> {
        match self.get(key).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.code == "NoSuchKey" || error.code == "NotFound" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads `length_bytes` of an object from `offset_bytes`.
    pub async fn get_range(
        &self,
        key: &str,
        offset_bytes: u64,
        length_bytes: u64,
    ) -> Result<Vec<u8>, CloudError> {
        let last = offset_bytes.saturating_add(length_bytes).saturating_sub(1);
        self.fetch("get range of object", key, Some(format!("bytes={offset_bytes}-{last}"))).await
    }

    /// Reads the same range of one version. The error code is `PreconditionFailed` or `NoSuchKey` if the
    /// version was replaced.
    pub async fn get_range_of(
        &self,
        key: &str,
        version: &ObjectVersion,
        offset_bytes: u64,
        length_bytes: u64,
    ) -> Result<bytes::Bytes, CloudError> {
        let last = offset_bytes.saturating_add(length_bytes).saturating_sub(1);
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .range(format!("bytes={offset_bytes}-{last}"))
            .if_match(format!("\"{}\"", version.etag.trim_matches('"')))
            .set_version_id(version.version_id.clone());
        count_call();
        let operation = "get range of object";
        let body = request.send().await.map_err(|error| CloudError::new(operation, key, &error))?.body;
        let bytes = body.collect().await;
        let bytes = bytes.map_err(|_| CloudError::local(operation, key, "connection_broken"))?;
        Ok(bytes.into_bytes())
    }

    /// Downloads an object into a private temporary file, in constant memory.
    pub async fn download(&self, key: &str) -> Result<File, CloudError> {
        count_call();
        let failed =
            |error: &std::io::Error| CloudError::local("store object", key, error.kind().to_string());
        let answer = self.client.get_object().bucket(&self.bucket).key(key).send().await;
        let mut body = answer.map_err(|error| CloudError::new("get object", key, &error))?.body;
        let mut file = tempfile::tempfile().map_err(|error| failed(&error))?;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|_| CloudError::local("get object", key, "connection_broken"))?;
            file.write_all(&chunk).map_err(|error| failed(&error))?;
        }
        file.rewind().map_err(|error| failed(&error))?;
        Ok(file)
    }

    /// Stores a small object. A key is only rewritten with equivalent content.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), CloudError> {
        self.store(key, ByteStream::from(bytes)).await
    }

    /// Stores a file.
    pub async fn upload(&self, key: &str, path: &Path) -> Result<(), CloudError> {
        let body = ByteStream::from_path(path).await;
        let body = body.map_err(|_| CloudError::local("read file for object", key, "file_unreadable"))?;
        self.store(key, body).await
    }

    /// Lists the objects with the prefix, in the order of their keys.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ListedObject>, CloudError> {
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            count_call();
            let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
            let page = request.set_continuation_token(token).send().await;
            let page = page.map_err(|error| CloudError::new("list objects", prefix, &error))?;
            found.extend(page.contents().iter().filter_map(|object| {
                let stored_at = object.last_modified()?.to_millis().ok()?;
                let stored_at = Timestamp::from_millisecond(stored_at).ok()?;
                Some(ListedObject { key: object.key()?.to_owned(), stored_at })
            }));
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Deletes an object. A missing object is not an error.
    pub async fn delete(&self, key: &str) -> Result<(), CloudError> {
        count_call();
        let answer = self.client.delete_object().bucket(&self.bucket).key(key).send().await;
        answer.map(drop).map_err(|error| CloudError::new("delete object", key, &error))
    }

    /// Returns a presigned URL that downloads an object as a file with this name.
    ///
    /// Signing makes no request, so a missing object is noticed only by the download. The URL grants access
    /// by itself: it must be given to authorised users only, and must not be logged.
    pub async fn presigned_get(
        &self,
        key: &str,
        expires_in: Duration,
        download_name: &str,
    ) -> Result<String, CloudError> {
        const OPERATION: &str = "sign address of object";
        let expiry = PresigningConfig::expires_in(expires_in)
            .map_err(|_| CloudError::local(OPERATION, key, "expiry_out_of_range"))?;
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let request = request.response_content_disposition(disposition(download_name));
        let signed = request.presigned(expiry).await;
        Ok(signed.map_err(|error| CloudError::new(OPERATION, key, &error))?.uri().to_owned())
    }

    async fn fetch(
        &self,
        operation: &'static str,
        key: &str,
        range: Option<String>,
    ) -> Result<Vec<u8>, CloudError> {
        count_call();
        let answer = self.client.get_object().bucket(&self.bucket).key(key).set_range(range).send().await;
        let body = answer.map_err(|error| CloudError::new(operation, key, &error))?.body;
        let bytes =
            body.collect().await.map_err(|_| CloudError::local(operation, key, "connection_broken"))?;
        Ok(bytes.to_vec())
    }

    async fn store(&self, key: &str, body: ByteStream) -> Result<(), CloudError> {
        count_call();
        let answer = self.client.put_object().bucket(&self.bucket).key(key).body(body).send().await;
        answer.map(drop).map_err(|error| CloudError::new("put object", key, &error))
    }
}

/// Returns the header that makes browsers save the file (RFC 6266). Characters that could end the quoted
/// name are removed.
fn disposition(download_name: &str) -> String {
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || "-_. ".contains(*character);
    let name: String = download_name.chars().filter(is_plain).collect();
    format!("attachment; filename=\"{name}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clients;

    #[tokio::test]
    async fn an_address_is_signed_for_one_object_and_some_time() {
        let clients = Clients::at("http://127.0.0.1:9", "us-east-1", "key", "hidden").await;
        let objects = Objects::new(clients.s3(), "data".to_owned());
        let address =
            objects.presigned_get("reports/e/r/report.json", Duration::from_mins(15), "e.json").await;
        let address = url::Url::parse(&address.unwrap()).unwrap();
        // By path, because the local cloud has one host name for all buckets.
        assert_eq!(address.path(), "/data/reports/e/r/report.json");
        let query: std::collections::HashMap<_, _> = address.query_pairs().into_owned().collect();
        assert_eq!(query.get("X-Amz-Expires").map(String::as_str), Some("900"));
        assert_eq!(
            query.get("response-content-disposition").map(String::as_str),
            Some("attachment; filename=\"e.json\"")
        );
        assert!(query.contains_key("X-Amz-Signature") && !address.as_str().contains("hidden"));
        // Longer than AWS allows.
        let week = objects.presigned_get("key", Duration::from_hours(8 * 24), "name").await;
        assert_eq!(week.unwrap_err().code, "expiry_out_of_range");
    }

    #[track_caller]
    fn check(name: &str, expected: &str) {
        assert_eq!(disposition(name), format!("attachment; filename=\"{expected}\""));
    }

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        check("newsletter rejected-1.csv", "newsletter rejected-1.csv");
        check("a\"; filename=evil.exe\r\nX: y", "a filenameevil.exeX y");
        check("Größe.csv", "Gre.csv");
    }
}
