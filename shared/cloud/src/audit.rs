//! Who changed what: one line for each change, written together with it.

use super::catalog_store::{Item, find_text, item_key, number, text};
use super::{CatalogStore, CloudError, count_call};
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::{NoContext, Uuid};

/// The hash key of the catalog's table under which the lines are.
const KIND: &str = "audit";

/// What somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// Made a definition.
    Create,
    /// Changed a definition.
    Replace,
    /// Removed a definition.
    Remove,
    /// Took the connection out of an export.
    Detach,
    /// Stored a connection's credentials.
    StoreCredentials,
    /// Agreed to data leaving.
    Consent,
    /// Took the consent back.
    WithdrawConsent,
    /// Asked for a run.
    StartRun,
    /// Asked for a dry run.
    StartDryRun,
    /// Asked for the rows again that a run could not apply.
    RetryRun,
    /// Stopped a run.
    CancelRun,
    /// Approved a removal that the guard held.
    ApproveRun,
    /// Refused a removal that the guard held.
    RejectRun,
    /// Fetched the rows that a run could not apply.
    DownloadRejected,
    /// Looked at a segment's people.
    PreviewSegment,
    /// Asked for all members of a segment.
    DownloadMembers,
    /// Asked for everything that is kept about one person.
    ExportPerson,
    /// Fetched it.
    DownloadPerson,
    /// Had one person forgotten.
    ErasePerson,
    /// Let somebody in again who was kept out.
    LiftErasure,
}

/// One line. Definitions hold no secrets, so neither does a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditLine {
    /// When.
    pub at: Timestamp,
    /// Who, as the API calls them: never an address or a name.
    pub by: String,
    /// What they did.
    pub action: AuditAction,
    /// Which kind of thing it was done to.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The definition before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The definition after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl CatalogStore {
    /// Writes a line of something that changes no definition.
    pub async fn record(&self, line: &AuditLine) -> Result<(), CloudError> {
        count_call();
        let request =
            self.client.put_item().table_name(&self.table).set_item(Some(self.audit_item(line)?)).send();
        request.await.map(drop).map_err(|error| CloudError::new("write audit", &self.table, &error))
    }

    /// The newest lines first, beginning after `cursor`, and the cursor to go on with.
    pub async fn audit(
        &self,
        limit: i32,
        cursor: Option<&str>,
    ) -> Result<(Vec<AuditLine>, Option<String>), CloudError> {
        count_call();
        let answer = self
            .query(KIND)
            .scan_index_forward(false)
            .limit(limit)
            .set_exclusive_start_key(cursor.map(|id| item_key(KIND, id)))
            .send()
            .await
            .map_err(|error| CloudError::new("read audit", &self.table, &error))?;
        let next = answer.last_evaluated_key().and_then(|key| find_text(key, "id")).map(str::to_owned);
        let lines =
            answer.items().iter().filter_map(|item| serde_json::from_str(find_text(item, "line")?).ok());
        Ok((lines.collect(), next))
    }

    pub(super) fn audit_part(&self, line: &AuditLine) -> Result<TransactWriteItem, CloudError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(self.audit_item(line)?)).build();
        Ok(TransactWriteItem::builder().put(put.map_err(|_| self.impossible())?).build())
    }

    fn audit_item(&self, line: &AuditLine) -> Result<Item, CloudError> {
        let json = serde_json::to_string(line).map_err(|_| self.impossible())?;
        let seconds = u64::try_from(line.at.as_second()).unwrap_or_default();
        let nanoseconds = u32::try_from(line.at.subsec_nanosecond()).unwrap_or_default();
        // Its first part is the time in milliseconds, so that the sort key follows the changes.
        let id = Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanoseconds));
        let mut item = item_key(KIND, &id.to_string());
        item.insert("line".to_owned(), text(json));
        item.insert("at_ms".to_owned(), number(line.at.as_millisecond()));
        Ok(item)
    }
}
