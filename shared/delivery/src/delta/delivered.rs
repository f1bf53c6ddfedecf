//! The delivered state of one target list: what the destination has acknowledged so far. A Parquet file
//! sorted by member key, replaced as a whole when a run finishes.

use crate::snapshot::SnapshotError;
use arrow::array::{
    Array, AsArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder, RecordBatch, StringBuilder, UInt8Builder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt8Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use relay_model::{MatchKey, MemberKey, RowHash};
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

/// The number of rows written or read at a time.
const ROWS_AT_A_TIME: usize = 8_192;
/// The number of rows of a row group, which limits the writer's memory.
const ROWS_A_GROUP: usize = 65_536;

/// The last delivered membership of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// On the list: Segment Relay added the person and may remove them.
    Delivered,
    /// Not on the list: Segment Relay removed the person, so it may ask for a resubscription.
    Removed,
}

/// The delivered state of one person on one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The member that the person was delivered for.
    pub member_key: MemberKey,
    /// The person in the destination, as sent.
    pub match_key: MatchKey,
    /// The digest of what was sent last.
    pub hash: RowHash,
    /// The membership.
    pub holding: Holding,
    /// The destination's own id of the person, if it returned one.
    pub destination_id: Option<String>,
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("member_key", DataType::Utf8, false),
        Field::new("match_key", DataType::Utf8, false),
        Field::new("row_hash", DataType::FixedSizeBinary(16), false),
        Field::new("holding", DataType::UInt8, false),
        Field::new("destination_id", DataType::Utf8, true),
    ]))
}

/// Writes a delivered state record by record, in constant memory.
pub struct DeliveredWriter<W: Write + Send> {
    writer: ArrowWriter<W>,
    member_keys: StringBuilder,
    match_keys: StringBuilder,
    hashes: FixedSizeBinaryBuilder,
    holdings: UInt8Builder,
    destination_ids: StringBuilder,
    pending: usize,
    records: u64,
}

impl<W: Write + Send> DeliveredWriter<W> {
    /// Starts a file.
    pub fn new(sink: W) -> Result<Self, SnapshotError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROWS_A_GROUP))
            .build();
        Ok(Self {
            writer: ArrowWriter::try_new(sink, schema(), Some(properties))?,
            member_keys: StringBuilder::new(),
            match_keys: StringBuilder::new(),
            hashes: FixedSizeBinaryBuilder::new(16),
            holdings: UInt8Builder::new(),
            destination_ids: StringBuilder::new(),
            pending: 0,
            records: 0,
        })
    }

    /// Appends a record. Records must be in the order of their member keys.
    pub fn write(&mut self, record: &Record) -> Result<(), SnapshotError> {
        self.member_keys.append_value(&record.member_key.0);
        self.match_keys.append_value(&record.match_key.0);
        self.hashes.append_value(record.hash.0)?;
        self.holdings.append_value(match record.holding {
            Holding::Delivered => 0,
            Holding::Removed => 1,
        });
        self.destination_ids.append_option(record.destination_id.as_deref());
        self.pending += 1;
        self.records += 1;
        if self.pending >= ROWS_AT_A_TIME { self.flush() } else { Ok(()) }
    }

    /// Ends the file and returns the number of records.
    pub fn finish(mut self) -> Result<u64, SnapshotError> {
        self.flush()?;
        self.writer.close()?;
        Ok(self.records)
    }

    fn flush(&mut self) -> Result<(), SnapshotError> {
        let batch = RecordBatch::try_new(
            schema(),
            vec![
                Arc::new(self.member_keys.finish()),
                Arc::new(self.match_keys.finish()),
                Arc::new(self.hashes.finish()),
                Arc::new(self.holdings.finish()),
                Arc::new(self.destination_ids.finish()),
            ],
        )?;
        self.pending = 0;
        Ok(self.writer.write(&batch)?)
    }
}

/// Reads a delivered state record by record, in constant memory.
pub struct DeliveredReader {
    batches: Option<ParquetRecordBatchReader>,
    batch: Option<(RecordBatch, usize)>,
}

impl DeliveredReader {
    /// Opens a delivered state.
    pub fn open(file: File) -> Result<Self, SnapshotError> {
        let batches =
            ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(ROWS_AT_A_TIME).build()?;
        Ok(Self { batches: Some(batches), batch: None })
    }

    /// Creates the empty delivered state of a new list.
    #[must_use]
    pub const fn empty() -> Self {
        Self { batches: None, batch: None }
    }

    fn next_record(&mut self) -> Result<Option<Record>, SnapshotError> {
        loop {
            if let Some((batch, row)) = &mut self.batch
                && *row < batch.num_rows()
            {
                let record = record(batch, *row)
                    .ok_or_else(|| SnapshotError::Damaged("delivered state has other columns".to_owned()))?;
                *row += 1;
                return Ok(Some(record));
            }
            match self.batches.as_mut().and_then(Iterator::next) {
                Some(batch) => self.batch = Some((batch?, 0)),
                None => return Ok(None),
            }
        }
    }
}

impl Iterator for DeliveredReader {
    type Item = Result<Record, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().transpose()
    }
}

fn record(batch: &RecordBatch, row: usize) -> Option<Record> {
    let text =
        |column: usize| Some(batch.columns().get(column)?.as_string_opt::<i32>()?.value(row).to_owned());
    let hash = batch.columns().get(2)?.as_any().downcast_ref::<FixedSizeBinaryArray>()?.value(row);
    let holding = match batch.columns().get(3)?.as_primitive_opt::<UInt8Type>()?.value(row) {
        0 => Holding::Delivered,
        1 => Holding::Removed,
        _ => return None,
    };
    let destination_id = if batch.columns().get(4)?.is_null(row) { None } else { Some(text(4)?) };
    Some(Record {
        member_key: MemberKey(text(0)?),
        match_key: MatchKey(text(1)?),
        hash: RowHash(hash.try_into().ok()?),
        holding,
        destination_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records() -> impl Strategy<Value = Vec<Record>> {
        let record =
            ("\\PC{1,6}", "\\PC{0,6}", any::<[u8; 16]>(), any::<bool>(), proptest::option::of("\\PC{0,4}"));
        proptest::collection::vec(
            record.prop_map(|(member, person, hash, on_list, id)| Record {
                member_key: MemberKey(member),
                match_key: MatchKey(person),
                hash: RowHash(hash),
                holding: if on_list { Holding::Delivered } else { Holding::Removed },
                destination_id: id,
            }),
            0..20,
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(records in records()) {
            let file = tempfile::tempfile().unwrap();
            let mut writer = DeliveredWriter::new(file.try_clone().unwrap()).unwrap();
            for record in &records {
                writer.write(record).unwrap();
            }
            prop_assert_eq!(writer.finish().unwrap(), u64::try_from(records.len()).unwrap());
            let read: Vec<Record> = DeliveredReader::open(file).unwrap().map(Result::unwrap).collect();
            prop_assert_eq!(read, records);
        }
    }

    #[test]
    fn a_list_without_deliveries_has_no_records() {
        assert_eq!(DeliveredReader::empty().count(), 0);
    }
}
