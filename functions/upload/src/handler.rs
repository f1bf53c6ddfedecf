//! Handles an upload: reads it once, stores it with its manifest, and publishes it as the segment's members.

use crate::bad_lines::MAX_LISTED;
use crate::decode::Encoding;
use crate::ingest::{BAD_LINES, IngestError, Ingested, TABLE, ingest};
use crate::parts::{self, PartError};
use crate::refusal::Refusal;
use jiff::{SignedDuration, Timestamp};
use relay_cloud::ledger::{UploadAttempt, UploadPointer};
use relay_cloud::{CloudError, LookupError, ObjectEvent, ObjectVersion, Objects, PutObject};
use relay_model::SegmentId;
use relay_model::catalog::{CatalogError, CustomUpload, Export, MAX_UPLOAD_BYTES, Segment};
use relay_model::run::StopCode;
use relay_model::uploads::{
    AcceptedUpload, UploadId, UploadKeys, UploadManifest, UploadOutcome, UploadSource, segment_of,
};
use relay_pipeline::{RunRequests, StageError, upload_trigger};
use std::path::Path;

/// The context of the handler.
pub(crate) struct Uploads {
    pub(crate) requests: RunRequests,
    pub(crate) s3: aws_sdk_s3::Client,
}

/// One upload of one segment.
struct Upload<'a> {
    put: &'a PutObject,
    objects: Objects,
    segment: SegmentId,
    id: UploadId,
    keys: UploadKeys,
}

impl Uploads {
    /// Handles a notification. If one of several objects fails, the others are still handled.
    pub(crate) async fn handle(&self, event: ObjectEvent) -> Result<(), StageError> {
        let mut result = Ok(());
        for put in event.objects() {
            match segment_of(&put.key) {
                None => {}
                // The folder's name is not logged, because it may be personal data.
                Some(Err(_)) => {
                    tracing::warn!("ignored a file in a folder whose name is not a valid segment id");
                }
                Some(Ok(segment)) => {
                    if let Err(error) = self.one(&put, segment).await {
                        tracing::error!(error.code = error.code().as_str(), %error, "failed to read an upload");
                        result = Err(error);
                    }
                }
            }
        }
        result
    }

    async fn one(&self, put: &PutObject, segment: SegmentId) -> Result<(), StageError> {
        let id = UploadId::new(put.at, &put.sequencer, &put.key);
        let keys = UploadKeys::new(&segment, &id);
        let objects = Objects::new(self.s3.clone(), put.bucket.clone());
        let upload = Upload { put, objects, segment, id, keys };
        // The manifest is written last, so an upload with a manifest was read completely by an earlier delivery.
        let known = upload.objects.find(&upload.keys.manifest()).await.map_err(unnamed(&upload.id))?;
        let known = known.map(|bytes| serde_json::from_slice(&bytes)).transpose();
        let known = known.map_err(|error| StageError::stop(StopCode::ManifestDamaged, error.to_string()))?;
        let manifest = match known {
            Some(manifest) => Some(manifest),
            None => self.read(&upload).await?,
        };
        let Some(manifest) = manifest else {
            tracing::info!(upload.id = %upload.id, "the upload was replaced before it was read");
            return Ok(());
        };
        self.publish(&upload, &manifest).await
    }

