//! The cap check before the first call: a run that exceeds the cap changes nothing at the destination.

use super::accounts::Accounts;
use super::context::Context;
use super::{RunDefinitions, StageError};
use relay_cloud::ledger::Ledger;
use relay_connectors::Connector;
use relay_delivery::snapshot::SnapshotReader;
use relay_delivery::usable_keys;
use relay_model::ListId;
use relay_model::run::StopCode;
use std::collections::BTreeMap;

/// Returns how many profiles are on the lists that a run leaves alone.
pub(super) async fn resting(ledger: &Ledger, definitions: &RunDefinitions) -> Result<u64, StageError> {
    let mut resting = 0;
    for list in &definitions.left_alone {
        let pointer = ledger.delivered(&definitions.export.id, list).await?;
        resting += pointer.map_or(0, |pointer| pointer.delivered);
    }
    Ok(resting)
}

/// Counts the profiles with a usable match key, and returns an error if they exceed the cap. Reads the
/// snapshots only if they have more members than the cap admits.
pub(super) async fn check_cap_before_calls<C: Connector>(
    context: &Context<'_, C>,
    accounts: &Accounts,
) -> Result<(), StageError> {
    let (export, segments) = (context.export(), context.segments);
    let mut members: BTreeMap<&ListId, u64> = BTreeMap::new();
    for segment in segments {
        *members.entry(&segment.target_list).or_default() += segment.members;
    }
    let Some(kind) = context.connector.match_key(export) else { return Ok(()) };
    if within(accounts, members.values().copied()).is_ok() {
        return Ok(());
    }
    let mut usable = Vec::with_capacity(members.len());
    for list in members.into_keys() {
        let mut readers = Vec::new();
        for segment in segments.iter().filter(|segment| segment.target_list == *list) {
            let file = context.chunk.objects.download(&context.keys.snapshot(&segment.segment)).await?;
            readers.push(SnapshotReader::open(file)?);
        }
        let attribute = export.match_key.clone();
        let counted = tokio::task::spawn_blocking(move || usable_keys(readers, &attribute, kind));
        let counted =
            counted.await.map_err(|error| StageError::stop(StopCode::CountPanicked, error.to_string()))?;
        usable.push(counted?);
    }
    within(accounts, usable)
}

fn within(accounts: &Accounts, lists: impl IntoIterator<Item = u64>) -> Result<(), StageError> {
    let (all, largest) =
        lists.into_iter().fold((0, 0), |(all, largest): (u64, u64), list| (all + list, largest.max(list)));
    accounts.within_cap(all, largest)
}
