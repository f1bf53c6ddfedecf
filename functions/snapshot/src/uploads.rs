//! The members of a custom upload's segment.

use crate::handler::{Made, Snapshots, TABLE_QUERY, query_error};
use jiff::Timestamp;
use relay_cloud::ledger::UploadPointer;
use relay_delivery::snapshot::SnapshotUpload;
use relay_engine::{EngineSettings, SegmentQuery, evaluate, without_members};
use relay_model::catalog::{CustomUpload, Segment};
use relay_model::run::StopCode;
use relay_pipeline::StageError;
use std::path::Path;

impl Snapshots {
    /// The lines of the segment's current upload, or nobody where that has come to its end.
    pub(crate) async fn members_of_upload(
        &self,
        segment: &Segment,
        upload: &CustomUpload,
        attributes: Vec<String>,
        path: &Path,
    ) -> Result<Made, StageError> {
        let current = self.current_upload(segment).await?;
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
            let engine = self.table_engine(&current.object_key, settings).await?;
            evaluate(&engine, &query, path).await
        };
        let upload = SnapshotUpload { upload_id: current.upload_id, rows: current.rows, is_expired };
        Ok(Made {
            query,
            figures: figures.map_err(|error| query_error(segment, &error))?,
            upload: Some(upload),
        })
    }

    /// The segment's current upload.
    async fn current_upload(&self, segment: &Segment) -> Result<UploadPointer, StageError> {
        self.ledger.uploads(&segment.id).await?.current.ok_or_else(|| {
            let text = format!(
                "segment \"{id}\" has never had an upload that could be used; put a CSV under uploads/{id}/ in the data \
                 bucket",
                id = segment.id
            );
            StageError::stop(StopCode::SegmentNeverUploaded, text)
        })
    }

    /// The segment's upload. Whoever left with it is not shown: no run would deliver them.
    pub(crate) async fn live_upload(&self, segment: &Segment) -> Result<UploadPointer, StageError> {
        let current = self.current_upload(segment).await?;
        if current.is_expired(Timestamp::now()) {
            let text = format!("segment \"{}\": its upload has come to its end; put a new file", segment.id);
            return Err(StageError::stop(StopCode::UploadExpired, text));
        }
        Ok(current)
    }
}
