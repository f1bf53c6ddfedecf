//! The ledger's items of an export: its run in progress and its delivered states.

use super::item::{Item, export_key, find_json, find_number, find_text, key, number, text};
use super::{Ledger, LedgerError};
use crate::count_call;
use jiff::Timestamp;
use relay_model::uploads::UploadId;
use relay_model::{ExportId, ListId, RunId};

const DELIVERED_PREFIX: &str = "delivered#";

/// The location of a target list's delivered state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveredPointer {
    /// The object's key.
    pub object_key: String,
    /// The number of members that Segment Relay has delivered.
    pub delivered: u64,
    /// The run that wrote it.
    pub run_id: RunId,
    /// The custom uploads that have members on the list.
    pub uploads: Vec<UploadId>,
}

/// The runs that occupy an export's slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The run in progress.
    pub active: Option<RunId>,
    /// The run that starts when it ends.
    pub waiting: Option<RunId>,
}

fn delivered_key(export: &ExportId, list: &ListId) -> Item {
    key(format!("export#{export}"), format!("{DELIVERED_PREFIX}{list}"))
}

/// Parses an item; `None` if the list is forgotten.
fn delivered_pointer(item: &Item) -> Result<Option<DeliveredPointer>, LedgerError> {
    if !item.contains_key("object_key") {
        return Ok(None);
    }
    let pointer = || {
        Some(DeliveredPointer {
            object_key: find_text(item, "object_key")?.to_owned(),
            delivered: find_number(item, "delivered")?,
            run_id: find_text(item, "run_id")?.parse().ok()?,
            uploads: find_json(item, "uploads")?,
        })
    };
    pointer().map(Some).ok_or(LedgerError::Damaged { attribute: "object_key" })
}

impl Ledger {
    /// Returns an export's run in progress.
    pub async fn active_run(&self, export: &ExportId) -> Result<Option<RunId>, LedgerError> {
        Ok(self.place(export).await?.active)
    }

    /// Returns the runs of an export that are in progress or waiting.
    pub async fn place(&self, export: &ExportId) -> Result<Place, LedgerError> {
        let item = self.item(export_key(export)).await?.unwrap_or_default();
        let run = |attribute: &str| find_text(&item, attribute).and_then(|id| id.parse().ok());
        Ok(Place { active: run("active_run"), waiting: run("waiting_run") })
    }

