//! Tables over text objects: each object is read as a stream and decoded into batches of bounded size.

use crate::csv_table::CsvBatches;
use crate::errors::QueryError;
use crate::json_table::JsonBatches;
use crate::objects::SourceObjects;
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use object_store::ObjectMeta;
use std::collections::VecDeque;
use std::sync::Arc;

/// Longest header or record, in bytes.
pub(crate) const MAX_RECORD_BYTES: usize = 1024 * 1024;
/// Largest size of a batch's text, in bytes, for any number of rows.
pub(crate) const MAX_BATCH_BYTES: usize = 2 * 1024 * 1024;

/// The format of a table's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextFormat {
    /// Comma-separated values. Every column is text.
    Csv,
    /// One JSON object in each line.
    Json,
}

/// A source of text objects with a known schema.
#[derive(Debug)]
pub(crate) struct TextTable {
    pub(crate) format: TextFormat,
    pub(crate) objects: Arc<SourceObjects>,
    pub(crate) schema: SchemaRef,
}

#[async_trait]
impl TableProvider for TextTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(projection) => Arc::new(self.schema.project(projection)?),
            None => Arc::clone(&self.schema),
        };
        let batch_rows = state.config().batch_size();
        let partitions = shares(self.objects.objects(), state.config().target_partitions())
            .into_iter()
            .map(|objects| -> Arc<dyn PartitionStream> {
                Arc::new(TextPartition {
                    format: self.format,
                    source: Arc::clone(&self.objects),
                    objects,
                    schema: Arc::clone(&schema),
                    batch_rows,
                })
            })
            .collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, [], false, limit)?))
    }
}

/// Distributes the objects so that each partition reads about as many bytes: assigns the largest object first, always to
/// the partition with the fewest bytes.
fn shares<'a>(objects: impl Iterator<Item = &'a ObjectMeta>, partitions: usize) -> Vec<Vec<ObjectMeta>> {
    let mut objects: Vec<ObjectMeta> = objects.cloned().collect();
    objects
        .sort_by(|left, right| right.size.cmp(&left.size).then_with(|| left.location.cmp(&right.location)));
    let mut shares: Vec<(u64, Vec<ObjectMeta>)> =
        vec![(0, Vec::new()); partitions.clamp(1, objects.len().max(1))];
    for object in objects {
        if let Some((bytes, share)) = shares.iter_mut().min_by_key(|(bytes, _)| *bytes) {
            *bytes += object.size;
            share.push(object);
        }
    }
    shares.into_iter().map(|(_, share)| share).collect()
}

#[derive(Debug)]
struct TextPartition {
    format: TextFormat,
    source: Arc<SourceObjects>,
    objects: Vec<ObjectMeta>,
    schema: SchemaRef,
    batch_rows: usize,
}

impl PartitionStream for TextPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let reader = Reader {
            format: self.format,
            source: Arc::clone(&self.source),
            waiting: self.objects.iter().cloned().collect(),
            schema: Arc::clone(&self.schema),
            batch_rows: self.batch_rows,
            current: None,
        };
        let batches = stream::try_unfold(reader, |mut reader| async move {
            let batch = reader.next().await.map_err(|error| DataFusionError::External(Box::new(error)))?;
            Ok(batch.map(|batch| (batch, reader)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

/// Decodes the bytes of one object into batches.
pub(crate) trait Batches: Send {
    /// Decodes bytes from the front until a batch is full or no bytes are left.
    fn push(&mut self, bytes: &mut Bytes) -> Result<Option<RecordBatch>, QueryError>;
    /// Returns the last rows, at the end of the object.
    fn finish(&mut self) -> Result<Option<RecordBatch>, QueryError>;
}

struct Open {
    body: BoxStream<'static, Result<Bytes, QueryError>>,
    decoder: Box<dyn Batches>,
    bytes: Bytes,
}

struct Reader {
    format: TextFormat,
    source: Arc<SourceObjects>,
    waiting: VecDeque<ObjectMeta>,
    schema: SchemaRef,
    batch_rows: usize,
    current: Option<Open>,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        loop {
            let Some(open) = &mut self.current else {
                let Some(object) = self.waiting.pop_front() else {
                    return Ok(None);
                };
                self.current = Some(self.open(&object).await?);
                continue;
            };
            if !open.bytes.is_empty() {
                if let Some(batch) = open.decoder.push(&mut open.bytes)? {
                    return Ok(Some(batch));
                }
                continue;
            }
            if let Some(bytes) = open.body.next().await {
                open.bytes = bytes?;
                continue;
            }
            let last = open.decoder.finish()?;
            self.current = None;
            if last.is_some() {
                return Ok(last);
            }
        }
    }

    async fn open(&mut self, object: &ObjectMeta) -> Result<Open, QueryError> {
        let body = self.source.stream(&object.location, None).await?;
        let (source, schema) = (Arc::clone(&self.source), Arc::clone(&self.schema));
        let location = object.location.clone();
        let decoder: Box<dyn Batches> = match self.format {
            TextFormat::Csv => Box::new(CsvBatches::new(source, location, schema, self.batch_rows)),
            TextFormat::Json => Box::new(JsonBatches::new(source, location, schema, self.batch_rows)?),
        };
        Ok(Open { body, decoder, bytes: Bytes::new() })
    }
}
