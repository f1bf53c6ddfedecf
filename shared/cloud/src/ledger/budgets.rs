//! The budget of calls of each connection, changed by compare and swap.

use super::item::{Item, find_moment, find_number, find_text, key, number, text};
use super::{Ledger, LedgerError};
use crate::count_call;
use relay_model::ConnectionId;
use relay_model::pacing::Budget;

/// A budget with its version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredBudget {
    /// The budget.
    pub budget: Budget,
    /// The number of changes; 0 for one that was never stored.
    pub version: u64,
}

/// One of a connection's budgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetKind {
    /// The budget of all calls.
    Usual,
    /// The budget of calls with a lower limit at the destination.
    Rare,
}

fn budget_key(connection: &ConnectionId, kind: BudgetKind) -> Item {
    let sort = match kind {
        BudgetKind::Usual => "budget",
        BudgetKind::Rare => "budget#rare",
    };
    key(format!("connection#{connection}"), sort.to_owned())
}

impl Ledger {
    /// Returns a connection's budget.
    pub async fn budget(
        &self,
        connection: &ConnectionId,
        kind: BudgetKind,
    ) -> Result<StoredBudget, LedgerError> {
        let Some(item) = self.item(budget_key(connection, kind)).await? else {
            return Ok(StoredBudget::default());
        };
        let fresh = Budget::default();
        let moment = |attribute: &str, otherwise| find_moment(&item, attribute).unwrap_or(otherwise);
        let budget = Budget {
            next_slot: moment("next_slot_ms", fresh.next_slot),
            spacing_percent: find_number(&item, "spacing_percent").unwrap_or(fresh.spacing_percent),
            changed_at: moment("changed_at_ms", fresh.changed_at),
            resets_at: moment("resets_at_ms", fresh.resets_at),
            spent: find_number(&item, "spent").unwrap_or(fresh.spent),
            paused_until: moment("paused_until_ms", fresh.paused_until),
            pause_text: find_text(&item, "pause_text").unwrap_or_default().to_owned(),
        };
        Ok(StoredBudget { budget, version: find_number(&item, "version").unwrap_or(0) })
    }

    /// Stores a changed budget if it was not changed concurrently. Returns whether it did.
    pub async fn save_budget(
        &self,
        connection: &ConnectionId,
        kind: BudgetKind,
        budget: &Budget,
        version_before: u64,
    ) -> Result<bool, LedgerError> {
        count_call();
        // Rounded up, so that a stored slot is never earlier than the one handed out.
        let next_slot_ms = budget.next_slot.as_millisecond().saturating_add(1);
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(budget_key(connection, kind)))
            .update_expression(
                "SET next_slot_ms = :next, spacing_percent = :spacing, changed_at_ms = :changed, \
                 resets_at_ms = :resets, spent = :spent, paused_until_ms = :paused, pause_text = :text, \
                 version = :version",
            )
            .expression_attribute_values(":next", number(next_slot_ms))
            .expression_attribute_values(":spacing", number(budget.spacing_percent))
            .expression_attribute_values(":changed", number(budget.changed_at.as_millisecond()))
            .expression_attribute_values(":resets", number(budget.resets_at.as_millisecond()))
            .expression_attribute_values(":spent", number(budget.spent))
            .expression_attribute_values(":paused", number(budget.paused_until.as_millisecond()))
            .expression_attribute_values(":text", text(&budget.pause_text))
            .expression_attribute_values(":version", number(version_before + 1));
        let request = if version_before == 0 {
            request.condition_expression("attribute_not_exists(pk)")
        } else {
            request
                .condition_expression("version = :before")
                .expression_attribute_values(":before", number(version_before))
        };
        self.is_written("save budget in", request.send().await)
    }
}
