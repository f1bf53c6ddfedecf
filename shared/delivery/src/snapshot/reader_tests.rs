//! Every type of value, and invalid files.

use super::*;
use arrow::array::{
    BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use parquet::arrow::ArrowWriter;
use std::sync::Arc;

fn file(columns: Vec<(&str, ArrayRef)>) -> File {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    );
    let batch = batch.unwrap();
    let file = tempfile::tempfile().unwrap();
    let mut writer = ArrowWriter::try_new(file.try_clone().unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

fn keys(keys: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(keys.to_vec()))
}

#[test]
fn every_type_is_read() {
    let file = file(vec![
        (MEMBER_KEY_COLUMN, keys(&["a", "b"])),
        ("name", Arc::new(StringArray::from(vec![Some(""), None]))),
        ("points", Arc::new(Int64Array::from(vec![Some(0), None]))),
        ("spent", Arc::new(Float64Array::from(vec![Some(0.5), None]))),
        ("vip", Arc::new(BooleanArray::from(vec![Some(false), None]))),
        ("born", Arc::new(Date32Array::from(vec![Some(-1), None]))),
        ("seen", Arc::new(TimestampMicrosecondArray::from(vec![Some(1), None]))),
    ]);
    let reader = SnapshotReader::open(file).unwrap();
    assert_eq!(reader.attributes(), ["name", "points", "spent", "vip", "born", "seen"]);
    let members: Vec<Member> = reader.map(Result::unwrap).collect();
    let expected = [
        Scalar::Text(String::new()),
        Scalar::Integer(0),
        Scalar::Decimal(0.5),
        Scalar::Boolean(false),
        Scalar::Date(date(1969, 12, 31)),
        Scalar::Moment(Timestamp::from_microsecond(1).unwrap()),
    ];
    assert_eq!(members[0].attributes, expected);
    assert!(members[1].attributes.iter().all(|value| *value == Scalar::Null));
}

#[track_caller]
fn check(columns: Vec<(&str, ArrayRef)>, expected: &str) {
    let failure = match SnapshotReader::open(file(columns)) {
        Ok(mut reader) => reader.find_map(Result::err).unwrap(),
        Err(error) => error,
    };
    assert!(failure.to_string().contains(expected), "{failure}");
}

#[test]
fn damage_is_noticed() {
    check(vec![("name", keys(&["a"]))], "the first column is not member_key");
    check(vec![(MEMBER_KEY_COLUMN, keys(&["b", "a"]))], "not sorted");
    check(vec![(MEMBER_KEY_COLUMN, keys(&["a", "a"]))], "not sorted");
    check(vec![(MEMBER_KEY_COLUMN, keys(&[""]))], "a member has no key");
    let wrong: ArrayRef = Arc::new(arrow::array::Int8Array::from(vec![1]));
    check(vec![(MEMBER_KEY_COLUMN, keys(&["a"])), ("points", wrong)], "has the type Int8");
}
