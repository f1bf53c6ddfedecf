//! All members of a segment as a CSV.

use crate::handler::{Snapshots, TABLE_QUERY, query_error};
use crate::preview::Trouble;
use relay_delivery::snapshot::{MEMBER_KEY_COLUMN, SnapshotReader};
use relay_engine::{
    Description, Engine, EngineSettings, QueryError, SegmentQuery, SnapshotFigures, describe, evaluate,
};
use relay_model::catalog::{Origin, Segment, Selection, Source};
use relay_model::engine::PreviewId;
use relay_model::run::StopCode;
use relay_pipeline::StageError;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// A file of all members.
pub(crate) struct MembersFile {
    pub(crate) description: Description,
    /// Columns whose values are shown to nobody.
    pub(crate) withheld: BTreeSet<String>,
    pub(crate) figures: SnapshotFigures,
    pub(crate) bytes: u64,
}

impl Snapshots {
    /// Writes the members that an export would bring now, with every column that it could map, and stores them.
    pub(crate) async fn download(
        &self,
        segment: &Segment,
        preview_id: PreviewId,
        sources: &BTreeMap<String, Source>,
    ) -> Result<MembersFile, Trouble> {
        let settings = || EngineSettings::new(std::env::temp_dir());
        let lake = self.engine(settings(), sources).await?;
        let (own_engine, query, member_key) = self.rows_of(segment, settings()).await?;
        let engine = own_engine.as_ref().unwrap_or(&lake);
        let failed = |error: QueryError| query_error(segment, &error);
        let mut description = describe(engine, &query, &member_key).await.map_err(failed)?;
        let names: Vec<String> = description.columns.iter().map(|column| column.name.clone()).collect();
        let withheld = self.withheld(&lake, segment, &names, sources).await?;
        description.columns.retain(|column| !withheld.contains(&column.name));
        let key = if withheld.contains(&member_key) { ShownKey::Withheld } else { ShownKey::First };
        let attributes = description.columns.iter().map(|column| column.name.clone()).collect();
        let query = SegmentQuery { text: query, member_key, attributes };
        let directory = tempfile::tempdir().map_err(StageError::from)?;
        let (members, csv) = (directory.path().join("members.parquet"), directory.path().join("members.csv"));
        let figures = evaluate(engine, &query, &members).await.map_err(failed)?;
        let path = csv.clone();
        let written = tokio::task::spawn_blocking(move || write_csv(&members, &path, key)).await;
        let bytes =
            written.map_err(|error| StageError::stop(StopCode::DownloadPanicked, error.to_string()))??;
        self.objects.upload(&preview_id.members_key(), &csv).await.map_err(StageError::from)?;
        Ok(MembersFile { description, withheld, figures, bytes })
    }

    /// What an export would bring now: the engine, where it is none over the lake, the query and its member key.
    async fn rows_of(
        &self,
        segment: &Segment,
        settings: EngineSettings,
    ) -> Result<(Option<Engine>, String, String), Trouble> {
        match segment.origin()? {
            Origin::Selection(Selection { query, member_key }) => {
                Ok((None, query.into_owned(), member_key.to_owned()))
            }
            Origin::Upload(upload) => {
                let current = self.live_upload(segment).await?;
                let engine = self.table_engine(&current.object_key, settings).await?;
                Ok((Some(engine), TABLE_QUERY.to_owned(), upload.member_key_column().to_owned()))
            }
        }
    }
}

/// Whether the member key is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ShownKey {
    /// It is the first column.
    First,
    /// It is shown to nobody.
    Withheld,
}

/// Writes a snapshot as CSV, in constant memory. Gives the file's size.
fn write_csv(snapshot: &Path, csv: &Path, key: ShownKey) -> Result<u64, StageError> {
    let damaged =
        |error: &csv::Error| StageError::again(StopCode::Disk, format!("members cannot be written: {error}"));
    let reader = SnapshotReader::open(File::open(snapshot)?)?;
    let mut writer = csv::Writer::from_writer(BufWriter::new(File::create(csv)?));
    let shown = |key_text: String| Some(key_text).filter(|_| key == ShownKey::First).into_iter();
    let header = shown(MEMBER_KEY_COLUMN.to_owned()).chain(reader.attributes().iter().cloned());
    writer.write_record(header).map_err(|error| damaged(&error))?;
    for member in reader {
        let member = member?;
        let values = member.attributes.iter().map(|value| value.to_text().unwrap_or_default());
        let record = shown(member.key.0.clone()).chain(values);
        writer.write_record(record).map_err(|error| damaged(&error))?;
    }
    writer.flush()?;
    Ok(csv.metadata()?.len())
}
