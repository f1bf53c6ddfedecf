//! Claims batches, and closes them together with the run's countdown.

use super::item::{Item, expiry, find_number, find_text, key, number, run_key, text};
use super::{Ledger, LedgerError, Progress};
use crate::count_call;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use jiff::Timestamp;
use relay_model::run::{Failure, RunState};
use relay_model::{Counts, OutcomeKind, RunId};
use std::time::Duration;

/// Other workers close batches of the same run concurrently; DynamoDB refuses all but one of them.
const CLOSE_TRIES: u32 = 12;

/// One batch of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchId {
    /// The run.
    pub run_id: RunId,
    /// The target list's index in the plan.
    pub target: usize,
    /// The batch's number within the delta.
    pub number: u32,
}

/// The owner of a batch: one delivery of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The message.
    pub message_id: String,
    /// How often the message has been delivered.
    pub receive_count: u32,
}

/// The result of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The batch is claimed until the lease ends.
    Claimed {
        /// The number of claims, including this one. Unlike the queue's receive count it leaves out
        /// deliveries that never reached the batch, and those that only had to wait.
        attempts: u32,
        /// The progress of earlier attempts.
        progress: Progress,
    },
    /// The batch already has its results.
    Closed,
    /// Another worker has claimed it.
    Leased {
        /// The end of the lease.
        until: Timestamp,
    },
}

/// The cost of work at the destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Calls.
    pub calls: u64,
    /// The number of calls that were throttled.
    pub throttled: u64,
}

/// The result of closing a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It was the run's last one.
    Last,
    /// Other batches are still open.
    More,
    /// Other batches are still open and the run is canceled, so they may have no worker.
    MoreOfCanceled,
}

pub(super) fn batch_key(batch: BatchId) -> Item {
    key(format!("run#{}", batch.run_id), format!("batch#{}#{:06}", batch.target, batch.number))
}

