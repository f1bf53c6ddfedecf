//! Requests for runs: one conditional write, so that a repeated trigger creates one run and a busy export
//! loses none.

use super::item::{self, Item, expiry, export_key, find_json, find_text, needed, number, run_key, text};
use super::{Ledger, LedgerError};
use crate::count_call;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{ConditionCheck, Put, TransactWriteItem, Update};
use jiff::Timestamp;
use relay_model::run::{RunMode, RunState, Trigger};
use relay_model::{ConnectionId, ExportId, RunId};

/// The maximum number of attempts while the export changes concurrently.
const TRIES: usize = 10;

/// A request for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRequest {
    /// The id of the run, if this request creates one.
    pub run_id: RunId,
    /// The export.
    pub export_id: ExportId,
    /// The export's connection.
    pub connection_id: ConnectionId,
    /// The purpose.
    pub mode: RunMode,
    /// The trigger.
    pub trigger: Trigger,
    /// The current time.
    pub now: Timestamp,
}

/// The result of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// The run starts now.
    Started(RunId),
    /// Another run is in progress; this one starts when it ends.
    Waiting(RunId),
    /// A run was already waiting; it serves this request too.
    Merged(RunId),
    /// The same trigger has already requested a run.
    Repeated(RunId),
}

impl Requested {
    /// Returns the run that serves the request.
    #[must_use]
    pub const fn run_id(self) -> RunId {
        match self {
            Self::Started(run) | Self::Waiting(run) | Self::Merged(run) | Self::Repeated(run) => run,
        }
    }
}

enum Written {
    Done,
    /// The indexes of the parts whose conditions failed.
    Refused(Vec<usize>),
}

impl Ledger {
    /// Requests a run.
    pub async fn request_run(&self, request: &RunRequest) -> Result<Requested, LedgerError> {
        for _ in 0..TRIES {
            if let Some(requested) = self.try_request(request).await? {
                return Ok(requested);
            }
        }
        Err(LedgerError::Contended(request.export_id.clone()))
    }

    /// Returns the run that serves the trigger with this key, if any.
    pub async fn asked_run(&self, export: &ExportId, trigger: &str) -> Result<Option<RunId>, LedgerError> {
        let key = item::key(format!("export#{export}"), format!("trigger#{trigger}"));
        let item = self.item(key).await?.unwrap_or_default();
        Ok(find_text(&item, "run_id").and_then(|id| id.parse().ok()))
    }

    /// Requests a run outside of the export's slot, which starts at once.
    pub async fn request_beside(&self, request: &RunRequest) -> Result<Requested, LedgerError> {
        for _ in 0..TRIES {
            let parts = [
                self.trigger_part(request, request.run_id)?,
                self.run_part(request, RunState::Snapshotting)?,
                self.history_part(request)?,
            ];
            if matches!(self.write(parts.into()).await?, Written::Done) {
                return Ok(Requested::Started(request.run_id));
            }
            if let Some(repeated) = self.repeated(request).await? {
                return Ok(repeated);
            }
        }
        Err(LedgerError::Contended(request.export_id.clone()))
    }

