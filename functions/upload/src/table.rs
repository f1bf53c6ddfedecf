//! Writes the valid lines as Parquet.

use crate::header::MAX_LINE_BYTES;
use crate::values::Value;
use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use relay_model::catalog::UploadColumnType;
use relay_model::uploads::UploadColumn;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

/// Maximum rows per batch.
const BATCH_ROWS: usize = 8 * 1024;
/// Maximum bytes of text per batch; the last line may exceed it.
const BATCH_BYTES: usize = 2 * 1024 * 1024;
/// Maximum rows per row group. A row group stays in memory until it is complete.
const ROW_GROUP_ROWS: usize = 64 * 1024;
/// Maximum encoded bytes per row group; the last batch may exceed it.
const ROW_GROUP_BYTES: usize = 16 * 1024 * 1024;

// A line always fits in a batch.
const _: () = assert!(MAX_LINE_BYTES < BATCH_BYTES);

/// Collects the values of one column.
enum Column {
    Text(StringBuilder),
    Integer(Int64Builder),
    Decimal(Float64Builder),
    Boolean(BooleanBuilder),
    Date(Date32Builder),
    Datetime(TimestampMicrosecondBuilder),
}

impl Column {
    fn new(column_type: UploadColumnType) -> Self {
        match column_type {
            UploadColumnType::Text => Self::Text(StringBuilder::new()),
            UploadColumnType::Integer => Self::Integer(Int64Builder::new()),
            UploadColumnType::Decimal => Self::Decimal(Float64Builder::new()),
            UploadColumnType::Boolean => Self::Boolean(BooleanBuilder::new()),
            UploadColumnType::Date => Self::Date(Date32Builder::new()),
            UploadColumnType::Datetime => {
                Self::Datetime(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
        }
    }

    fn push(&mut self, value: Value<'_>) {
        match (self, value) {
            (Self::Text(column), Value::Text(text)) => column.append_value(text),
            (Self::Integer(column), Value::Integer(number)) => column.append_value(number),
            (Self::Decimal(column), Value::Decimal(number)) => column.append_value(number),
            (Self::Boolean(column), Value::Boolean(is_so)) => column.append_value(is_so),
            (Self::Date(column), Value::Date(days)) => column.append_value(days),
            (Self::Datetime(column), Value::Datetime(microseconds)) => column.append_value(microseconds),
            // Values are parsed as the type of their column, so only nulls remain.
            (Self::Text(column), _) => column.append_null(),
            (Self::Integer(column), _) => column.append_null(),
            (Self::Decimal(column), _) => column.append_null(),
            (Self::Boolean(column), _) => column.append_null(),
            (Self::Date(column), _) => column.append_null(),
            (Self::Datetime(column), _) => column.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.finish()),
            Self::Integer(column) => Arc::new(column.finish()),
            Self::Decimal(column) => Arc::new(column.finish()),
            Self::Boolean(column) => Arc::new(column.finish()),
            Self::Date(column) => Arc::new(column.finish()),
            Self::Datetime(column) => Arc::new(column.finish()),
        }
    }
}

fn data_type(column_type: UploadColumnType) -> DataType {
    match column_type {
        UploadColumnType::Text => DataType::Utf8,
        UploadColumnType::Integer => DataType::Int64,
        UploadColumnType::Decimal => DataType::Float64,
        UploadColumnType::Boolean => DataType::Boolean,
        UploadColumnType::Date => DataType::Date32,
        UploadColumnType::Datetime => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}

/// Writes rows to a file.
pub(crate) struct Table {
    schema: SchemaRef,
    columns: Vec<Column>,
    writer: ArrowWriter<BufWriter<File>>,
    batch_rows: usize,
    batch_bytes: usize,
    rows: u64,
}

impl Table {
    /// Creates a table at `path`.
    pub(crate) fn create(path: &Path, columns: &[UploadColumn]) -> Result<Self, ParquetError> {
        let fields: Vec<Field> = columns
            .iter()
            .map(|column| Field::new(&column.name, data_type(column.column_type), true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let file = File::create(path).map_err(|error| ParquetError::External(Box::new(error)))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            .set_statistics_enabled(EnabledStatistics::None)
            .set_created_by("segment-relay".to_owned())
            .build();
        let writer = ArrowWriter::try_new(BufWriter::new(file), Arc::clone(&schema), Some(properties))?;
        let columns = columns.iter().map(|column| Column::new(column.column_type)).collect();
        Ok(Self { schema, columns, writer, batch_rows: 0, batch_bytes: 0, rows: 0 })
    }

    /// Adds a row with values in column order. `bytes` is the size of their text.
    pub(crate) fn push(&mut self, values: &[Value<'_>], bytes: usize) -> Result<(), ParquetError> {
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(*value);
        }
        self.rows += 1;
        self.batch_rows += 1;
        self.batch_bytes += bytes;
        if self.batch_rows >= BATCH_ROWS || self.batch_bytes >= BATCH_BYTES {
            self.write_batch()?;
        }
        Ok(())
    }

    /// Ends the file, and returns its number of rows.
    pub(crate) fn finish(mut self) -> Result<u64, ParquetError> {
        if self.batch_rows > 0 {
            self.write_batch()?;
        }
        self.writer.close()?;
        Ok(self.rows)
    }

    fn write_batch(&mut self) -> Result<(), ParquetError> {
        let arrays: Vec<ArrayRef> = self.columns.iter_mut().map(Column::finish).collect();
        (self.batch_rows, self.batch_bytes) = (0, 0);
        self.writer.write(&RecordBatch::try_new(Arc::clone(&self.schema), arrays)?)
    }
}
