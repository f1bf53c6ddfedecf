//! The ledger's item of a custom upload's segment: the current and the latest upload.

use super::item::{Item, find_moment, find_number, find_text, key, needed, number, text};
use super::{Ledger, LedgerError};
use crate::count_call;
use jiff::Timestamp;
use relay_model::SegmentId;
use relay_model::uploads::UploadId;

/// The upload that a segment's members come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadPointer {
    /// The upload.
    pub upload_id: UploadId,
    /// The key of its lines, as Parquet.
    pub object_key: String,
    /// The number of valid lines.
    pub rows: u64,
    /// The number of invalid lines.
    pub bad_lines: u64,
    /// When it was uploaded.
    pub uploaded_at: Timestamp,
    /// When its members expire.
    pub expires_at: Timestamp,
}

impl UploadPointer {
    /// Returns whether its members have expired at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }
}

/// The latest upload of a segment, accepted or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadAttempt {
    /// The upload.
    pub upload_id: UploadId,
    /// The key of its manifest.
    pub manifest_key: String,
    /// Why it was refused, if it was.
    pub refusal: Option<String>,
}

/// The uploads of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentUploads {
    /// The one that the members come from; `None` if none has been accepted yet.
    pub current: Option<UploadPointer>,
    /// The latest one.
    pub latest: Option<UploadAttempt>,
}

fn uploads_key(segment: &SegmentId) -> Item {
    key(format!("segment#{segment}"), "upload".to_owned())
}

/// The condition that the upload is newer than the last time that the segment's uploads were forgotten.
const IS_NOT_FORGOTTEN: &str = "(attribute_not_exists(forgotten_until) OR forgotten_until <= :id)";

impl Ledger {
    /// Returns the uploads of a segment.
    pub async fn uploads(&self, segment: &SegmentId) -> Result<SegmentUploads, LedgerError> {
        let item = self.item(uploads_key(segment)).await?.unwrap_or_default();
        let current = match find_text(&item, "upload_id") {
            Some(upload_id) => Some(UploadPointer {
                upload_id: UploadId(upload_id.to_owned()),
                object_key: needed(find_text(&item, "object_key"), "object_key")?.to_owned(),
                rows: needed(find_number(&item, "rows"), "rows")?,
                bad_lines: needed(find_number(&item, "bad_lines"), "bad_lines")?,
                uploaded_at: needed(find_moment(&item, "uploaded_at_ms"), "uploaded_at_ms")?,
                expires_at: needed(find_moment(&item, "members_until_ms"), "members_until_ms")?,
            }),
            None => None,
        };
        let latest = match find_text(&item, "latest_upload_id") {
            Some(upload_id) => Some(UploadAttempt {
                upload_id: UploadId(upload_id.to_owned()),
                manifest_key: needed(find_text(&item, "latest_manifest_key"), "latest_manifest_key")?
                    .to_owned(),
                refusal: find_text(&item, "latest_refusal").map(str::to_owned),
            }),
            None => None,
        };
        Ok(SegmentUploads { current, latest })
    }

    /// Makes an upload the current one, unless a later one is. Returns whether it is.
    ///
    /// Notifications are repeated and out of order, so an upload never replaces a later one.
    pub async fn set_upload(
        &self,
        segment: &SegmentId,
        pointer: &UploadPointer,
    ) -> Result<bool, LedgerError> {
        count_call();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(uploads_key(segment)))
            .update_expression(
                "SET upload_id = :id, object_key = :object_key, #rows = :rows, bad_lines = :bad_lines, \
                 uploaded_at_ms = :uploaded_at, members_until_ms = :until",
            )
            .condition_expression(format!(
                "(attribute_not_exists(upload_id) OR upload_id <= :id) AND {IS_NOT_FORGOTTEN}"
            ))
            .expression_attribute_names("#rows", "rows")
            .expression_attribute_values(":id", text(&pointer.upload_id.0))
            .expression_attribute_values(":object_key", text(&pointer.object_key))
            .expression_attribute_values(":rows", number(pointer.rows))
            .expression_attribute_values(":bad_lines", number(pointer.bad_lines))
            .expression_attribute_values(":uploaded_at", number(pointer.uploaded_at.as_millisecond()))
            .expression_attribute_values(":until", number(pointer.expires_at.as_millisecond()))
            .send()
            .await;
        self.is_written("set upload in", answer)
    }

    /// Forgets the uploads of a segment that is removed or no longer an upload, including those uploaded by
    /// `now` that are not read yet. Another segment with the same id must not start with this one's
    /// members.
    pub async fn forget_upload(&self, segment: &SegmentId, now: Timestamp) -> Result<(), LedgerError> {
        count_call();
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(uploads_key(segment)))
            .update_expression(
                "SET forgotten_until = :until REMOVE upload_id, object_key, #rows, bad_lines, uploaded_at_ms, \
                 members_until_ms, latest_upload_id, latest_manifest_key, latest_refusal",
            )
            .expression_attribute_names("#rows", "rows")
            .expression_attribute_values(":until", text(UploadId::bound(now)));
        self.is_written("forget upload in", request.send().await).map(drop)
    }

    /// Records the result of an upload, unless a later one is recorded. Returns whether it is the latest.
    pub async fn note_upload(
        &self,
        segment: &SegmentId,
        attempt: &UploadAttempt,
    ) -> Result<bool, LedgerError> {
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(uploads_key(segment)))
            .condition_expression(format!(
                "(attribute_not_exists(latest_upload_id) OR latest_upload_id <= :id) AND {IS_NOT_FORGOTTEN}"
            ))
            .expression_attribute_values(":id", text(&attempt.upload_id.0))
            .expression_attribute_values(":key", text(&attempt.manifest_key));
        let set = "SET latest_upload_id = :id, latest_manifest_key = :key";
        request = match &attempt.refusal {
            Some(refusal) => request
                .update_expression(format!("{set}, latest_refusal = :refusal"))
                .expression_attribute_values(":refusal", text(refusal)),
            None => request.update_expression(format!("{set} REMOVE latest_refusal")),
        };
        count_call();
        self.is_written("note upload in", request.send().await)
    }
}
