//! One person's rows in the list of rows that a run could not apply: finds them, or writes a copy without
//! them.

use csv::StringRecord;
use relay_model::MemberKey;
use relay_model::privacy::Wanted;
use relay_model::run::StopCode;
use relay_pipeline::StageError;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use tempfile::NamedTempFile;

/// The rows of one person in such a list.
#[derive(Default)]
pub(super) struct RejectedRows {
    /// Each row by column name.
    pub(super) rows: Vec<Map<String, Value>>,
    pub(super) members: BTreeSet<MemberKey>,
}

/// The columns that identify a person.
struct Columns {
    member_key: usize,
    match_key: usize,
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, StageError> {
        let place = |name: &str| header.iter().position(|column| column == name);
        let columns = place("member_key").zip(place("match_key"));
        let columns = columns.map(|(member_key, match_key)| Self { member_key, match_key });
        columns.ok_or_else(|| {
            StageError::stop(StopCode::RejectedDamaged, "a list of rejected rows has other columns")
        })
    }

    fn is_theirs(&self, row: &StringRecord, wanted: &Wanted) -> bool {
        wanted.has(row.get(self.member_key).unwrap_or_default(), row.get(self.match_key).unwrap_or_default())
    }
}

/// Returns the rows of the wanted person.
pub(super) fn look(file: File, wanted: &Wanted) -> Result<RejectedRows, StageError> {
    let mut reader = csv::Reader::from_reader(BufReader::new(file));
    let header = reader.headers().map_err(|error| damaged(&error))?.clone();
    let columns = Columns::of(&header)?;
    let mut found = RejectedRows::default();
    let mut row = StringRecord::new();
    while reader.read_record(&mut row).map_err(|error| damaged(&error))? {
        if columns.is_theirs(&row, wanted) {
            let values = row.iter().map(|value| Value::String(value.to_owned()));
            found.rows.push(header.iter().map(str::to_owned).zip(values).collect());
            found.members.extend(row.get(columns.member_key).map(|key| MemberKey(key.to_owned())));
        }
    }
    Ok(found)
}

/// Writes a copy without the rows of the wanted person.
pub(super) fn without(file: File, wanted: &Wanted) -> Result<NamedTempFile, StageError> {
    let mut reader = csv::Reader::from_reader(BufReader::new(file));
    let header = reader.headers().map_err(|error| damaged(&error))?.clone();
    let columns = Columns::of(&header)?;
    let next = NamedTempFile::new()?;
    let mut writer = csv::Writer::from_writer(BufWriter::new(next.reopen()?));
    writer.write_record(&header).map_err(|error| damaged(&error))?;
    let mut row = StringRecord::new();
    while reader.read_record(&mut row).map_err(|error| damaged(&error))? {
        if !columns.is_theirs(&row, wanted) {
            writer.write_record(&row).map_err(|error| damaged(&error))?;
        }
    }
    writer.flush()?;
    drop(writer);
    Ok(next)
}

/// Returns the error of an unreadable list. The CSV reader's message contains line numbers only.
fn damaged(error: &csv::Error) -> StageError {
    match error.kind() {
        csv::ErrorKind::Io(error) => StageError::again(StopCode::Disk, error.kind().to_string()),
        _ => StageError::stop(StopCode::RejectedDamaged, "a list of rejected rows cannot be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_model::MatchKey;
    use relay_model::privacy::Person;
    use std::io::Write;

    const HEADER: &str = "target_list,member_key,match_key,operation,outcome,code,reason\n";

    #[track_caller]
    fn check(person: &Person, lines: &[&str], expected: &[&str], members: &[&str]) {
        let mut file = NamedTempFile::new().unwrap();
        write!(file, "{HEADER}{}", lines.concat()).unwrap();
        let wanted = Wanted::new(person);
        let found = look(file.reopen().unwrap(), &wanted).unwrap();
        assert_eq!(found.rows.len(), lines.len() - expected.len());
        assert_eq!(found.members.iter().map(|key| key.0.as_str()).collect::<Vec<_>>(), members);
        let left = without(file.reopen().unwrap(), &wanted).unwrap();
        let left = std::fs::read_to_string(left.path()).unwrap();
        assert_eq!(left, format!("{HEADER}{}", expected.concat()));
    }

    #[test]
    fn exactly_one_persons_rows_are_left_out() {
        let one = "l,c1,ann@b.c,add,rejected,code,\"two, words\"\n";
        let same = "m,c1,old@b.c,remove,deferred,code,text\n";
        let other = "l,c2,ann@b.c,add,skipped,code,\"a \"\"quoted\"\" word\nand a line\"\n";
        let member = Person::MemberKey(MemberKey("c1".to_owned()));
        check(&member, &[one, other, same], &[other], &["c1"]);
        check(&member, &[other], &[other], &[]);
        check(&member, &[], &[], &[]);
        let address = Person::MatchKey(MatchKey("ANN@b.c".to_owned()));
        check(&address, &[one, other, same], &[same], &["c1", "c2"]);
    }

    #[test]
    fn other_columns_are_no_list_of_rejected_rows() {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(b"a,b\n1,2\n").unwrap();
        let wanted = Wanted::new(&Person::MemberKey(MemberKey("1".to_owned())));
        assert_eq!(look(file.reopen().unwrap(), &wanted).err().unwrap().code(), StopCode::RejectedDamaged);
    }
}