    async fn try_request(&self, request: &RunRequest) -> Result<Option<Requested>, LedgerError> {
        let run_id = request.run_id;
        let free = "attribute_not_exists(active_run)";
        let busy = "attribute_exists(active_run) AND attribute_not_exists(waiting_run)";
        let parts = [
            self.trigger_part(request, run_id)?,
            self.run_part(request, RunState::Snapshotting)?,
            self.history_part(request)?,
            self.export_part(request, "SET active_run = :run", free)?,
        ];
        match self.write(parts.into()).await? {
            Written::Done => return Ok(Some(Requested::Started(run_id))),
            Written::Refused(parts) if parts.contains(&0) => return self.repeated(request).await,
            Written::Refused(_) => {}
        }
        let parts = [
            self.trigger_part(request, run_id)?,
            self.run_part(request, RunState::Waiting)?,
            self.history_part(request)?,
            self.export_part(request, "SET waiting_run = :run", busy)?,
        ];
        match self.write(parts.into()).await? {
            Written::Done => return Ok(Some(Requested::Waiting(run_id))),
            Written::Refused(parts) if parts.contains(&0) => return self.repeated(request).await,
            Written::Refused(_) => {}
        }
        let export = self.item(export_key(&request.export_id)).await?.unwrap_or_default();
        let Some(waiting) = find_text(&export, "waiting_run").and_then(|id| id.parse::<RunId>().ok()) else {
            return Ok(None);
        };
        let still_waiting = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(export_key(&request.export_id)))
            .condition_expression("waiting_run = :run")
            .expression_attribute_values(":run", text(waiting.to_string()))
            .build()
            .map_err(|_| LedgerError::Damaged { attribute: "waiting_run" })?;
        let parts = vec![
            self.trigger_part(request, waiting)?,
            TransactWriteItem::builder().condition_check(still_waiting).build(),
            self.widen_part(request, waiting).await?,
        ];
        match self.write(parts).await? {
            Written::Done => Ok(Some(Requested::Merged(waiting))),
            Written::Refused(parts) if parts.contains(&0) => self.repeated(request).await,
            Written::Refused(_) => Ok(None),
        }
    }

    async fn repeated(&self, request: &RunRequest) -> Result<Option<Requested>, LedgerError> {
        let trigger = self.item(trigger_key(request)).await?.unwrap_or_default();
        Ok(find_text(&trigger, "run_id").and_then(|id| id.parse().ok()).map(Requested::Repeated))
    }

    fn trigger_part(&self, request: &RunRequest, run_id: RunId) -> Result<TransactWriteItem, LedgerError> {
        let mut item = trigger_key(request);
        item.insert("run_id".to_owned(), text(run_id.to_string()));
        item.insert("expires_at".to_owned(), expiry(request.now));
        self.put_part(item)
    }

    fn run_part(&self, request: &RunRequest, state: RunState) -> Result<TransactWriteItem, LedgerError> {
        let trigger = serde_json::to_string(&request.trigger);
        let trigger = trigger.map_err(|_| LedgerError::Damaged { attribute: "trigger" })?;
        let mut item = run_key(request.run_id);
        item.insert("export_id".to_owned(), text(request.export_id.as_str()));
        item.insert("state".to_owned(), text(state.name()));
        item.insert("connection_id".to_owned(), text(request.connection_id.as_str()));
        item.insert("mode".to_owned(), text(mode_text(request.mode)?));
        item.insert("trigger".to_owned(), text(trigger));
        item.insert("requested_at_ms".to_owned(), number(request.now.as_millisecond()));
        item.insert("updated_at_ms".to_owned(), number(request.now.as_millisecond()));
        item.insert("expires_at".to_owned(), expiry(request.now));
        self.put_part(item)
    }

    /// Returns the write of the run into its export's list.
    fn history_part(&self, request: &RunRequest) -> Result<TransactWriteItem, LedgerError> {
        let mut item = super::history::history_key(&request.export_id, request.run_id);
        item.insert("expires_at".to_owned(), expiry(request.now));
        self.put_part(item)
    }

    /// Returns the write that makes the waiting run serve this request too.
    async fn widen_part(
        &self,
        request: &RunRequest,
        waiting: RunId,
    ) -> Result<TransactWriteItem, LedgerError> {
        let item = self.item(run_key(waiting)).await?.unwrap_or_default();
        let before: RunMode = needed(find_json(&item, "mode"), "mode")?;
        let stored = find_text(&item, "mode").unwrap_or_default();
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(run_key(waiting)))
            .update_expression("SET #mode = :mode")
            // Another request may change its mode concurrently; this one then retries.
            .condition_expression("#state = :waiting AND #mode = :before")
            .expression_attribute_values(":before", text(stored))
            .expression_attribute_names("#mode", "mode")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":mode", text(mode_text(before.merged_with(request.mode))?))
            .expression_attribute_values(":waiting", text(RunState::Waiting.name()))
            .build()
            .map_err(|_| LedgerError::Damaged { attribute: "pk" })?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn put_part(&self, item: Item) -> Result<TransactWriteItem, LedgerError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|_| LedgerError::Damaged { attribute: "pk" })?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn export_part(
        &self,
        request: &RunRequest,
        update: &str,
        condition: &str,
    ) -> Result<TransactWriteItem, LedgerError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(export_key(&request.export_id)))
            .update_expression(update)
            .condition_expression(condition)
            .expression_attribute_values(":run", text(request.run_id.to_string()))
            .build()
            .map_err(|_| LedgerError::Damaged { attribute: "pk" })?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    async fn write(&self, parts: Vec<TransactWriteItem>) -> Result<Written, LedgerError> {
        count_call();
        let Err(error) = self.client.transact_write_items().set_transact_items(Some(parts)).send().await
        else {
            return Ok(Written::Done);
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
            error.as_service_error()
        {
            let refused = canceled.cancellation_reasons().iter().enumerate();
            let refused = refused.filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"));
            return Ok(Written::Refused(refused.map(|(number, _)| number).collect()));
        }
        Err(self.cloud("request run in", &error).into())
    }
}

fn mode_text(mode: RunMode) -> Result<String, LedgerError> {
    serde_json::to_string(&mode).map_err(|_| LedgerError::Damaged { attribute: "mode" })
}

fn trigger_key(request: &RunRequest) -> Item {
    // The trigger of a dry run must not deduplicate a delivery.
    let prefix = match request.mode {
        RunMode::Delivery | RunMode::Retry { .. } => "trigger#",
        RunMode::DryRun => "trigger#dry-run#",
    };
    item::key(format!("export#{}", request.export_id), format!("{prefix}{}", request.trigger.key))
}
