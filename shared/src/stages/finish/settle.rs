//! Delivered state and outcomes into the next delivered state, as one streaming merge.

use super::StageError;
use super::events::{Event, Events};
use super::rejects::Rejects;
use crate::delta::{
    DeliveredReader, DeliveredWriter, Holding, Joined, OutOfOrder, Record, Standing, grouped, join,
    merge_sorted,
};
use crate::model::{Counts, ListId, Operation, Outcome};
use std::collections::HashSet;
use std::io::BufWriter;
use tempfile::NamedTempFile;

/// What a target list's rows came to.
pub(super) struct SettledTarget {
    pub(super) file: NamedTempFile,
    pub(super) delivered: u64,
    pub(super) counts: Counts,
    pub(super) rejects: Rejects,
}

impl From<OutOfOrder> for StageError {
    fn from(error: OutOfOrder) -> Self {
        Self::stop("delivered_state_damaged", error.to_string())
    }
}

/// Merges; `counts` lacks the unchanged rows, which have no events.
pub(super) fn settle(
    before: DeliveredReader,
    events: Events,
    list: &ListId,
    field_keys: &[String],
    mut rejects: Rejects,
) -> Result<SettledTarget, StageError> {
    let streams = events.into_streams(field_keys)?;
    let events =
        merge_sorted(streams, |event: &Event| &event.member_key).map(|event| event.map(|(_, event)| event));
    let events = grouped(events, |event: &Event| &event.member_key);
    let before =
        grouped(before.map(|record| record.map_err(StageError::from)), |record: &Record| &record.member_key);
    let file = NamedTempFile::new()?;
    let mut writer = DeliveredWriter::new(BufWriter::new(file.reopen()?))?;
    let (mut counts, mut delivered) = (Counts::default(), 0);
    let mut outdated = HashSet::new();
    for joined in join(before, events) {
        let Joined { left: records, right: events, .. } = joined?;
        for event in &events {
            counts.count(event.outcome.kind(event.operation), 1);
            rejects.event(list, event)?;
            if event.standing == Standing::NotOurs || (event.is_rejoin && event.outcome == Outcome::Applied) {
                outdated.insert(event.match_key.digest());
            }
        }
        for record in next_records(records, events) {
            delivered += u64::from(record.holding == Holding::Delivered);
            writer.write(&record)?;
        }
    }
    writer.finish()?;
    let file = if outdated.is_empty() { file } else { without_outdated(&file, &outdated)? };
    Ok(SettledTarget { file, delivered, counts, rejects })
}

/// What is known of one member's people after the run.
fn next_records(records: Vec<Record>, events: Vec<Event>) -> Vec<Record> {
    let mut next = records;
    for event in events {
        let place = next.iter().position(|record| record.match_key == event.match_key);
        match (&event.outcome, event.standing, event.operation) {
            (_, Standing::NotOurs, _) => {
                next.retain(|record| record.match_key != event.match_key);
            }
            (Outcome::Applied, Standing::FollowsOutcome, Operation::Add | Operation::Change) => {
                let earlier = place.map(|place| next.swap_remove(place));
                next.push(Record {
                    member_key: event.member_key,
                    match_key: event.match_key,
                    hash: event.hash,
                    holding: Holding::Delivered,
                    destination_id: event
                        .destination_id
                        .or(earlier.and_then(|earlier| earlier.destination_id)),
                });
            }
            (Outcome::Applied, Standing::FollowsOutcome, Operation::Remove) => {
                if let Some(record) = place.and_then(|place| next.get_mut(place)) {
                    record.holding = Holding::Removed;
                }
            }
            (
                Outcome::Unchanged | Outcome::Skipped(_) | Outcome::Rejected(_) | Outcome::Deferred(_),
                Standing::FollowsOutcome,
                _,
            ) => {}
        }
    }
    next
}

/// Leaves out the memory of having removed people who have come back, or whose place is no longer ours: kept, it
/// could one day resubscribe somebody whom others took off.
fn without_outdated(file: &NamedTempFile, outdated: &HashSet<u128>) -> Result<NamedTempFile, StageError> {
    let next = NamedTempFile::new()?;
    let mut writer = DeliveredWriter::new(BufWriter::new(next.reopen()?))?;
    for record in DeliveredReader::open(file.reopen()?)? {
        let record = record?;
        if record.holding == Holding::Delivered || !outdated.contains(&record.match_key.digest()) {
            writer.write(&record)?;
        }
    }
    writer.finish()?;
    Ok(next)
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
