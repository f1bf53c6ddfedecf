//! NDJSON sources: infers types from a bounded sample of each object, and decodes rows in batches of bounded size.

use crate::csv_table::MAX_COLUMNS;
use crate::errors::QueryError;
use crate::objects::SourceObjects;
use crate::text_table::{Batches, MAX_BATCH_BYTES, MAX_RECORD_BYTES, TextFormat, TextTable};
use arrow::json::ReaderBuilder;
use arrow::json::reader::{Decoder, infer_json_schema};
use bytes::{Buf, Bytes};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use futures_util::TryStreamExt;
use object_store::path::Path;
use std::io::Cursor;
use std::sync::Arc;

/// Size of the sample of one object, in bytes. This is also the longest record.
const SAMPLE_BYTES: usize = 1024 * 1024;
/// Total size of the samples of all objects, in bytes.
const SAMPLES_BYTES: usize = 8 * 1024 * 1024;
/// Size of the decoder's input, in bytes, so that a batch is never much larger than its limit.
const PIECE_BYTES: usize = 64 * 1024;
const QUESTION: &str = "newline-delimited JSON has one object a line";

/// Samples the objects and creates the table. A field that is text in one record and a number in another is text.
pub(crate) async fn table(objects: Arc<SourceObjects>) -> Result<TextTable, QueryError> {
    let mut samples: Vec<u8> = Vec::new();
    let mut last = None;
    for object in objects.objects() {
        if samples.len() >= SAMPLES_BYTES {
            break;
        }
        let sample = sample(&objects, &object.location).await?;
        // Each object is inferred on its own first, so that an error names the object.
        infer(&sample).map_err(|_| bad_sample(&objects, &object.location))?;
        samples.extend_from_slice(&sample);
        samples.push(b'\n');
        last = Some(&object.location);
    }
    let schema = infer(&samples).map_err(|_| match last {
        Some(location) => bad_sample(&objects, location),
        None => QueryError::Internal { kind: "JSON sample".to_owned() },
    })?;
    if let (true, Some(location)) = (schema.fields().len() > MAX_COLUMNS, last) {
        return Err(objects.bad(location, format!("has more than 2,000 different fields; {QUESTION}")));
    }
    // A field that is null in the whole sample becomes text, which accepts any plain value.
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            DataType::Null => Field::new(field.name(), DataType::Utf8, true),
            _ => field.as_ref().clone(),
        })
        .collect();
    Ok(TextTable { format: TextFormat::Json, schema: Arc::new(Schema::new(fields)), objects })
}

fn bad_sample(objects: &SourceObjects, location: &Path) -> QueryError {
    objects.bad(location, format!("has a line that is not a JSON object, or a field that is plain in one line and nested in another; {QUESTION}"))
}

fn infer(sample: &[u8]) -> Result<Schema, ArrowError> {
    infer_json_schema(Cursor::new(sample), None).map(|(schema, _)| schema)
}

/// Returns the complete lines at the beginning of an object.
async fn sample(objects: &SourceObjects, location: &Path) -> Result<Vec<u8>, QueryError> {
    let limit = u64::try_from(SAMPLE_BYTES).unwrap_or(u64::MAX);
    let mut body = objects.stream(location, Some(limit)).await?;
    let mut sample: Vec<u8> = Vec::new();
    while let Some(bytes) = body.try_next().await? {
        sample.extend_from_slice(&bytes);
    }
    if sample.trim_ascii_start().starts_with(b"[") {
        return Err(objects.bad(location, format!("is a JSON array; {QUESTION}")));
    }
    if sample.len() >= SAMPLE_BYTES {
        match sample.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => sample.truncate(end),
            None => return Err(too_long(objects, location, 1)),
        }
    }
    Ok(sample)
}

fn too_long(objects: &SourceObjects, location: &Path, line: u64) -> QueryError {
    objects.bad(location, format!("has more than 1 MiB in line {line}; {QUESTION}"))
}

/// Decodes one NDJSON object into batches.
pub(crate) struct JsonBatches {
    objects: Arc<SourceObjects>,
    location: Path,
    schema: SchemaRef,
    decoder: Decoder,
    line: u64,
    line_bytes: usize,
    batch_bytes: usize,
    batch_rows: usize,
}

impl JsonBatches {
    /// Returns a decoder at the beginning of an object.
    pub(crate) fn new(
        objects: Arc<SourceObjects>,
        location: Path,
        schema: SchemaRef,
        batch_rows: usize,
    ) -> Result<Self, QueryError> {
        let decoder = ReaderBuilder::new(Arc::clone(&schema))
            .with_batch_size(batch_rows)
            .with_coerce_primitive(true)
            .build_decoder()
            .map_err(|_| objects.bad(&location, "has a field of a type that cannot be read"))?;
        let (line, line_bytes, batch_bytes) = (1, 0, 0);
        Ok(Self { objects, location, schema, decoder, line, line_bytes, batch_bytes, batch_rows })
    }

    /// Converts the decoder's error, without the value that it quotes.
    fn bad(&self, error: &ArrowError) -> QueryError {
        let text = error.to_string();
        let field = text.split("whilst decoding field '").nth(1).and_then(|rest| rest.split('\'').next());
        let field = field.and_then(|name| self.schema.fields().iter().find(|field| field.name() == name));
        let problem = match field {
            Some(field) => format!(
                "has a value in field {} before line {} that is not {}, as in the records that were sampled; write the field as text in all records",
                field.name(),
                self.line + 1,
                plain(field.data_type())
            ),
            None => {
                format!("has something that is not a JSON object before line {}; {QUESTION}", self.line + 1)
            }
        };
        self.objects.bad(&self.location, problem)
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        self.batch_bytes = 0;
        self.decoder.flush().map_err(|error| self.bad(&error))
    }

    /// Counts the lines of a piece. Returns an error if a line is too long.
    fn count(&mut self, piece: &[u8]) -> Result<(), QueryError> {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.line_bytes += part.len();
            if self.line_bytes > MAX_RECORD_BYTES {
                return Err(too_long(&self.objects, &self.location, self.line));
            }
            if part.ends_with(b"\n") {
                self.line += 1;
                self.line_bytes = 0;
            }
        }
        Ok(())
    }
}

const fn plain(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Int64 => "a whole number",
        DataType::Float64 => "a number",
        DataType::Boolean => "true or false",
        DataType::Utf8 => "text",
        DataType::List(_) => "a list",
        DataType::Struct(_) => "an object",
        _ => "of the same type",
    }
}

impl Batches for JsonBatches {
    fn push(&mut self, bytes: &mut Bytes) -> Result<Option<RecordBatch>, QueryError> {
        while !bytes.is_empty() {
            let piece = bytes.slice(..bytes.len().min(PIECE_BYTES));
            let taken = match self.decoder.decode(&piece) {
                Ok(taken) => taken,
                Err(error) => {
                    self.count(&piece)?;
                    return Err(self.bad(&error));
                }
            };
            self.count(&piece.slice(..taken))?;
            bytes.advance(taken);
            self.batch_bytes += taken;
            let is_full = taken < piece.len() || self.decoder.len() >= self.batch_rows;
            let is_large = self.batch_bytes >= MAX_BATCH_BYTES && !self.decoder.has_partial_record();
            if (is_full || is_large)
                && let Some(batch) = self.flush()?
            {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    fn finish(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        if self.decoder.has_partial_record() {
            return Err(self.objects.bad(&self.location, "ends in the middle of a JSON object"));
        }
        self.flush()
    }
}
