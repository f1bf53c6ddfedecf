//! The members of custom uploads.

use crate::context::{Context, TABLE_QUERY};
use crate::errors::segment_error;
use crate::runs::WrittenSnapshot;
use jiff::Timestamp;
use relay_cloud::ledger::UploadPointer;
use relay_delivery::snapshot::SnapshotUpload;
use relay_engine::{EngineSettings, SegmentQuery, evaluate, without_members};
use relay_model::catalog::{CustomUpload, Segment};
use relay_model::run::StopCode;
use relay_pipeline::StageError;
use std::path::Path;

/// Writes the rows of the segment's current upload to a snapshot. The snapshot of an expired upload has no members.
pub(crate) async fn write_upload(
    context: &Context,
    segment: &Segment,
    upload: &CustomUpload,
    attributes: Vec<String>,
    path: &Path,
) -> Result<WrittenSnapshot, StageError> {
    let current = current_upload(context, segment).await?;
    let is_expired = current.is_expired(Timestamp::now());
    let query = SegmentQuery {
        text: TABLE_QUERY.to_owned(),
        member_key: upload.member_key_column().to_owned(),
        attributes,
    };
    let figures = if is_expired {
        without_members(&query.attributes, path).await
    } else {
        let settings = EngineSettings::new(std::env::temp_dir());
        let engine = context.table_engine(&current.object_key, settings).await?;
        evaluate(&engine, &query, path).await
    };
    let figures = figures.map_err(|error| segment_error(segment, &error))?;
    let upload = SnapshotUpload { upload_id: current.upload_id, rows: current.rows, is_expired };
    Ok(WrittenSnapshot { query, figures, upload: Some(upload) })
}

async fn current_upload(context: &Context, segment: &Segment) -> Result<UploadPointer, StageError> {
    context.ledger.uploads(&segment.id).await?.current.ok_or_else(|| {
        let text = format!(
            "segment \"{id}\" has no accepted upload yet; put a CSV file under uploads/{id}/ in the data bucket",
            id = segment.id
        );
        StageError::stop(StopCode::SegmentNeverUploaded, text)
    })
}

/// Returns the segment's current upload, or an error if it has expired. A run delivers no member of an expired upload, so
/// a preview shows none either.
pub(crate) async fn unexpired_upload(
    context: &Context,
    segment: &Segment,
) -> Result<UploadPointer, StageError> {
    let current = current_upload(context, segment).await?;
    if current.is_expired(Timestamp::now()) {
        let text = format!("segment \"{}\": its upload has expired; put a new file", segment.id);
        return Err(StageError::stop(StopCode::UploadExpired, text));
    }
    Ok(current)
}