    /// Ends an export's run in progress, and starts the waiting one, if any. `delivered_at` is when the run
    /// ended, if it was a complete delivery.
    ///
    /// Repeating the call for a run that was already released changes nothing.
    pub async fn release(
        &self,
        export: &ExportId,
        run_id: RunId,
        delivered_at: Option<Timestamp>,
    ) -> Result<Option<RunId>, LedgerError> {
        for _ in 0..10 {
            let item = self.item(export_key(export)).await?.unwrap_or_default();
            if find_text(&item, "active_run") != Some(&run_id.to_string()) {
                return Ok(None);
            }
            let waiting = find_text(&item, "waiting_run").and_then(|id| id.parse::<RunId>().ok());
            let request = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(export_key(export)))
                .expression_attribute_values(":run", text(run_id.to_string()));
            let (mut set, mut request) = ("last_run = :run".to_owned(), request);
            if let Some(delivered_at) = delivered_at {
                set.push_str(", delivered_at_ms = :delivered");
                let milliseconds = number(delivered_at.as_millisecond());
                request = request.expression_attribute_values(":delivered", milliseconds);
            }
            let request = match waiting {
                Some(next) => request
                    .update_expression(format!("SET {set}, active_run = :next REMOVE waiting_run"))
                    .condition_expression("active_run = :run AND waiting_run = :next")
                    .expression_attribute_values(":next", text(next.to_string())),
                None => request
                    .update_expression(format!("SET {set} REMOVE active_run"))
                    .condition_expression("active_run = :run AND attribute_not_exists(waiting_run)"),
            };
            count_call();
            if self.is_written("release export in", request.send().await)? {
                return Ok(waiting);
            }
        }
        Err(LedgerError::Contended(export.clone()))
    }

    /// Returns the location of a target list's delivered state; `None` if nothing has been delivered yet.
    pub async fn delivered(
        &self,
        export: &ExportId,
        list: &ListId,
    ) -> Result<Option<DeliveredPointer>, LedgerError> {
        let item = self.item(delivered_key(export, list)).await?;
        item.as_ref().map_or(Ok(None), delivered_pointer)
    }

    /// Returns the target lists that an export has delivered to and still owns.
    pub async fn delivered_lists(&self, export: &ExportId) -> Result<Vec<ListId>, LedgerError> {
        let items = self.delivered_items(export).await?;
        let lists = items.iter().filter_map(|item| {
            let has_people = find_number(item, "delivered").is_some_and(|people: u64| people > 0);
            let list = find_text(item, "sk").and_then(|sort| sort.strip_prefix(DELIVERED_PREFIX));
            list.filter(|_| has_people).map(|list| ListId(list.to_owned()))
        });
        Ok(lists.collect())
    }

    async fn delivered_items(&self, export: &ExportId) -> Result<Vec<Item>, LedgerError> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            count_call();
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :export AND begins_with(sk, :prefix)")
                .expression_attribute_values(":export", text(format!("export#{export}")))
                .expression_attribute_values(":prefix", text(DELIVERED_PREFIX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| self.cloud("list delivered states in", &error))?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// Returns the delivered states of an export by target list.
    pub async fn delivered_states(
        &self,
        export: &ExportId,
    ) -> Result<Vec<(ListId, DeliveredPointer)>, LedgerError> {
        let mut states = Vec::new();
        for item in self.delivered_items(export).await? {
            let list = find_text(&item, "sk").and_then(|sort| sort.strip_prefix(DELIVERED_PREFIX));
            if let (Some(list), Some(pointer)) = (list, delivered_pointer(&item)?) {
                states.push((ListId(list.to_owned()), pointer));
            }
        }
        Ok(states)
    }

    /// Forgets a target list that no longer exists.
    pub async fn forget_list(&self, export: &ExportId, list: &ListId) -> Result<(), LedgerError> {
        count_call();
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(delivered_key(export, list)))
            .update_expression("REMOVE object_key, delivered, run_id, uploads")
            .condition_expression("attribute_exists(pk)");
        self.is_written("forget target list in", request.send().await).map(drop)
    }

    /// Updates the pointer to a new delivered state if it points at `before` or at the new state already.
    /// Returns whether it does.
    ///
    /// A pointer never moves back, so an old state is never referenced again.
    pub async fn set_delivered(
        &self,
        export: &ExportId,
        list: &ListId,
        before: Option<&str>,
        pointer: &DeliveredPointer,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let uploads = serde_json::to_string(&pointer.uploads)
            .map_err(|_| LedgerError::Damaged { attribute: "uploads" })?;
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(delivered_key(export, list)))
            .update_expression(
                "SET object_key = :object_key, delivered = :delivered, run_id = :run, uploads = :uploads, \
                 updated_at_ms = :now",
            )
            .expression_attribute_values(":uploads", text(uploads))
            .expression_attribute_values(":object_key", text(&pointer.object_key))
            .expression_attribute_values(":delivered", number(pointer.delivered))
            .expression_attribute_values(":run", text(pointer.run_id.to_string()))
            .expression_attribute_values(":now", number(now.as_millisecond()));
        request = match before {
            Some(before) => request
                .condition_expression("object_key IN (:before, :object_key)")
                .expression_attribute_values(":before", text(before)),
            None => {
                request.condition_expression("attribute_not_exists(object_key) OR object_key = :object_key")
            }
        };
        count_call();
        self.is_written("write delivered state in", request.send().await)
    }
}
