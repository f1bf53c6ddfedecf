//! Counts the profiles of a target list with a usable match key.

use crate::mapping::MatchKeyKind;
use crate::snapshot::{SnapshotError, SnapshotReader, Union};
use relay_model::Scalar;
use std::collections::HashSet;

/// Counts the distinct usable match keys of several snapshots, in 16 bytes of memory each.
///
/// Returns 0 if the snapshots lack the attribute: the mapping reports that later.
pub fn usable_keys(
    readers: Vec<SnapshotReader>,
    attribute: &str,
    kind: MatchKeyKind,
) -> Result<u64, SnapshotError> {
    let column =
        readers.first().and_then(|reader| reader.attributes().iter().position(|name| name == attribute));
    let Some(column) = column else { return Ok(0) };
    let mut seen = HashSet::new();
    for entry in Union::new(readers) {
        let entry = entry?;
        if !entry.is_repeated {
            let value = entry.member.attributes.get(column).unwrap_or(&Scalar::Null);
            seen.extend(kind.normalise(value).map(|key| key.digest()));
        }
    }
    Ok(u64::try_from(seen.len()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::testing::snapshot;

    #[track_caller]
    fn check(segments: &[&[(&str, &str)]], attribute: &str, expected: u64) {
        let readers = segments.iter().map(|rows| {
            let rows: Vec<_> =
                rows.iter().map(|(key, email)| ((*key).to_owned(), (*email).to_owned())).collect();
            SnapshotReader::open(snapshot(&rows)).unwrap()
        });
        assert_eq!(usable_keys(readers.collect(), attribute, MatchKeyKind::Email).unwrap(), expected);
    }

    #[test]
    fn only_different_usable_keys_count() {
        let first = [("1", "a@example.com"), ("2", "A@Example.com"), ("3", "nobody"), ("4", "b@example.com")];
        check(&[&first], "email", 2);
        // A member of both segments is sent once, with the values of the first.
        check(&[&first, &[("1", "other@example.com"), ("5", "c@example.com")]], "email", 3);
        check(&[&[]], "email", 0);
        check(&[&first], "phone", 0);
        check(&[], "email", 0);
    }
}
