//! One person's lines in a custom upload, as it was read.

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use relay_delivery::snapshot::SnapshotError;
use relay_model::MemberKey;
use relay_model::catalog::CustomUpload;
use relay_model::privacy::Wanted;
use relay_pipeline::StageError;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs::File;

/// Lines read at a time.
const LINES_AT_A_TIME: usize = 8_192;

/// The columns of an upload that identify a person.
#[derive(Clone)]
pub(super) struct IdentityColumns {
    /// The column of the customer id.
    member_key: String,
    /// The column of the identity.
    identity: String,
}

impl IdentityColumns {
    pub(super) fn of(upload: &CustomUpload) -> Self {
        let (member_key, identity) = (upload.member_key_column().to_owned(), upload.identity_column.clone());
        Self { member_key, identity }
    }
}

/// The lines of one person in an upload.
#[derive(Default)]
pub(super) struct UploadedLines {
    /// The number of lines.
    pub(super) count: u64,
    /// Each line by column name, if it certainly belongs to the person.
    pub(super) lines: Vec<Map<String, Value>>,
    pub(super) members: BTreeSet<MemberKey>,
}

/// Returns the lines of the wanted person. If the segment of the upload is gone or has other columns now,
/// every value is compared with the keys. Such lines are counted but not returned, because they may belong to
/// another person.
pub(super) fn look(
    file: File,
    columns: Option<&IdentityColumns>,
    wanted: &Wanted,
) -> Result<UploadedLines, StageError> {
    let mut found = UploadedLines::default();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(SnapshotError::from)?;
    let batches = builder.with_batch_size(LINES_AT_A_TIME).build().map_err(SnapshotError::from)?;
    for batch in batches {
        look_at(&batch.map_err(SnapshotError::from)?, columns, wanted, &mut found)?;
    }
    Ok(found)
}

fn look_at(
    batch: &RecordBatch,
    columns: Option<&IdentityColumns>,
    wanted: &Wanted,
    found: &mut UploadedLines,
) -> Result<(), StageError> {
    let texts: Vec<StringArray> = batch
        .columns()
        .iter()
        .map(|column| Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone()))
        .collect::<Result<_, SnapshotError>>()?;
    let schema = batch.schema();
    let has = |name: &str| schema.index_of(name).is_ok();
    let columns = columns.filter(|columns| has(&columns.member_key) && has(&columns.identity));
    let place = |name: &str| schema.index_of(name).ok().and_then(|index| texts.get(index));
    let value =
        |column: &StringArray, line: usize| column.is_valid(line).then(|| column.value(line).to_owned());
    for line in 0..batch.num_rows() {
        let is_theirs = if let Some(columns) = columns {
            let of = |name: &str| place(name).and_then(|column| value(column, line)).unwrap_or_default();
            let member_key = of(&columns.member_key);
            let is_theirs = wanted.has_member(&member_key) || wanted.has_match_key(&of(&columns.identity));
            if is_theirs {
                found.members.insert(MemberKey(member_key));
            }
            is_theirs
        } else {
            let mut values = texts.iter().filter_map(|column| value(column, line));
            values.any(|value| wanted.has(&value, &value))
        };
        found.count += u64::from(is_theirs);
        if is_theirs && columns.is_some() {
            let names = schema.fields().iter().map(|field| field.name().clone());
            let values = texts.iter().map(|column| value(column, line).into());
            found.lines.push(names.zip(values).collect());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array};
    use parquet::arrow::ArrowWriter;
    use relay_model::MatchKey;
    use relay_model::privacy::Person;
    use std::sync::Arc;

    fn uploaded() -> File {
        let keys: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), Some(8), None]));
        let people: ArrayRef =
            Arc::new(StringArray::from(vec![Some("Ann@b.c"), Some("bob@b.c"), Some("c@b.c")]));
        let points: ArrayRef = Arc::new(Int64Array::from(vec![Some(8), None, Some(7)]));
        let batch =
            RecordBatch::try_from_iter([("id", keys), ("email", people), ("points", points)]).unwrap();
        let file = tempfile::tempfile().unwrap();
        let mut writer = ArrowWriter::try_new(file.try_clone().unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        file
    }

    #[track_caller]
    fn check(is_known: bool, person: &Person, count: u64, emails: &[&str], members: &[&str]) {
        let (member_key, identity) = ("id".to_owned(), "email".to_owned());
        let columns = IdentityColumns { member_key, identity };
        let found = look(uploaded(), is_known.then_some(&columns), &Wanted::new(person)).unwrap();
        let found_emails: Vec<&str> =
            found.lines.iter().map(|line| line["email"].as_str().unwrap()).collect();
        assert_eq!((found.count, found_emails.as_slice()), (count, emails));
        assert_eq!(found.members.iter().map(|key| key.0.as_str()).collect::<Vec<_>>(), members);
    }

    #[test]
    fn lines_are_found_by_the_segments_columns() {
        let member = Person::MemberKey(MemberKey("8".to_owned()));
        check(true, &member, 1, &["bob@b.c"], &["8"]);
        check(true, &Person::MatchKey(MatchKey("ann@b.c".to_owned())), 1, &["Ann@b.c"], &["7"]);
        check(true, &Person::MemberKey(MemberKey("9".to_owned())), 0, &[], &[]);
        // Without known columns, one of these lines belongs to another person who has the value by chance.
        check(false, &member, 2, &[], &[]);
    }
}
