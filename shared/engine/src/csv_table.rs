//! CSV sources: checks all headers before the query starts, and decodes rows by the names in the header.

use crate::errors::QueryError;
use crate::objects::SourceObjects;
use crate::text_table::{Batches, MAX_BATCH_BYTES, MAX_RECORD_BYTES, TextFormat, TextTable};
use bytes::{Buf, Bytes};
use datafusion::arrow::array::{ArrayRef, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use relay_delivery::delimited::{Malformed, RecordForm, RecordReader};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Largest number of columns in a header.
pub(crate) const MAX_COLUMNS: usize = 2_000;
/// Longest name of a column, in bytes.
const MAX_NAME_BYTES: usize = 128;
/// Number of headers that are read concurrently.
const HEADERS_AT_ONCE: usize = 8;
const HEADER: RecordForm =
    RecordForm { separator: b',', max_fields: MAX_COLUMNS, max_record_bytes: MAX_RECORD_BYTES };
const QUESTION: &str = "is this a CSV file with a header row?";

/// Reads every object's header and creates the table.
///
/// All objects must have the same columns, in any order. Otherwise an object without a header row, or of another table,
/// would become rows of NULLs.
pub(crate) async fn table(objects: Arc<SourceObjects>) -> Result<TextTable, QueryError> {
    let locations: Vec<Path> = objects.objects().map(|object| object.location.clone()).collect();
    let mut headers = stream::iter(locations)
        .map(|location| {
            let objects = Arc::clone(&objects);
            async move { header(&objects, &location).await.map(|names| (location, names)) }
        })
        .buffered(HEADERS_AT_ONCE);
    let mut first: Option<(Path, Vec<String>)> = None;
    while let Some((location, names)) = headers.try_next().await? {
        match &first {
            None => first = Some((location, names)),
            Some((first_location, expected)) => {
                same_columns(&objects, first_location, expected, &location, &names)?;
            }
        }
    }
    drop(headers);
    let names = first.map(|(_, names)| names).unwrap_or_default();
    let fields: Vec<Field> = names.into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    Ok(TextTable { format: TextFormat::Csv, objects, schema: Arc::new(Schema::new(fields)) })
}

/// Names the missing columns, which the first object has. Only counts the additional ones, because they are personal data
/// if the header row is missing.
fn same_columns(
    objects: &SourceObjects,
    first_location: &Path,
    expected: &[String],
    location: &Path,
    names: &[String],
) -> Result<(), QueryError> {
    let found: BTreeSet<&String> = names.iter().collect();
    let missing: Vec<String> = expected.iter().filter(|name| !found.contains(name)).cloned().collect();
    let additional = names.len() + missing.len() - expected.len();
    if missing.is_empty() && additional == 0 {
        return Ok(());
    }
    let missing = if missing.is_empty() {
        String::new()
    } else {
        format!(", without {}", relay_model::query::listed(&missing))
    };
    Err(objects.bad(
        location,
        format!("has other columns than {first_location}{missing}, with {additional} that are not there; {QUESTION}"),
    ))
}

async fn header(objects: &SourceObjects, location: &Path) -> Result<Vec<String>, QueryError> {
    let too_long = || objects.bad(location, format!("has a header longer than 1 MiB; {QUESTION}"));
    let limit = u64::try_from(MAX_RECORD_BYTES + 1).unwrap_or(u64::MAX);
    // The header is nearly always in the first few kilobytes, so the first request is small.
    for first_bytes in [64 * 1024, limit] {
        let mut body = objects.stream(location, Some(first_bytes)).await?;
        let mut reader = RecordReader::new(HEADER);
        let mut has_mark = Some(true);
        let mut seen_bytes = 0_u64;
        while let Some(bytes) = body.try_next().await? {
            seen_bytes += u64::try_from(bytes.len()).unwrap_or_default();
            let bytes = if has_mark.take().is_some() { without_mark(bytes) } else { bytes };
            let (_, is_complete) = reader.read(&bytes);
            refuse_malformed(objects, location, &reader)?;
            if is_complete {
                return names(objects, location, &reader);
            }
        }
        if seen_bytes < first_bytes {
            let is_complete = reader.finish();
            refuse_malformed(objects, location, &reader)?;
            if is_complete {
                return names(objects, location, &reader);
            }
            return Err(objects.bad(location, format!("has no header; {QUESTION}")));
        }
    }
    Err(too_long())
}

fn refuse_malformed(
    objects: &SourceObjects,
    location: &Path,
    header: &RecordReader,
) -> Result<(), QueryError> {
    match header.problem() {
        Some(problem) => Err(objects.bad(location, words(problem, "its header", MAX_COLUMNS))),
        None => Ok(()),
    }
}

/// Removes the byte order mark that spreadsheet programs write.
fn without_mark(mut bytes: Bytes) -> Bytes {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.advance(3);
    }
    bytes
}