    /// Reads an upload and stores its outcome; `None` if the object was replaced.
    async fn read(&self, upload: &Upload<'_>) -> Result<Option<UploadManifest>, StageError> {
        let outcome = match self.definition(upload).await? {
            Err(refusal) => refused(&refusal, None),
            Ok(form) => {
                let folder = tempfile::tempdir()?;
                match upload.ingest(&form, folder.path()).await? {
                    Read::Whole(ingested) => upload.store(&form, ingested, folder.path()).await?,
                    Read::Refused(refusal) => {
                        let has_list = matches!(refusal, Refusal::NoGoodLine { .. });
                        let list = upload.store_bad_lines(has_list, folder.path()).await?;
                        refused(&refusal, list)
                    }
                    Read::Gone => return Ok(None),
                }
            }
        };
        let put = upload.put;
        let manifest = UploadManifest {
            upload_id: upload.id.clone(),
            segment: upload.segment.clone(),
            source: UploadSource {
                key: put.key.clone(),
                bytes: put.bytes,
                etag: put.etag.clone(),
                version_id: put.version_id.clone(),
            },
            uploaded_at: put.at,
            made_at: Timestamp::now(),
            outcome,
        };
        let bytes = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| StageError::stop(StopCode::ManifestUnwritable, error.to_string()))?;
        upload.objects.put(&upload.keys.manifest(), bytes).await.map_err(unnamed(&upload.id))?;
        Ok(Some(manifest))
    }

    /// Returns the segment's definition of its files, or why it accepts none.
    async fn definition(&self, upload: &Upload<'_>) -> Result<Result<CustomUpload, Refusal>, StageError> {
        let segment = upload.segment.clone();
        let found: Segment = match self.requests.catalog.get(segment.as_str()).await {
            Ok(found) => found,
            Err(LookupError::Catalog(CatalogError::Missing { .. })) => {
                return Ok(Err(Refusal::SegmentMissing(segment)));
            }
            Err(LookupError::Catalog(error)) => {
                return Ok(Err(Refusal::SegmentInvalid { segment, problem: error.to_string() }));
            }
            Err(LookupError::Cloud(error)) => return Err(error.into()),
        };
        Ok(found.upload().cloned().ok_or(Refusal::SegmentIsQuery(segment)))
    }

    /// Publishes a valid upload as its segment's members, unless a later one is published, and starts the exports' runs.
    async fn publish(&self, upload: &Upload<'_>, manifest: &UploadManifest) -> Result<(), StageError> {
        let ledger = &self.requests.ledger;
        let Upload { segment, id, keys, .. } = upload;
        let mut attempt =
            UploadAttempt { upload_id: id.clone(), manifest_key: keys.manifest(), refusal: None };
        let accepted = match &manifest.outcome {
            UploadOutcome::Accepted(accepted) => accepted,
            UploadOutcome::Refused { code, text, .. } => {
                // The text is not logged: if the segment does not exist, it names a folder, which may be personal data.
                tracing::warn!(upload.id = %id, error.code = code, "refused an upload");
                attempt.refusal = Some(text.clone());
                ledger.note_upload(segment, &attempt).await?;
                return Ok(());
            }
        };
        // The segment may have been removed while the file was read, or before the notification was delivered again.
        if self.definition(upload).await?.is_err() {
            tracing::info!(upload.id = %id, "the segment no longer accepts uploads");
            return Ok(());
        }
        ledger.note_upload(segment, &attempt).await?;
        let pointer = UploadPointer {
            upload_id: id.clone(),
            object_key: accepted.object_key.clone(),
            rows: accepted.rows,
            bad_lines: accepted.bad_lines,
            uploaded_at: manifest.uploaded_at,
            expires_at: accepted.expires_at,
        };
        if !ledger.set_upload(segment, &pointer).await? {
            tracing::info!(segment.id = %segment, upload.id = %id, "ignored an upload that is older than the current one or than the last reset");
            return Ok(());
        }
        let exports = self.requests.catalog.list::<Export>().await?;
        let exports: Vec<Export> = exports.into_iter().flatten().map(|saved| saved.document).collect();
        let trigger = upload_trigger(segment, id);
        let runs = self.requests.start_for_segment(&exports, segment, &trigger, Timestamp::now()).await?;
        tracing::info!(segment.id = %segment, upload.id = %id, rows = accepted.rows, bad_lines = accepted.bad_lines,
            ?runs, "published an upload");
        Ok(())
    }
}

enum Read {
    Whole(Ingested),
    Refused(Refusal),
    /// The object was replaced or deleted.
    Gone,
}

