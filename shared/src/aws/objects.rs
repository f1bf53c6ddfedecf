//! Objects of the data bucket.

use super::{CloudError, count_call};
use aws_sdk_s3::primitives::ByteStream;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;

/// One version of an object, so that what is read in parts is read from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectVersion {
    /// Its entity tag.
    pub etag: String,
    /// Its version, where the bucket keeps versions.
    pub version_id: Option<String>,
}

/// The data bucket.
#[derive(Clone, Debug)]
pub struct Objects {
    client: aws_sdk_s3::Client,
    bucket: String,
}

impl Objects {
    /// The objects of `bucket`.
    #[must_use]
    pub const fn new(client: aws_sdk_s3::Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// A whole small object.
    pub async fn get(&self, key: &str) -> Result<Vec<u8>, CloudError> {
        self.fetch("get object", key, None).await
    }

    /// A whole small object, or `None` where there is none.
    pub async fn find(&self, key: &str) -> Result<Option<Vec<u8>>, CloudError> {
        match self.get(key).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.code == "NoSuchKey" || error.code == "NotFound" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `length_bytes` of an object from `offset_bytes` on.
    pub async fn get_range(
        &self,
        key: &str,
        offset_bytes: u64,
        length_bytes: u64,
    ) -> Result<Vec<u8>, CloudError> {
        let last = offset_bytes.saturating_add(length_bytes).saturating_sub(1);
        self.fetch("get range of object", key, Some(format!("bytes={offset_bytes}-{last}"))).await
    }

    /// The same of one version; the code of the error is `PreconditionFailed` or `NoSuchKey` where another one has
    /// taken its place.
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

    /// Downloads an object into a temporary file that nobody else sees, in constant memory.
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

    /// Stores a small object. The same key is only ever written again with the same meaning.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), CloudError> {
        self.store(key, ByteStream::from(bytes)).await
    }

    /// Stores a file.
    pub async fn upload(&self, key: &str, path: &Path) -> Result<(), CloudError> {
        let body = ByteStream::from_path(path).await;
        let body = body.map_err(|_| CloudError::local("read file for object", key, "file_unreadable"))?;
        self.store(key, body).await
    }

    /// Deletes an object. That it is gone already is as good.
    pub async fn delete(&self, key: &str) -> Result<(), CloudError> {
        count_call();
        let answer = self.client.delete_object().bucket(&self.bucket).key(key).send().await;
        answer.map(drop).map_err(|error| CloudError::new("delete object", key, &error))
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
