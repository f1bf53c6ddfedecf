//! Merges delivered state and outcomes into the next delivered state, in one stream.

use super::StageError;
use super::events::{Event, Events};
use super::rejects::Rejects;
use relay_delivery::delta::{DeliveredReader, DeliveredWriter, Holding, Record};
use relay_delivery::sorted::{Joined, OutOfOrder, grouped, join, merge_sorted};
use relay_model::Standing;
use relay_model::run::StopCode;
use relay_model::{Counts, ListId, MemberKey, Operation, Outcome, RowHash};
use std::collections::HashSet;
use std::io::BufWriter;
use tempfile::NamedTempFile;

/// The totals of a target list's rows.
pub(super) struct SettledTarget {
    pub(super) file: NamedTempFile,
    pub(super) delivered: u64,
    pub(super) counts: Counts,
    pub(super) rejects: Rejects,
}

impl From<OutOfOrder> for StageError {
    fn from(error: OutOfOrder) -> Self {
        Self::stop(StopCode::DeliveredStateDamaged, error.to_string())
    }
}

/// Merges delivered state and outcomes. `counts` lacks the unchanged rows, which have no events.
pub(super) fn settle(
    before: DeliveredReader,
    events: Events,
    list: &ListId,
    (terms, field_keys): (&str, &[String]),
    mut rejects: Rejects,
) -> Result<SettledTarget, StageError> {
    let streams = events.into_streams(terms, field_keys)?;
    let events =
        merge_sorted(streams, |event: &Event| &event.member_key).map(|event| event.map(|(_, event)| event));
    let events = grouped(events, |event: &Event| &event.member_key);
    let before =
        grouped(before.map(|record| record.map_err(StageError::from)), |record: &Record| &record.member_key);
    let file = NamedTempFile::new()?;
    let mut writer = DeliveredWriter::new(BufWriter::new(file.reopen()?))?;
    let (mut counts, mut delivered) = (Counts::default(), 0);
    let mut aftermath = Aftermath::default();
    for joined in join(before, events) {
        let Joined { key, left: records, right: events } = joined?;
        let is_excluded = rejects.is_excluded(&key);
        for event in &events {
            counts.count(event.outcome.kind(event.operation), 1);
            rejects.event(list, event)?;
            aftermath.note(event);
        }
        for record in remembered(next_records(records, events), is_excluded) {
            delivered += u64::from(record.holding == Holding::Delivered);
            writer.write(&record)?;
        }
    }
    writer.finish()?;
    let (file, delivered) = if aftermath.is_empty() { (file, delivered) } else { aftermath.apply(&file)? };
    Ok(SettledTarget { file, delivered, counts, rejects })
}

/// Returns the records of one member after the run.
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
            (Outcome::Deferred(_), Standing::FollowsOutcome, Operation::Remove) => {
                // Whether the person is still on the list is unknown. If they come back unchanged, they must
                // be sent again, so the digest of what was sent before is dropped.
                if let Some(record) = place.and_then(|place| next.get_mut(place)) {
                    record.hash = RowHash::default();
                }
            }
            (_, Standing::HandedOver, _)
            | (
                Outcome::Unchanged | Outcome::Skipped(_) | Outcome::Rejected(_) | Outcome::Deferred(_),
                Standing::FollowsOutcome,
                _,
            ) => {}
        }
    }
    next
}

/// Returns the records of one member that are kept. For an excluded person, only records of people on the
/// list are kept. A record of an earlier removal matters only if the person can be added again.
fn remembered(records: Vec<Record>, is_excluded: bool) -> impl Iterator<Item = Record> {
    records.into_iter().filter(move |record| !is_excluded || record.holding == Holding::Delivered)
}

/// Effects of one member's outcomes on records that another member may hold.
#[derive(Default)]
struct Aftermath {
    /// People who have rejoined, or whose membership this export no longer owns. The record of the earlier
    /// removal is dropped: it could later resubscribe a person who was removed by others.
    outdated: HashSet<u128>,
    /// Records of people who are now represented by another member.
    handed_over: HashSet<(MemberKey, u128)>,
}

impl Aftermath {
    fn note(&mut self, event: &Event) {
        let digest = event.match_key.digest();
        let is_back = event.is_rejoin && event.outcome == Outcome::Applied;
        if event.standing == Standing::HandedOver {
            self.handed_over.insert((event.member_key.clone(), digest));
        } else if event.standing == Standing::NotOurs || is_back {
            self.outdated.insert(digest);
        }
    }

    fn is_empty(&self) -> bool {
        self.outdated.is_empty() && self.handed_over.is_empty()
    }

    fn is_handed_over(&self, record: &Record, digest: u128) -> bool {
        record.holding == Holding::Delivered
            && !self.handed_over.is_empty()
            && self.handed_over.contains(&(record.member_key.clone(), digest))
    }

    /// Rewrites the delivered state without outdated records, and counts the people on the list.
    ///
    /// A record that was handed over stays until the other member has one. If it were dropped earlier and the
    /// other member's row refused, the record that this export added the person would be lost.
    fn apply(&self, file: &NamedTempFile) -> Result<(NamedTempFile, u64), StageError> {
        let wanted: HashSet<u128> = self.handed_over.iter().map(|(_, digest)| *digest).collect();
        let mut heirs = HashSet::new();
        for record in DeliveredReader::open(file.reopen()?)? {
            let record = record?;
            let digest = record.match_key.digest();
            let is_on_list = record.holding == Holding::Delivered;
            if is_on_list && wanted.contains(&digest) && !self.is_handed_over(&record, digest) {
                heirs.insert(digest);
            }
        }
        let next = NamedTempFile::new()?;
        let mut writer = DeliveredWriter::new(BufWriter::new(next.reopen()?))?;
        let mut delivered = 0;
        for record in DeliveredReader::open(file.reopen()?)? {
            let record = record?;
            let digest = record.match_key.digest();
            let is_over = match record.holding {
                Holding::Removed => self.outdated.contains(&digest),
                Holding::Delivered => heirs.contains(&digest) && self.is_handed_over(&record, digest),
            };
            if !is_over {
                delivered += u64::from(record.holding == Holding::Delivered);
                writer.write(&record)?;
            }
        }
        writer.finish()?;
        Ok((next, delivered))
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