impl Upload<'_> {
    async fn ingest(&self, form: &CustomUpload, folder: &Path) -> Result<Read, StageError> {
        let bytes = self.put.bytes;
        if bytes > MAX_UPLOAD_BYTES {
            return Ok(Read::Refused(Refusal::TooLarge { bytes }));
        }
        let mut read = self.ingest_as(form, Encoding::Utf8, folder).await?;
        if matches!(read, Err(IngestError::NotUtf8)) {
            read = self.ingest_as(form, Encoding::Windows1252, folder).await?;
        }
        match read {
            Ok(ingested) => Ok(Read::Whole(ingested)),
            Err(IngestError::Refused(refusal)) => Ok(Read::Refused(refusal)),
            Err(IngestError::Part(PartError::Gone)) => Ok(Read::Gone),
            Err(IngestError::Part(PartError::Cloud(error))) => Err(unnamed(&self.id)(error)),
            Err(error @ (IngestError::Disk(_) | IngestError::NotUtf8)) => {
                Err(StageError::again(StopCode::UploadUnreadable, error.to_string()))
            }
        }
    }

    async fn ingest_as(
        &self,
        form: &CustomUpload,
        encoding: Encoding,
        folder: &Path,
    ) -> Result<Result<Ingested, IngestError>, StageError> {
        let PutObject { key, etag, version_id, bytes, .. } = self.put.clone();
        let mut parts = parts::fetch(self.objects.clone(), key, ObjectVersion { etag, version_id }, bytes);
        let (form, folder) = (form.clone(), folder.to_owned());
        // Reading is CPU-bound and writes files, so it must not block an async thread.
        let read = tokio::task::spawn_blocking(move || {
            let mut parts = std::iter::from_fn(|| parts.blocking_recv());
            ingest(&mut parts, &form, encoding, &folder)
        });
        read.await.map_err(|error| StageError::again(StopCode::UploadPanicked, error.to_string()))
    }

    async fn store(
        &self,
        form: &CustomUpload,
        ingested: Ingested,
        folder: &Path,
    ) -> Result<UploadOutcome, StageError> {
        let table = folder.join(TABLE);
        let bytes = tokio::fs::metadata(&table).await?.len();
        let object_key = self.keys.table();
        self.objects.upload(&object_key, &table).await.map_err(unnamed(&self.id))?;
        let bad_lines_key = self.store_bad_lines(ingested.bad_lines > 0, folder).await?;
        let lifetime = SignedDuration::from_hours(24 * i64::from(form.expires_after_days));
        if ingested.bad_lines > MAX_LISTED {
            tracing::warn!(segment.id = %self.segment, upload.id = %self.id, bad_lines = ingested.bad_lines,
                "the list of bad lines is truncated");
        }
        let by_code = ingested.bad_lines_by_code.into_iter();
        Ok(UploadOutcome::Accepted(AcceptedUpload {
            object_key,
            bytes,
            rows: ingested.rows,
            empty_rows: ingested.empty_rows,
            bad_lines: ingested.bad_lines,
            bad_lines_by_code: by_code.map(|(code, lines)| (code.to_owned(), lines)).collect(),
            bad_lines_key,
            encoding: ingested.encoding.name().to_owned(),
            separator: ingested.separator,
            columns: ingested.columns,
            expires_at: self.put.at.saturating_add(lifetime).unwrap_or(Timestamp::MAX),
        }))
    }

    async fn store_bad_lines(&self, has_list: bool, folder: &Path) -> Result<Option<String>, StageError> {
        if !has_list {
            return Ok(None);
        }
        let key = self.keys.bad_lines();
        self.objects.upload(&key, &folder.join(BAD_LINES)).await.map_err(unnamed(&self.id))?;
        Ok(Some(key))
    }
}

/// Replaces the object's key by the upload's id in an error. Errors are logged, and file and folder names may be personal
/// data.
fn unnamed(id: &UploadId) -> impl Fn(CloudError) -> StageError {
    move |error| CloudError { resource: format!("upload {id}"), ..error }.into()
}

fn refused(refusal: &Refusal, bad_lines_key: Option<String>) -> UploadOutcome {
    UploadOutcome::Refused { code: refusal.code().to_owned(), text: refusal.to_string(), bad_lines_key }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_upload_and_neither_its_folder_nor_its_file() {
        let id = UploadId::new(Timestamp::UNIX_EPOCH, "01", "uploads/guests/jane-doe.csv");
        let cloud = |code: &str| CloudError {
            operation: "get object",
            resource: "uploads/guests/jane-doe.csv".to_owned(),
            code: code.to_owned(),
        };
        let text = format!("could not get object upload {id}: SlowDown");
        assert_eq!(unnamed(&id)(cloud("SlowDown")), StageError::again(StopCode::CloudUnavailable, text));
        let text = format!("could not get object upload {id}: NoSuchKey");
        assert_eq!(unnamed(&id)(cloud("NoSuchKey")), StageError::stop(StopCode::ObjectMissing, text));
    }
}
