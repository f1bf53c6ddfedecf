//! No batch exceeds a limit, no row is lost or changes its lane, and each lane keeps its order.

use super::*;
use proptest::prelude::*;
use relay_model::{FieldValue, MatchKey, MemberKey, Operation};

fn row(number: usize, operation: Operation, text: &str) -> Row {
    Row {
        member_key: MemberKey(format!("{number:05}")),
        match_key: MatchKey(format!("person{number}@example.com")),
        operation,
        is_rejoin: false,
        destination_id: None,
        values: vec![(0, FieldValue::Text(text.to_owned()))],
    }
}

fn measure(row: &Row, _: &[String]) -> u64 {
    row.values
        .iter()
        .map(
            |(_, value)| {
                if let FieldValue::Text(text) = value { u64::try_from(text.len()).unwrap() } else { 0 }
            },
        )
        .sum()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let operation = prop_oneof![Just(Operation::Add), Just(Operation::Change), Just(Operation::Remove)];
    proptest::collection::vec((operation, "[a-z,\"\n]{0,30}"), 0..60).prop_map(|rows| {
        rows.into_iter().enumerate().map(|(n, (operation, text))| row(n, operation, &text)).collect()
    })
}

proptest! {
    #[test]
    fn batches_hold_every_row_within_the_limits(rows in rows(), lanes in 1_u16..4) {
        let limits = BatchLimits { upsert_rows: 5, upsert_bytes: 60, remove_rows: 3 };
        let keys = vec!["Name".to_owned()];
        let mut object = Vec::new();
        let mut writer = DeltaWriter::new(&mut object, &keys, lanes, limits, measure);
        for row in &rows {
            writer.push(row).unwrap();
        }
        let entries = writer.finish().unwrap();
        let mut found = Vec::new();
        let mut last = BTreeMap::new();
        for entry in entries {
            let place = entry.frames[0];
            let start = usize::try_from(place.offset_bytes).unwrap();
            let end = start + usize::try_from(place.length_bytes).unwrap();
            let frame = Frame::decode(&object[start..end]).unwrap();
            prop_assert_eq!(&frame.field_keys, &keys);
            prop_assert_eq!(u32::try_from(frame.rows.len()), Ok(entry.rows));
            let (max_rows, max_bytes) = if entry.kind == Kind::Upsert { (5, 60) } else { (3, u64::MAX) };
            prop_assert!(entry.rows <= max_rows);
            let bytes: u64 = frame.rows.iter().map(|row| measure(row, &keys)).sum();
            prop_assert!(bytes <= max_bytes);
            prop_assert_eq!(bytes, entry.request_bytes);
            for row in frame.rows {
                prop_assert_eq!(row.match_key.lane(lanes), entry.lane);
                prop_assert_eq!(Kind::from(row.operation), entry.kind);
                let before = last.insert((entry.kind, entry.lane), row.member_key.clone());
                prop_assert!(before.is_none_or(|before| before < row.member_key));
                found.push(row);
            }
        }
        found.sort_by(|left, right| left.member_key.cmp(&right.member_key));
        prop_assert_eq!(found, rows);
    }
}

#[test]
fn a_row_larger_than_the_limit_goes_alone() {
    let limits = BatchLimits { upsert_rows: 5, upsert_bytes: 10, remove_rows: 3 };
    let mut object = Vec::new();
    let mut writer = DeltaWriter::new(&mut object, &[], 1, limits, measure);
    for (number, text) in ["a", "a text of more than ten bytes", "b", "c"].into_iter().enumerate() {
        writer.push(&row(number, Operation::Add, text)).unwrap();
    }
    let rows: Vec<u32> = writer.finish().unwrap().iter().map(|entry| entry.rows).collect();
    assert_eq!(rows, [1, 1, 2]);
}
