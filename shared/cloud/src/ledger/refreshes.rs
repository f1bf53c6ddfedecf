//! The latest refresh of profiles by the deployment's own schedule.

use super::item::{Item, find_text, key, text};
use super::{Ledger, LedgerError};
use crate::count_call;

fn refreshes_key() -> Item {
    key("refreshes".to_owned(), "latest".to_owned())
}

impl Ledger {
    /// Returns the key of the latest scheduled refresh whose exports were all started.
    pub async fn latest_refresh(&self) -> Result<Option<String>, LedgerError> {
        let item = self.item(refreshes_key()).await?.unwrap_or_default();
        Ok(find_text(&item, "refresh_key").map(str::to_owned))
    }

    /// Records that the exports of this refresh were started, so that later ticks do not start them again.
    pub async fn note_refresh(&self, refresh_key: &str) -> Result<(), LedgerError> {
        count_call();
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(refreshes_key()))
            .update_expression("SET refresh_key = :key")
            .expression_attribute_values(":key", text(refresh_key));
        self.is_written("note refresh in", request.send().await).map(drop)
    }
}