impl Ledger {
    /// Claims a batch until `until`.
    ///
    /// A later delivery of the same message takes over at once: the queue redelivers a message only after
    /// the earlier delivery is over, so its worker has crashed.
    pub async fn claim_batch(
        &self,
        batch: BatchId,
        owner: &Owner,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim, LedgerError> {
        count_call();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(batch_key(batch)))
            .update_expression(
                "SET #owner = :owner, receive_count = :count, leased_until_ms = :until, expires_at = :expiry \
                 REMOVE is_put_down ADD attempts :one",
            )
            .condition_expression(
                "attribute_not_exists(pk) OR (attribute_not_exists(closed_at_ms) AND \
                 (leased_until_ms < :now OR (#owner = :owner AND receive_count < :count)))",
            )
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(&owner.message_id))
            .expression_attribute_values(":count", number(owner.receive_count))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":until", number(until.as_millisecond()))
            .expression_attribute_values(":expiry", expiry(now))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match answer {
            Ok(answer) => {
                let item = answer.attributes.unwrap_or_default();
                let attempts = find_number(&item, "attempts").unwrap_or(1);
                return Ok(Claim::Claimed { attempts, progress: Progress::read(&item) });
            }
            Err(error) => error,
        };
        let Some(UpdateItemError::ConditionalCheckFailedException(refused)) = error.as_service_error() else {
            return Err(self.cloud("claim batch in", &error).into());
        };
        // Older responses may lack the item of the failed condition; it is then read.
        let item = match refused.item() {
            Some(item) => item.clone(),
            None => self.item(batch_key(batch)).await?.unwrap_or_default(),
        };
        if item.contains_key("closed_at_ms") {
            return Ok(Claim::Closed);
        }
        let until = find_number(&item, "leased_until_ms").and_then(|ms| Timestamp::from_millisecond(ms).ok());
        Ok(Claim::Leased { until: until.unwrap_or(now) })
    }

    /// Closes a batch whose results are stored, and decrements the run's open batches, in one transaction.
    pub async fn close_batch(
        &self,
        batch: BatchId,
        owner: &Owner,
        counts: Counts,
        spent: Spent,
        now: Timestamp,
    ) -> Result<Closed, LedgerError> {
        for attempt in 0..CLOSE_TRIES {
            let parts = vec![
                self.batch_part(batch, owner, now)?,
                self.countdown_part(batch.run_id, counts, spent, now)?,
            ];
            count_call();
            let Err(error) = self.client.transact_write_items().set_transact_items(Some(parts)).send().await
            else {
                return self.is_last(batch.run_id).await;
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
                error.as_service_error()
            else {
                return Err(self.cloud("close batch in", &error).into());
            };
            let codes: Vec<&str> =
                canceled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
            if codes.contains(&"ConditionalCheckFailed") {
                // The response to an earlier attempt was lost, a later delivery has taken over, or the run
                // was given up: nothing is left to count.
                return self.is_last(batch.run_id).await;
            }
            tokio::time::sleep(Duration::from_millis(20 << attempt.min(6)) + jitter()).await;
        }
        Err(LedgerError::Cloud(crate::CloudError::local("close batch in", &self.table, "contended")))
    }

    /// Counts calls for a batch that was not closed: every attempt has a cost.
    pub async fn count_calls(&self, run_id: RunId, spent: Spent, now: Timestamp) -> Result<(), LedgerError> {
        count_call();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(run_key(run_id)))
            .update_expression("SET updated_at_ms = :now ADD calls :calls, throttled :throttled")
            .expression_attribute_values(":calls", number(spent.calls))
            .expression_attribute_values(":throttled", number(spent.throttled))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .send()
            .await;
        answer.map(drop).map_err(|error| self.cloud("count calls in", &error).into())
    }

    /// Records why rows of a run could not be sent; the first failure is kept.
    pub async fn note_failure(&self, run_id: RunId, failure: &Failure) -> Result<(), LedgerError> {
        let json =
            serde_json::to_string(failure).map_err(|_| LedgerError::Damaged { attribute: "failure" })?;
        count_call();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(run_key(run_id)))
            .update_expression("SET failure = if_not_exists(failure, :failure)")
            .expression_attribute_values(":failure", text(json))
            .send()
            .await;
        answer.map(drop).map_err(|error| self.cloud("note failure in", &error).into())
    }

    async fn is_last(&self, run_id: RunId) -> Result<Closed, LedgerError> {
        let run = self.item(run_key(run_id)).await?.ok_or(LedgerError::RunMissing(run_id))?;
        let is_pushing = find_text(&run, "state") == Some(RunState::Pushing.name());
        let open: Option<i64> = find_number(&run, "batches_open");
        Ok(match open {
            Some(0) if is_pushing => Closed::Last,
            _ if is_pushing && run.contains_key("canceled") => Closed::MoreOfCanceled,
            _ => Closed::More,
        })
    }

    fn batch_part(
        &self,
        batch: BatchId,
        owner: &Owner,
        now: Timestamp,
    ) -> Result<TransactWriteItem, LedgerError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(batch_key(batch)))
            .update_expression("SET closed_at_ms = :now")
            .condition_expression(
                "attribute_not_exists(closed_at_ms) AND #owner = :owner AND receive_count = :count",
            )
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(&owner.message_id))
            .expression_attribute_values(":count", number(owner.receive_count))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .build()
            .map_err(|_| LedgerError::Damaged { attribute: "pk" })?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn countdown_part(
        &self,
        run_id: RunId,
        counts: Counts,
        spent: Spent,
        now: Timestamp,
    ) -> Result<TransactWriteItem, LedgerError> {
        let mut added =
            ["batches_open :minus_one", "calls :calls", "throttled :throttled"].map(str::to_owned).to_vec();
        let mut update = Update::builder();
        for kind in OutcomeKind::ALL.into_iter().filter(|kind| counts.of(*kind) > 0) {
            added.push(format!("rows_{0} :{0}", kind.name()));
            update = update.expression_attribute_values(format!(":{}", kind.name()), number(counts.of(kind)));
        }
        let update = update
            .table_name(&self.table)
            .set_key(Some(run_key(run_id)))
            .update_expression(format!("SET updated_at_ms = :now ADD {}", added.join(", ")))
            // A run that was given up has ended: later events must not change its counts.
            .condition_expression("#state = :pushing")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":pushing", text(RunState::Pushing.name()))
            .expression_attribute_values(":minus_one", number(-1))
            .expression_attribute_values(":calls", number(spent.calls))
            .expression_attribute_values(":throttled", number(spent.throttled))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .build()
            .map_err(|_| LedgerError::Damaged { attribute: "pk" })?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// Returns a pause that spreads concurrent retries, derived from the clock.
fn jitter() -> Duration {
    let nanoseconds =
        std::time::UNIX_EPOCH.elapsed().map(|elapsed| elapsed.subsec_nanos()).unwrap_or_default();
    Duration::from_micros(u64::from(nanoseconds / 1_000 % 20_000))
}
