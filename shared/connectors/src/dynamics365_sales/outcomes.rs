//! What became of rows that the list was not changed for.

use super::classify::{self, Blame};
use crate::PushError;
use relay_delivery::batch::RowResult;
use relay_model::{Outcome, Reason};

/// Exports never create contacts
/// (<https://learn.microsoft.com/dynamics365/customer-insights/data/export-dynamics365-sales>).
pub(super) fn not_in_sales() -> RowResult {
    RowResult::new(Outcome::Skipped(Reason::new(
        "not_in_sales",
        "Dynamics 365 Sales has no contact with this id, and an export never makes one",
    )))
}

/// "Only active records can be added"
/// (<https://learn.microsoft.com/dynamics365/sales/create-marketing-list-using-app-marketing-sales>).
pub(super) fn inactive() -> RowResult {
    RowResult::new(Outcome::Skipped(Reason::new(
        "contact_inactive",
        "the contact is inactive in Dynamics 365 Sales, and only active ones can be on marketing lists",
    )))
}

/// Not on the list is what was asked for, and it was not our doing.
pub(super) fn not_on_list() -> RowResult {
    RowResult::not_ours(Outcome::Applied)
}

/// A contact that was refused by itself.
pub(super) fn refused(blame: Blame, error: &PushError) -> RowResult {
    let code = classify::code_of(error)
        .map_or_else(|| error.kind.code().to_owned(), |code| format!("dynamics365_sales_{code:08x}"));
    if blame == Blame::Members {
        let text = format!("Dynamics 365 Sales refuses this contact: {}", error.message);
        return RowResult::new(Outcome::Rejected(Reason::made(code, text)));
    }
    let text = format!("{}; the next run tries again", error.message);
    RowResult::new(Outcome::Deferred(Reason::made(code, text)))
}