/// Returns the header's names. Detects a row of data by values that cannot be names of columns, and never quotes it.
fn names(objects: &SourceObjects, location: &Path, reader: &RecordReader) -> Result<Vec<String>, QueryError> {
    let mut names = Vec::with_capacity(reader.len());
    let mut seen = BTreeSet::new();
    for index in 0..reader.len() {
        let bytes = reader.field(index).map(|(bytes, _)| bytes).unwrap_or_default();
        let at = |problem: &str| {
            objects.bad(location, format!("{problem} in column {} of its header; {QUESTION}", index + 1))
        };
        let name = std::str::from_utf8(bytes).map_err(|_| at("is not UTF-8"))?.trim();
        if name.is_empty() {
            return Err(at("has an empty name"));
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(at("has a name longer than 128 bytes"));
        }
        if name.contains('@') || name.contains(char::is_control) || name.parse::<f64>().is_ok() {
            return Err(at("has what looks like data"));
        }
        if !seen.insert(name.to_owned()) {
            return Err(at("has a name for the second time"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

fn words(problem: Malformed, place: &str, fields: usize) -> String {
    match problem {
        Malformed::TooLong => format!("has more than 1 MiB in {place}; {QUESTION}"),
        Malformed::TooManyFields if fields == MAX_COLUMNS => {
            format!("has more than 2,000 columns in {place}; {QUESTION}")
        }
        Malformed::TooManyFields => {
            format!("has more than {fields} values in {place}, where its header has {fields}")
        }
        Malformed::OpenQuote => format!("ends inside a quoted value that begins in {place}"),
    }
}

/// Decodes one CSV object into batches of text columns.
pub(crate) struct CsvBatches {
    objects: Arc<SourceObjects>,
    location: Path,
    schema: SchemaRef,
    reader: RecordReader,
    /// Index in the object of each column of the batch, set when the header is read.
    places: Option<Vec<usize>>,
    header_fields: usize,
    builders: Vec<StringBuilder>,
    rows: usize,
    bytes: usize,
    batch_rows: usize,
}

impl CsvBatches {
    /// Returns a decoder at the beginning of an object.
    pub(crate) fn new(
        objects: Arc<SourceObjects>,
        location: Path,
        schema: SchemaRef,
        batch_rows: usize,
    ) -> Self {
        let builders = schema.fields().iter().map(|_| StringBuilder::new()).collect();
        let reader = RecordReader::new(HEADER);
        let (places, header_fields, rows, bytes) = (None, 0, 0, 0);
        Self { objects, location, schema, reader, places, header_fields, builders, rows, bytes, batch_rows }
    }

    fn refuse_malformed(&self) -> Result<(), QueryError> {
        let Some(problem) = self.reader.problem() else { return Ok(()) };
        let place = format!("the record in line {}", self.reader.first_line());
        Err(self.objects.bad(&self.location, words(problem, &place, self.header_fields)))
    }

    /// Handles a complete record: stores the header's indexes, or adds a row.
    fn keep(&mut self) -> Result<(), QueryError> {
        let Some(places) = &self.places else {
            let names = names(&self.objects, &self.location, &self.reader)?;
            let place = |field: &Arc<Field>| names.iter().position(|name| name == field.name());
            let places: Option<Vec<usize>> = self.schema.fields().iter().map(place).collect();
            self.places = Some(places.ok_or_else(|| {
                self.objects.bad(&self.location, "has other columns than when the query was planned")
            })?);
            self.header_fields = names.len();
            self.reader = RecordReader::after_header(&self.reader, names.len());
            return Ok(());
        };
        let line = self.reader.first_line();
        if self.reader.len() != self.header_fields {
            let problem = format!(
                "has {} values in the record in line {line}, where its header has {}; are its quotes closed?",
                self.reader.len(),
                self.header_fields
            );
            return Err(self.objects.bad(&self.location, problem));
        }
        for (builder, place) in self.builders.iter_mut().zip(places) {
            let (bytes, is_quoted) = self.reader.field(*place).unwrap_or_default();
            if bytes.is_empty() && !is_quoted {
                builder.append_null();
                continue;
            }
            let text = std::str::from_utf8(bytes).map_err(|_| {
                let problem = format!("is not UTF-8 in column {} of the record in line {line}", place + 1);
                self.objects.bad(&self.location, problem)
            })?;
            builder.append_value(text);
        }
        self.rows += 1;
        self.bytes += self.reader.byte_len();
        self.reader.clear();
        Ok(())
    }

    fn batch(&mut self) -> Result<RecordBatch, QueryError> {
        let columns: Vec<ArrayRef> =
            self.builders.iter_mut().map(|builder| -> ArrayRef { Arc::new(builder.finish()) }).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|_| QueryError::Internal { kind: "CSV batch".to_owned() })
    }
}

impl Batches for CsvBatches {
    fn push(&mut self, bytes: &mut Bytes) -> Result<Option<RecordBatch>, QueryError> {
        if self.places.is_none() && self.reader.is_at_start() {
            *bytes = without_mark(std::mem::take(bytes));
        }
        while !bytes.is_empty() {
            let (taken, is_complete) = self.reader.read(bytes);
            self.refuse_malformed()?;
            bytes.advance(taken);
            if is_complete {
                self.keep()?;
            }
            if self.rows >= self.batch_rows || self.bytes >= MAX_BATCH_BYTES {
                return self.batch().map(Some);
            }
        }
        Ok(None)
    }

    fn finish(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        let is_complete = self.reader.finish();
        self.refuse_malformed()?;
        if is_complete {
            self.keep()?;
        }
        if self.rows == 0 { Ok(None) } else { self.batch().map(Some) }
    }
}
