//! All members of a segment as a CSV.

use crate::handler::{Snapshots, TABLE_QUERY, query_error};
use crate::preview::Trouble;
use relay::catalog::{Origin, Segment, Selection};
use relay::snapshot::{MEMBER_KEY_COLUMN, PreviewId, SnapshotReader};
use relay::stages::StageError;
use snapshot::{Description, Engine, EngineSettings, SegmentQuery, SnapshotFigures, describe, evaluate};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// A file of all members.
pub(crate) struct MembersFile {
    pub(crate) description: Description,
    pub(crate) figures: SnapshotFigures,
    pub(crate) bytes: u64,
}

impl Snapshots {
    /// Writes the members that an export would bring now, with every column that it could map, and stores them.
    pub(crate) async fn download(
        &self,
        segment: &Segment,
        preview_id: PreviewId,
    ) -> Result<MembersFile, Trouble> {
        let settings = EngineSettings::new(std::env::temp_dir());
        let (engine, query, member_key) = self.rows_of(segment, settings).await?;
        let failed = |error| query_error(segment, error);
        let description = describe(&engine, &query, &member_key).await.map_err(failed)?;
        let attributes = description.columns.iter().map(|column| column.name.clone()).collect();
        let query = SegmentQuery { text: query, member_key, attributes };
        let directory = tempfile::tempdir().map_err(StageError::from)?;
        let (members, csv) = (directory.path().join("members.parquet"), directory.path().join("members.csv"));
        let figures = evaluate(&engine, &query, &members).await.map_err(failed)?;
        let path = csv.clone();
        let written = tokio::task::spawn_blocking(move || write_csv(&members, &path)).await;
        let bytes = written.map_err(|error| StageError::stop("download_panicked", error.to_string()))??;
        self.objects.upload(&preview_id.members_key(), &csv).await.map_err(StageError::from)?;
        Ok(MembersFile { description, figures, bytes })
    }

    /// What an export would bring now: the engine, the query and its member key.
    async fn rows_of(
        &self,
        segment: &Segment,
        settings: EngineSettings,
    ) -> Result<(Engine, String, String), Trouble> {
        let (object_key, member_key) = match segment.origin()? {
            Origin::Selection(_) if segment.schedule.is_some() => {
                let (kept, _) = self.members_for_run(segment).await?;
                (kept.object_key, MEMBER_KEY_COLUMN.to_owned())
            }
            Origin::Selection(Selection { query, member_key }) => {
                return Ok((self.engine(settings).await?, query.into_owned(), member_key.to_owned()));
            }
            Origin::Upload(upload) => {
                let current = self.live_upload(segment).await?;
                (current.object_key, upload.member_key_column().to_owned())
            }
        };
        Ok((self.table_engine(&object_key, settings).await?, TABLE_QUERY.to_owned(), member_key))
    }
}

/// Writes a snapshot as CSV, in constant memory. Gives the file's size.
fn write_csv(snapshot: &Path, csv: &Path) -> Result<u64, StageError> {
    let damaged =
        |error: &csv::Error| StageError::again("disk", format!("members cannot be written: {error}"));
    let reader = SnapshotReader::open(File::open(snapshot)?)?;
    let mut writer = csv::Writer::from_writer(BufWriter::new(File::create(csv)?));
    let header = std::iter::once(MEMBER_KEY_COLUMN).chain(reader.attributes().iter().map(String::as_str));
    writer.write_record(header).map_err(|error| damaged(&error))?;
    for member in reader {
        let member = member?;
        let values = member.attributes.iter().map(|value| value.to_text().unwrap_or_default());
        let record = std::iter::once(member.key.0.clone()).chain(values);
        writer.write_record(record).map_err(|error| damaged(&error))?;
    }
    writer.flush()?;
    Ok(csv.metadata()?.len())
}
