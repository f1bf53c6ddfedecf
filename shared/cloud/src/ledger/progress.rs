//! The progress of attempts that did not close their batch.

use super::batches::batch_key;
use super::item::{Item, find_json, find_number, number, text};
use super::{BatchId, Ledger, LedgerError, Owner};
use crate::count_call;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use relay_model::RunId;
use relay_model::run::Pause;
use serde_json::Value;
use std::collections::BTreeMap;

/// The prefix of the attributes with target lists' member counts.
const MEMBERS: &str = "members_of_";

/// Returns the destination's member count of each target list, by the list's index in the plan.
pub(super) fn members(item: &Item) -> BTreeMap<usize, u64> {
    let place = |name: &str| name.strip_prefix(MEMBERS)?.parse().ok();
    item.keys().filter_map(|name| Some((place(name)?, find_number(item, name)?))).collect()
}

/// The progress of earlier attempts at a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The number of leading rows whose results are stored.
    pub rows_done: u32,
    /// The job that the destination has accepted and not completed: the connector's own type.
    pub job: Option<Value>,
}

/// Whether an attempt counts against the maximum number of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It failed.
    Counts,
    /// It only had to wait.
    CountsNot,
    /// It made progress, so the count restarts.
    BeginsAnew,
}

impl Progress {
    pub(super) fn read(item: &Item) -> Self {
        // Stored as `null` if there is none, which a plain `Value` would take for a job.
        let job = find_json::<Option<Value>>(item, "job").flatten();
        Self { rows_done: find_number(item, "rows_done").unwrap_or(0), job }
    }
}

impl Ledger {
    /// Releases a claimed batch that was not closed. Returns whether this worker was still its owner.
    pub async fn release_batch(
        &self,
        batch: BatchId,
        owner: &Owner,
        progress: &Progress,
        attempt: Attempt,
    ) -> Result<bool, LedgerError> {
        let job =
            serde_json::to_string(&progress.job).map_err(|_| LedgerError::Damaged { attribute: "job" })?;
        let attempts = match attempt {
            Attempt::Counts => "",
            Attempt::CountsNot => ", attempts = attempts - :one",
            Attempt::BeginsAnew => ", attempts = :zero",
        };
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(batch_key(batch)))
            .update_expression(format!("SET rows_done = :done, job = :job, is_put_down = :yes{attempts}"))
            .condition_expression(
                "attribute_not_exists(closed_at_ms) AND #owner = :owner AND receive_count = :count",
            )
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(&owner.message_id))
            .expression_attribute_values(":count", number(owner.receive_count))
            .expression_attribute_values(":done", number(progress.rows_done))
            .expression_attribute_values(":job", text(job))
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        let request = match attempt {
            Attempt::Counts => request,
            Attempt::CountsNot => request.expression_attribute_values(":one", number(1)),
            Attempt::BeginsAnew => request.expression_attribute_values(":zero", number(0)),
        };
        count_call();
        self.is_written("put down batch in", request.send().await)
    }

    /// Records the destination's member count of a run's target list, by the list's index in the plan.
    pub async fn note_members(&self, run_id: RunId, target: usize, members: u64) -> Result<(), LedgerError> {
        count_call();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(super::item::run_key(run_id)))
            .update_expression(format!("SET {MEMBERS}{target} = :members"))
            .expression_attribute_values(":members", number(members))
            .send()
            .await;
        answer.map(drop).map_err(|error| self.cloud("note members in", &error).into())
    }

    /// Records that a run is paused, and until when. The latest pause is kept.
    pub async fn note_pause(&self, run_id: RunId, pause: &Pause, now: Timestamp) -> Result<(), LedgerError> {
        let json = serde_json::to_string(pause).map_err(|_| LedgerError::Damaged { attribute: "pause" })?;
        count_call();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(super::item::run_key(run_id)))
            .update_expression("SET pause = :pause, updated_at_ms = :now")
            .expression_attribute_values(":pause", text(json))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .send()
            .await;
        answer.map(drop).map_err(|error| self.cloud("note pause in", &error).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(job: Option<&str>, expected: Option<Value>) {
        let item: Item = job.map(|job| ("job".to_owned(), text(job))).into_iter().collect();
        assert_eq!(Progress::read(&item), Progress { rows_done: 0, job: expected });
    }

    #[test]
    fn a_batch_that_was_put_down_without_a_job_has_none() {
        check(None, None);
        check(Some(&serde_json::to_string(&Progress::default().job).unwrap()), None);
        check(Some(r#"{"batch_id":7}"#), Some(json!({ "batch_id": 7 })));
    }
}
