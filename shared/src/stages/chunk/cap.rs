//! The cap before the first call: a run that is over it has touched nothing at the destination.

use super::accounts::Accounts;
use super::{Chunk, RunDefinitions, StageError};
use crate::catalog::Export;
use crate::connectors::Connector;
use crate::mapping::MatchKeyKind;
use crate::model::{ListId, Scalar};
use crate::run::{Keys, RunSegment};
use crate::snapshot::{SnapshotError, SnapshotReader, Union};
use std::collections::{BTreeMap, HashSet};

impl Chunk {
    /// How many profiles are on the lists that a run leaves alone.
    pub(super) async fn resting(&self, definitions: &RunDefinitions) -> Result<u64, StageError> {
        let mut resting = 0;
        for list in &definitions.left_alone {
            let pointer = self.ledger.delivered(&definitions.export.id, list).await?;
            resting += pointer.map_or(0, |pointer| pointer.delivered);
        }
        Ok(resting)
    }

    /// Counts the profiles with a usable match key and refuses them where they are over the cap. The snapshots are
    /// read only where they have more members than may go at all.
    pub(super) async fn check_cap_before_calls<C: Connector>(
        &self,
        connector: &C,
        export: &Export,
        segments: &[RunSegment],
        keys: &Keys,
        accounts: &Accounts,
    ) -> Result<(), StageError> {
        let mut members: BTreeMap<&ListId, u64> = BTreeMap::new();
        for segment in segments {
            *members.entry(&segment.target_list).or_default() += segment.members;
        }
        let Some(kind) = connector.match_key(export) else { return Ok(()) };
        if within(accounts, members.values().copied()).is_ok() {
            return Ok(());
        }
        let mut usable = Vec::with_capacity(members.len());
        for list in members.into_keys() {
            let mut readers = Vec::new();
            for segment in segments.iter().filter(|segment| segment.target_list == *list) {
                let file = self.objects.download(&keys.snapshot(&segment.segment)).await?;
                readers.push(SnapshotReader::open(file)?);
            }
            let attribute = export.match_key.clone();
            let counted = tokio::task::spawn_blocking(move || usable_keys(readers, &attribute, kind));
            let counted =
                counted.await.map_err(|error| StageError::stop("count_panicked", error.to_string()))?;
            usable.push(counted?);
        }
        within(accounts, usable)
    }
}

fn within(accounts: &Accounts, lists: impl IntoIterator<Item = u64>) -> Result<(), StageError> {
    let (all, largest) =
        lists.into_iter().fold((0, 0), |(all, largest): (u64, u64), list| (all + list, largest.max(list)));
    accounts.within_cap(all, largest)
}

/// Different usable match keys, in 16 bytes each. Without such an attribute there are none; the mapping says so later.
fn usable_keys(
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
        // A member of both segments goes once, as what the first says.
        check(&[&first, &[("1", "other@example.com"), ("5", "c@example.com")]], "email", 3);
        check(&[&[]], "email", 0);
        check(&[&first], "phone", 0);
        check(&[], "email", 0);
    }
}
