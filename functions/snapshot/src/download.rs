//! Downloads: all members of a segment as a CSV file.

use crate::answer::{member_counts, segment_columns, source_sizes, unusable_columns};
use crate::context::{Context, TABLE_QUERY};
use crate::errors::{RequestError, segment_error};
use crate::governance::withheld_attributes;
use crate::uploads::unexpired_upload;
use relay_delivery::snapshot::{MEMBER_KEY_COLUMN, SnapshotReader};
use relay_engine::{Engine, EngineSettings, QueryError, SegmentQuery, describe, evaluate};
use relay_model::catalog::{Origin, Segment, Selection, Source};
use relay_model::engine::{EngineRequestId, MembersDownload, SegmentDescription};
use relay_model::run::StopCode;
use relay_pipeline::StageError;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Writes the members that an export would deliver now to a CSV file, with every column that can be mapped, and stores the
/// file.
pub(crate) async fn download(
    context: &Context,
    request_id: EngineRequestId,
    segment: &Segment,
    sources: &BTreeMap<String, Source>,
) -> Result<MembersDownload, RequestError> {
    let lake = context.engine(settings(), sources).await?;
    let (upload_engine, query, member_key) = members_query(context, segment).await?;
    let engine = upload_engine.as_ref().unwrap_or(&lake);
    let failed = |error: QueryError| segment_error(segment, &error);
    let description = describe(engine, &query, &member_key).await.map_err(failed)?;
    let names: Vec<String> = description.columns.iter().map(|column| column.name.clone()).collect();
    let withheld = withheld_attributes(context, &lake, segment, &names, sources).await?;
    let unusable_columns = unusable_columns(&description, &withheld);
    let columns = segment_columns(description, &withheld);
    let attributes = columns.iter().map(|column| column.name.clone()).collect();
    let key_column = if withheld.contains(&member_key) { KeyColumn::Omitted } else { KeyColumn::First };
    let query = SegmentQuery { text: query, member_key, attributes };
    let directory = tempfile::tempdir().map_err(StageError::from)?;
    let (members, csv) = (directory.path().join("members.parquet"), directory.path().join("members.csv"));
    let figures = evaluate(engine, &query, &members).await.map_err(failed)?;
    let path = csv.clone();
    let written = tokio::task::spawn_blocking(move || write_csv(&members, &path, key_column)).await;
    let file_bytes =
        written.map_err(|error| StageError::stop(StopCode::DownloadPanicked, error.to_string()))??;
    context.objects.upload(&request_id.members_key(), &csv).await.map_err(StageError::from)?;
    Ok(MembersDownload {
        description: SegmentDescription { columns, unusable_columns },
        counts: member_counts(&figures),
        sources: source_sizes(figures.sources),
        file_bytes,
    })
}

fn settings() -> EngineSettings {
    EngineSettings::new(std::env::temp_dir())
}

/// Returns the query for the segment's members and its member key. The engine is set for an upload's table, and missing
/// for a query over the sources of the catalog.
async fn members_query(
    context: &Context,
    segment: &Segment,
) -> Result<(Option<Engine>, String, String), RequestError> {
    match segment.origin()? {
        Origin::Selection(Selection { query, member_key }) => {
            Ok((None, query.into_owned(), member_key.to_owned()))
        }
        Origin::Upload(upload) => {
            let current = unexpired_upload(context, segment).await?;
            let engine = context.table_engine(&current.object_key, settings()).await?;
            Ok((Some(engine), TABLE_QUERY.to_owned(), upload.member_key_column().to_owned()))
        }
    }
}

/// Where the member key is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyColumn {
    /// It is the first column.
    First,
    /// It is left out, because it contains data that must not be shown.
    Omitted,
}

/// Writes a snapshot as CSV, in constant memory. Returns the file's size in bytes.
fn write_csv(snapshot: &Path, csv: &Path, key_column: KeyColumn) -> Result<u64, StageError> {
    let not_written =
        |error: &csv::Error| StageError::again(StopCode::Disk, format!("members cannot be written: {error}"));
    let reader = SnapshotReader::open(File::open(snapshot)?)?;
    let mut writer = csv::Writer::from_writer(BufWriter::new(File::create(csv)?));
    let key = |key: String| Some(key).filter(|_| key_column == KeyColumn::First).into_iter();
    let header = key(MEMBER_KEY_COLUMN.to_owned()).chain(reader.attributes().iter().cloned());
    writer.write_record(header).map_err(|error| not_written(&error))?;
    for member in reader {
        let member = member?;
        let values = member.attributes.iter().map(|value| value.to_text().unwrap_or_default());
        let record = key(member.key.0.clone()).chain(values);
        writer.write_record(record).map_err(|error| not_written(&error))?;
    }
    writer.flush()?;
    Ok(csv.metadata()?.len())
}
