//! The cap before the first call: a run that is over it has touched nothing at the destination.

use super::accounts::Accounts;
use super::{Chunk, RunDefinitions, StageError};
use relay_connectors::Connector;
use relay_delivery::snapshot::SnapshotReader;
use relay_delivery::usable_keys;
use relay_model::ListId;
use relay_model::catalog::Export;
use relay_model::run::{Keys, RunSegment, StopCode};
use std::collections::BTreeMap;

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
            let counted = counted
                .await
                .map_err(|error| StageError::stop(StopCode::CountPanicked, error.to_string()))?;
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
