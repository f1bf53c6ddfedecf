//! One person's records in a delivered state: finds them, or writes a copy without them.

use relay_delivery::delta::{DeliveredReader, DeliveredWriter, Holding, Record};
use relay_model::privacy::Wanted;
use relay_pipeline::StageError;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::BufWriter;
use tempfile::NamedTempFile;

/// A delivered state without the records of one person.
pub(super) struct Rewritten {
    pub(super) file: NamedTempFile,
    /// People in it who are on the list.
    pub(super) delivered: u64,
}

/// Returns the records of the wanted person.
pub(super) fn look(file: File, wanted: &Wanted) -> Result<Vec<Record>, StageError> {
    let mut found = Vec::new();
    for record in DeliveredReader::open(file)? {
        let record = record?;
        if is_theirs(&record, wanted) {
            found.push(record);
        }
    }
    Ok(found)
}

/// Writes a copy without the records of the wanted person.
pub(super) fn without(file: File, wanted: &Wanted) -> Result<Rewritten, StageError> {
    let next = NamedTempFile::new()?;
    let mut writer = DeliveredWriter::new(BufWriter::new(next.reopen()?))?;
    let mut delivered = 0;
    for record in DeliveredReader::open(file)? {
        let record = record?;
        if !is_theirs(&record, wanted) {
            delivered += u64::from(record.holding == Holding::Delivered);
            writer.write(&record)?;
        }
    }
    writer.finish()?;
    Ok(Rewritten { file: next, delivered })
}

fn is_theirs(record: &Record, wanted: &Wanted) -> bool {
    wanted.has(&record.member_key.0, &record.match_key.0)
}

/// Returns a record in the form that the person receives.
pub(super) fn shown(record: &Record) -> Map<String, Value> {
    let status = match record.holding {
        Holding::Delivered => "on_list",
        Holding::Removed => "taken_off",
    };
    Map::from_iter([
        ("member_key".to_owned(), json!(record.member_key)),
        ("match_key".to_owned(), json!(record.match_key)),
        ("status".to_owned(), json!(status)),
        ("destination_id".to_owned(), json!(record.destination_id)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use relay_model::privacy::Person;
    use relay_model::{MatchKey, MemberKey, RowHash};
    use std::collections::BTreeMap;

    fn records() -> impl Strategy<Value = Vec<Record>> {
        let record = ("[a-c]", any::<[u8; 16]>(), any::<bool>(), proptest::option::of("\\PC{0,4}"));
        let records = proptest::collection::btree_map("[a-d]{1,2}", record, 0..12);
        records.prop_map(|records: BTreeMap<_, _>| {
            let records =
                records.into_iter().map(|(member, (person, hash, is_on_list, destination_id))| Record {
                    member_key: MemberKey(member),
                    match_key: MatchKey(person),
                    hash: RowHash(hash),
                    holding: if is_on_list { Holding::Delivered } else { Holding::Removed },
                    destination_id,
                });
            records.collect()
        })
    }

    fn stored(records: &[Record]) -> NamedTempFile {
        let file = NamedTempFile::new().unwrap();
        let mut writer = DeliveredWriter::new(file.reopen().unwrap()).unwrap();
        for record in records {
            writer.write(record).unwrap();
        }
        writer.finish().unwrap();
        file
    }

    proptest! {
        #[test]
        fn exactly_one_persons_records_are_left_out(
            records in records(), is_by_member in any::<bool>(), member in "[a-d]{1,2}", person in "[a-cA-C]"
        ) {
            let is_meant = |record: &Record| {
                if is_by_member { record.member_key.0 == member } else { record.match_key.0 == person.to_lowercase() }
            };
            let asked = if is_by_member {
                Person::MemberKey(MemberKey(member.clone()))
            } else {
                Person::MatchKey(MatchKey(person.clone()))
            };
            let (theirs, others): (Vec<Record>, Vec<Record>) = records.iter().cloned().partition(is_meant);
            let (file, wanted) = (stored(&records), Wanted::new(&asked));
            prop_assert_eq!(look(file.reopen().unwrap(), &wanted).unwrap(), theirs);
            let rewritten = without(file.reopen().unwrap(), &wanted).unwrap();
            let on_list = others.iter().filter(|record| record.holding == Holding::Delivered).count();
            prop_assert_eq!(rewritten.delivered, u64::try_from(on_list).unwrap());
            let read = DeliveredReader::open(rewritten.file.reopen().unwrap()).unwrap();
            prop_assert_eq!(read.map(Result::unwrap).collect::<Vec<_>>(), others);
        }
    }
}
