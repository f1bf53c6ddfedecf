//! Small snapshots and delivered states for tests.

use super::{DeliveredReader, DeliveredWriter, Record};
use crate::snapshot::MEMBER_KEY_COLUMN;
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use std::fs::File;
use std::sync::Arc;

/// Creates a snapshot of `(member key, e-mail)`, with the attributes `email` and `name` (the e-mail's part
/// before the `@`).
pub(crate) fn snapshot(rows: &[(String, String)]) -> File {
    let keys: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(key, _)| key)));
    let emails: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, email)| email)));
    let names = rows.iter().map(|(_, email)| email.split('@').next().unwrap_or_default());
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(names));
    let batch =
        RecordBatch::try_from_iter([(MEMBER_KEY_COLUMN, keys), ("email", emails), ("name", names)]).unwrap();
    let file = tempfile::tempfile().unwrap();
    let mut writer = ArrowWriter::try_new(file.try_clone().unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

/// Creates a delivered state of these records, in their order.
pub(crate) fn delivered(records: &[Record]) -> DeliveredReader {
    let file = tempfile::tempfile().unwrap();
    let mut writer = DeliveredWriter::new(file.try_clone().unwrap()).unwrap();
    for record in records {
        writer.write(record).unwrap();
    }
    writer.finish().unwrap();
    DeliveredReader::open(file).unwrap()
}
