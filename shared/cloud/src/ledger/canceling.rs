//! Cancels runs: a waiting one releases its slot at once, a pushing one loses the batches without a worker.

use super::batches::batch_key;
use super::item::{Item, expiry, export_key, number, run_key, text};
use super::runs::describe;
use super::{BatchId, Ledger, LedgerError, Progress, RunChange};
use crate::count_call;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use jiff::Timestamp;
use relay_model::run::{Cancellation, RunState, Stage};
use relay_model::{ExportId, RunId};

/// The result of stopping a batch of a canceled run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It has all its results.
    Closed,
    /// No worker will claim it any more.
    Idle {
        /// The progress of its attempts.
        progress: Progress,
    },
    /// A worker has claimed it, and will close or release it.
    InFlight,
}

impl Ledger {
    /// Ends a waiting run and releases its slot, in one transaction. Returns whether it did; nothing
    /// changes if the run no longer waits.
    pub async fn cancel_waiting(
        &self,
        export: &ExportId,
        run_id: RunId,
        cancellation: &Cancellation,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let parts = vec![self.cancel_part(run_id, cancellation, now)?, self.give_place_part(export, run_id)?];
        count_call();
        let Err(error) = self.client.transact_write_items().set_transact_items(Some(parts)).send().await
        else {
            return Ok(true);
        };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(_)) => Ok(false),
            _ => Err(self.cloud("cancel run in", &error).into()),
        }
    }

    fn cancel_part(
        &self,
        run_id: RunId,
        cancellation: &Cancellation,
        now: Timestamp,
    ) -> Result<TransactWriteItem, LedgerError> {
        let change = RunChange { canceled: Some(cancellation.clone()), ..RunChange::default() };
        let (mut update, mut values) = describe(&change)?;
        let changed = ["#state = :finishing", "updated_at_ms = :now", "finish_started_ms = :now"];
        update.extend(changed.map(str::to_owned));
        values.insert(":finishing".to_owned(), text(RunState::Finishing.name()));
        values.insert(":waiting".to_owned(), text(RunState::Waiting.name()));
        values.insert(":now".to_owned(), number(now.as_millisecond()));
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(run_key(run_id)))
            .update_expression(format!("SET {}", update.join(", ")))
            .condition_expression("#state = :waiting")
            .expression_attribute_names("#state", "state")
            .set_expression_attribute_values(Some(values))
            .build()
            .map_err(|_| LedgerError::Damaged { attribute: "pk" })?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn give_place_part(&self, export: &ExportId, run_id: RunId) -> Result<TransactWriteItem, LedgerError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(export_key(export)))
            .update_expression("REMOVE waiting_run")
            .condition_expression("waiting_run = :run")
            .expression_attribute_values(":run", text(run_id.to_string()))
            .build()
            .map_err(|_| LedgerError::Damaged { attribute: "pk" })?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Marks a pushing run as canceled. Returns whether it did; nothing changes if the run is in another
    /// state.
    pub async fn cancel_pushing(
        &self,
        run_id: RunId,
        cancellation: &Cancellation,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let change = RunChange { canceled: Some(cancellation.clone()), ..RunChange::default() };
        // It stays in this state, because batches in flight still count.
        self.advance(run_id, &[RunState::Pushing], RunState::Pushing, now, &change).await
    }

    /// Ends a run before its first batch. Returns whether it did; nothing changes if the run is in another
    /// state.
    pub async fn cancel_before_push(
        &self,
        run_id: RunId,
        from: RunState,
        cancellation: &Cancellation,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let change = RunChange {
            canceled: Some(cancellation.clone()),
            started: Some(Stage::Finish),
            ..RunChange::default()
        };
        self.advance(run_id, &[from], RunState::Finishing, now, &change).await
    }

    /// Prevents workers from claiming a batch of a canceled run. Repeating the call returns the same
    /// result.
    pub async fn stop_batch(&self, batch: BatchId, now: Timestamp) -> Result<Stopped, LedgerError> {
        count_call();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(batch_key(batch)))
            .update_expression("SET closed_at_ms = :now, is_stopped = :yes, expires_at = :expiry")
            .condition_expression(
                "attribute_not_exists(closed_at_ms) AND \
                 (attribute_not_exists(pk) OR is_put_down = :yes OR leased_until_ms < :now)",
            )
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":expiry", expiry(now))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let item: Item = match answer {
            Ok(answer) => answer.attributes.unwrap_or_default(),
            Err(error) => {
                let Some(UpdateItemError::ConditionalCheckFailedException(refused)) =
                    error.as_service_error()
                else {
                    return Err(self.cloud("stop batch in", &error).into());
                };
                // Older responses may lack the item of the failed condition; it is then read.
                match refused.item() {
                    Some(item) => item.clone(),
                    None => self.item(batch_key(batch)).await?.unwrap_or_default(),
                }
            }
        };
        if item.contains_key("is_stopped") {
            return Ok(Stopped::Idle { progress: Progress::read(&item) });
        }
        if item.contains_key("closed_at_ms") {
            return Ok(Stopped::Closed);
        }
        Ok(Stopped::InFlight)
    }
}
