//! What became of the rows of a batch. Pure.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/get_batches-batchid-items>

use super::answers::{Batch, BatchState};
use super::client::Answer;
use super::job::{Failure, Submission, numbers};
use crate::PushError;
use relay_delivery::batch::Frame;
use relay_model::Row;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The status of a batch that is not there any more.
pub(super) const NOT_FOUND: u16 = 404;

/// The contacts' ids, as far as a piece of work was told them, by row.
pub(super) type Ids = HashMap<u32, String>;

/// The rows of a batch that were not done, and why; `None` where it has not ended.
pub(super) fn read(
    answer: &Answer,
    submission: &Submission,
    frame: &Frame,
    ids: &mut Ids,
) -> Result<Option<BTreeMap<u32, Failure>>, PushError> {
    let rows: Vec<u32> = numbers(&submission.rows).collect();
    if answer.status == NOT_FOUND {
        // Batches are kept for days. One that is not there any more has nothing to tell.
        return Ok(Some(rows.into_iter().map(|number| (number, Failure::NotTold)).collect()));
    }
    let batch: Batch = answer.read()?;
    match batch.state() {
        Some(BatchState::Ended) => {}
        Some(BatchState::Open) => return Ok(None),
        None => return Err(answer.unreadable()),
    }
    let by_email: HashMap<String, u32> = rows
        .iter()
        .filter_map(|number| Some((row(frame, *number)?.match_key.0.to_lowercase(), *number)))
        .collect();
    let mut not_told: BTreeSet<u32> = rows.iter().copied().collect();
    let mut failures = BTreeMap::new();
    let mut strangers = 0_u32;
    for (item, is_among_failed) in batch.items() {
        // The address that was sent says whose item it is. Its id may say so too; nothing documents that.
        let number = match item.email() {
            Some(email) => by_email.get(&email),
            None => item.place().and_then(|place| rows.get(place)),
        };
        let Some(number) = number.copied() else {
            strangers += 1;
            continue;
        };
        not_told.remove(&number);
        if let Some(status) = item.failure(is_among_failed) {
            failures.insert(number, Failure::Status(status));
        } else if let Some(id) = item.contact_id() {
            ids.insert(number, id);
        }
    }
    if strangers > 0 {
        tracing::warn!(strangers, rows = rows.len(), "a batch tells of items that were not sent");
    }
    failures.extend(not_told.into_iter().map(|number| (number, Failure::NotTold)));
    Ok(Some(failures))
}

/// The row of a number.
pub(super) fn row(frame: &Frame, number: u32) -> Option<&Row> {
    frame.rows.get(usize::try_from(number).ok()?)
}
