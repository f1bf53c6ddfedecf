//! Reads the members of a snapshot's file one by one, in constant memory.

use super::MEMBER_KEY_COLUMN;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use jiff::{Timestamp, ToSpan, civil::date};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use relay_model::{MemberKey, Scalar};
use std::fs::File;

/// The number of rows decoded at a time: a few hundred kilobytes, whatever the file's size.
const ROWS_AT_A_TIME: usize = 8_192;

/// One row of a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The customer id.
    pub key: MemberKey,
    /// The attributes in the order of [`SnapshotReader::attributes`].
    pub attributes: Vec<Scalar>,
}

/// Why a snapshot cannot be read. Segment Relay writes these files itself, so each of these is an internal
/// error or a storage fault.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be opened or read.
    #[error("snapshot cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// The file is not in the expected Parquet form.
    #[error("snapshot is damaged: {0}")]
    Damaged(String),
    /// A member key is not greater than the one before it.
    #[error("snapshot is not sorted by member key")]
    OutOfOrder,
}

impl From<parquet::errors::ParquetError> for SnapshotError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<arrow::error::ArrowError> for SnapshotError {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// Iterates over a snapshot's members in the order of their keys, and checks that order.
pub struct SnapshotReader {
    attributes: Vec<String>,
    batches: ParquetRecordBatchReader,
    batch: Option<(RecordBatch, usize)>,
    last_key: Option<MemberKey>,
}

impl SnapshotReader {
    /// Opens a snapshot's file.
    pub fn open(file: File) -> Result<Self, SnapshotError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(ROWS_AT_A_TIME);
        let schema = builder.schema().clone();
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        match names.split_first() {
            Some((first, attributes)) if first == MEMBER_KEY_COLUMN => Ok(Self {
                attributes: attributes.to_vec(),
                batches: builder.build()?,
                batch: None,
                last_key: None,
            }),
            _ => Err(SnapshotError::Damaged(format!("the first column is not {MEMBER_KEY_COLUMN}"))),
        }
    }

    /// Returns the attributes' names, in the order of each member's values.
    #[must_use]
    pub fn attributes(&self) -> &[String] {
        &self.attributes
    }

    fn next_member(&mut self) -> Result<Option<Member>, SnapshotError> {
        loop {
            if let Some((batch, row)) = &mut self.batch
                && *row < batch.num_rows()
            {
                let member = member(batch, *row)?;
                *row += 1;
                if self.last_key.as_ref().is_some_and(|last| *last >= member.key) {
                    return Err(SnapshotError::OutOfOrder);
                }
                self.last_key = Some(member.key.clone());
                return Ok(Some(member));
            }
            match self.batches.next() {
                Some(batch) => self.batch = Some((batch?, 0)),
                None => return Ok(None),
            }
        }
    }
}

impl Iterator for SnapshotReader {
    type Item = Result<Member, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_member().transpose()
    }
}

fn member(batch: &RecordBatch, row: usize) -> Result<Member, SnapshotError> {
    let mut columns = batch.columns().iter();
    let key = match columns.next().map(|column| scalar(column, row)).transpose()? {
        Some(Scalar::Text(key)) if !key.is_empty() => MemberKey(key),
        _ => return Err(SnapshotError::Damaged("a member has no key".to_owned())),
    };
    let attributes = columns.map(|column| scalar(column, row)).collect::<Result<_, _>>()?;
    Ok(Member { key, attributes })
}

fn scalar(column: &ArrayRef, row: usize) -> Result<Scalar, SnapshotError> {
    if column.is_null(row) {
        return Ok(Scalar::Null);
    }
    let unrepresentable = || SnapshotError::Damaged("a date or a time is out of range".to_owned());
    Ok(match column.data_type() {
        DataType::Utf8 => Scalar::Text(column.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Scalar::Text(column.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Scalar::Text(column.as_string_view().value(row).to_owned()),
        DataType::Int64 => Scalar::Integer(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Scalar::Decimal(column.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => Scalar::Boolean(column.as_boolean().value(row)),
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().value(row);
            Scalar::Date(date(1970, 1, 1).checked_add(days.days()).map_err(|_| unrepresentable())?)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let microseconds = column.as_primitive::<TimestampMicrosecondType>().value(row);
            Scalar::Moment(Timestamp::from_microsecond(microseconds).map_err(|_| unrepresentable())?)
        }
        other => return Err(SnapshotError::Damaged(format!("a column has the type {other}"))),
    })
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
