//! Writes sorted rows to a Parquet file with one row for each member.
//!
//! Encoding and compression run on a thread of their own, in parallel with the engine's merge. The file gets its name
//! when it is complete.

use crate::errors::QueryError;
use crate::exclusion_filter::ExclusionFilter;
use crate::members::Members;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use relay_model::privacy::Exclusions;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Rows in a row group, which a reader holds in memory.
const ROW_GROUP_ROWS: usize = 64 * 1024;
/// Largest number of batches that wait for the writing thread.
const WAITING_BATCHES: usize = 2;

/// The figures of the file.
pub(crate) struct Written {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) blake3: String,
    pub(crate) rows_without_key: u64,
    pub(crate) duplicate_member_rows: u64,
    pub(crate) excluded_members: u64,
}

/// Writes batches that are sorted by their first column.
pub(crate) struct SnapshotWriter {
    schema: SchemaRef,
    batches: mpsc::Sender<RecordBatch>,
    file: JoinHandle<Result<(u64, String), QueryError>>,
    members: Members,
    exclusion_filter: ExclusionFilter,
    rows: u64,
}

impl SnapshotWriter {
    /// Creates a writer of the file at `out` that leaves out excluded members.
    pub(crate) fn create(out: &Path, schema: SchemaRef, excluded: Exclusions) -> Result<Self, QueryError> {
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(folder).map_err(|error| not_written(&error))?;
        let members = Members::new(schema.clone())?;
        let (batches, received) = mpsc::channel(WAITING_BATCHES);
        let (out, file_schema) = (out.to_owned(), schema.clone());
        let file = tokio::task::spawn_blocking(move || write_file(file, out, file_schema, received));
        Ok(Self { schema, batches, file, members, exclusion_filter: ExclusionFilter::new(excluded), rows: 0 })
    }

    /// Writes the batch's members.
    pub(crate) async fn write(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        let Some(batch) = self.exclusion_filter.filter(batch)? else { return Ok(()) };
        for members in self.members.push(&batch)? {
            self.send(members).await?;
        }
        Ok(())
    }

    async fn send(&mut self, members: RecordBatch) -> Result<(), QueryError> {
        self.rows += count(members.num_rows());
        if self.batches.send(members).await.is_ok() {
            return Ok(());
        }
        // The writing thread has ended early, and its result has the cause.
        let ended = tokio::task::spawn_blocking(|| Err(internal("writer")));
        let ended = std::mem::replace(&mut self.file, ended).await.map_err(|_| internal("writer"))?;
        Err(ended.err().unwrap_or_else(|| internal("writer")))
    }

    /// Ends without a file, and waits until the temporary file is deleted.
    pub(crate) async fn abandon(self) {
        drop(self.batches);
        // The thread's error only says that the query ended.
        drop(self.file.await);
    }

    /// Completes the file and renames it.
    pub(crate) async fn finish(mut self) -> Result<Written, QueryError> {
        if let Some(last) = self.members.last() {
            self.send(last).await?;
        }
        // An empty batch marks the end. A channel that closes without it means that the query failed.
        let end = RecordBatch::new_empty(self.schema);
        drop(self.batches.send(end).await);
        let (bytes, blake3) = self.file.await.map_err(|_| internal("writer"))??;
        Ok(Written {
            rows: self.rows,
            bytes,
            blake3,
            rows_without_key: self.members.rows_without_key,
            duplicate_member_rows: self.members.duplicate_rows,
            excluded_members: self.exclusion_filter.excluded_members,
        })
    }
}

/// Writes batches until the end mark, or until the channel closes.
fn write_file(
    file: NamedTempFile,
    out: PathBuf,
    schema: SchemaRef,
    mut batches: mpsc::Receiver<RecordBatch>,
) -> Result<(u64, String), QueryError> {
    let hashing = Hashing { inner: std::io::BufWriter::new(file), hasher: blake3::Hasher::new(), bytes: 0 };
    let mut writer =
        ArrowWriter::try_new(hashing, schema, Some(properties())).map_err(|_| internal("file"))?;
    loop {
        match batches.blocking_recv() {
            None => return Err(internal("query ended")),
            Some(batch) if batch.num_rows() == 0 => break,
            Some(batch) => writer.write(&batch).map_err(|error| explain(&error))?,
        }
    }
    let hashing = writer.into_inner().map_err(|error| explain(&error))?;
    let (bytes, hash) = (hashing.bytes, hashing.hasher.finalize());
    let file = hashing.inner.into_inner().map_err(|error| not_written(error.error()))?;
    file.persist(out).map_err(|error| not_written(&error.error))?;
    Ok((bytes, hash.to_hex().to_string()))
}

fn properties() -> WriterProperties {
    let key = ColumnPath::from(crate::columns::MEMBER_KEY);
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::None)
        // Keys are unique, and neighbours share a prefix.
        .set_column_dictionary_enabled(key.clone(), false)
        .set_column_encoding(key, Encoding::DELTA_BYTE_ARRAY)
        .set_created_by("segment-relay".to_owned())
        .build()
}

struct Hashing<W> {
    inner: W,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.hasher.update(buffer.get(..written).unwrap_or_default());
        self.bytes += count(written);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn internal(kind: &str) -> QueryError {
    QueryError::Internal { kind: kind.to_owned() }
}

fn not_written(error: &std::io::Error) -> QueryError {
    QueryError::Output { kind: error.kind().to_string() }
}

fn explain(error: &parquet::errors::ParquetError) -> QueryError {
    let io = match error {
        parquet::errors::ParquetError::External(cause) => cause.downcast_ref::<std::io::Error>(),
        _ => None,
    };
    io.map_or_else(|| internal("Parquet"), not_written)
}
