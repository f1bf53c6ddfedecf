//! Ownership of target lists, and the destination's ids of segments' own lists.

use super::item::{Item, find_text, key, text};
use super::{Ledger, LedgerError};
use crate::count_call;
use relay_model::{ConnectionId, ExportId, ListId};

/// The owner of a target list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListOwner {
    /// The export.
    pub export: ExportId,
    /// The export's name of the list.
    pub list: ListId,
}

fn owner_key(connection: &ConnectionId, list_id: &ListId) -> Item {
    key(format!("connection#{connection}"), format!("list#{list_id}"))
}

fn known_key(export: &ExportId, list: &ListId) -> Item {
    key(format!("export#{export}"), format!("list#{list}"))
}

impl Ledger {
    /// Claims the destination's list `list_id` if it has no owner, and returns the owner. Two exports that
    /// mirror one list would remove each other's members.
    pub async fn own_list(
        &self,
        connection: &ConnectionId,
        list_id: &ListId,
        owner: &ListOwner,
    ) -> Result<ListOwner, LedgerError> {
        count_call();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(owner_key(connection, list_id)))
            .update_expression("SET export_id = :export, target_list = :list")
            .condition_expression(
                "attribute_not_exists(export_id) OR (export_id = :export AND target_list = :list)",
            )
            .expression_attribute_values(":export", text(owner.export.as_str()))
            .expression_attribute_values(":list", text(&owner.list.0))
            .send()
            .await;
        if self.is_written("own target list in", answer)? {
            return Ok(owner.clone());
        }
        self.list_owner(connection, list_id).await?.ok_or(LedgerError::Damaged { attribute: "export_id" })
    }

    /// Returns the owner of the destination's list `list_id`, if any.
    pub async fn list_owner(
        &self,
        connection: &ConnectionId,
        list_id: &ListId,
    ) -> Result<Option<ListOwner>, LedgerError> {
        let Some(item) = self.item(owner_key(connection, list_id)).await? else { return Ok(None) };
        let export = find_text(&item, "export_id").and_then(|id| ExportId::try_from(id.to_owned()).ok());
        let export = export.ok_or(LedgerError::Damaged { attribute: "export_id" })?;
        let list =
            find_text(&item, "target_list").ok_or(LedgerError::Damaged { attribute: "target_list" })?;
        Ok(Some(ListOwner { export, list: ListId(list.to_owned()) }))
    }

    /// Transfers a target list from an owner that no longer uses it. Returns whether it did.
    pub async fn take_list(
        &self,
        connection: &ConnectionId,
        list_id: &ListId,
        from: &ListOwner,
        to: &ListOwner,
    ) -> Result<bool, LedgerError> {
        count_call();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(owner_key(connection, list_id)))
            .update_expression("SET export_id = :to, target_list = :list")
            .condition_expression("export_id = :from AND target_list = :before")
            .expression_attribute_values(":from", text(from.export.as_str()))
            .expression_attribute_values(":before", text(&from.list.0))
            .expression_attribute_values(":to", text(to.export.as_str()))
            .expression_attribute_values(":list", text(&to.list.0))
            .send()
            .await;
        self.is_written("take target list in", answer)
    }

    /// Returns the destination's id of a segment's own list, from an earlier run.
    pub async fn known_list(&self, export: &ExportId, list: &ListId) -> Result<Option<ListId>, LedgerError> {
        let item = self.item(known_key(export, list)).await?.unwrap_or_default();
        Ok(find_text(&item, "list_id").map(|id| ListId(id.to_owned())))
    }

    /// Stores the destination's id of a segment's own list, so that it is found even if it is renamed.
    pub async fn remember_list(
        &self,
        export: &ExportId,
        list: &ListId,
        list_id: &ListId,
    ) -> Result<(), LedgerError> {
        count_call();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(known_key(export, list)))
            .update_expression("SET list_id = :id")
            .expression_attribute_values(":id", text(&list_id.0))
            .send()
            .await;
        answer.map(drop).map_err(|error| self.cloud("remember target list in", &error).into())
    }
}
