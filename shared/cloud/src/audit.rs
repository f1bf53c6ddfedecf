//! The audit log: one entry per change, written in the same transaction.

use super::catalog_store::{Item, find_text, item_key, number, text};
use super::{CatalogStore, CloudError, count_call};
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::{NoContext, Uuid};

/// The hash key of audit entries in the catalog's table.
const KIND: &str = "audit";

/// An audited action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// Created a definition.
    Create,
    /// Changed a definition.
    Replace,
    /// Removed a definition.
    Remove,
    /// Detached an export from its connection.
    Detach,
    /// Stored a connection's credentials.
    StoreCredentials,
    /// Recorded a consent.
    Consent,
    /// Withdrew a consent.
    WithdrawConsent,
    /// Requested a run.
    StartRun,
    /// Requested a dry run.
    StartDryRun,
    /// Requested a retry of the rows that a run could not apply.
    RetryRun,
    /// Canceled a run.
    CancelRun,
    /// Approved removals that the guard held.
    ApproveRun,
    /// Rejected removals that the guard held.
    RejectRun,
    /// Downloaded the rows that a run could not apply.
    DownloadRejected,
    /// Previewed a segment's members.
    PreviewSegment,
    /// Requested a download of all members of a segment.
    DownloadMembers,
    /// Requested an export of one person's data.
    ExportPerson,
    /// Downloaded the exported data.
    DownloadPerson,
    /// Requested the erasure of one person.
    ErasePerson,
    /// Lifted the exclusion of a person.
    LiftErasure,
}

/// One audit entry. Definitions contain no secrets, so entries do not either.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditLine {
    /// The time.
    pub at: Timestamp,
    /// The caller's identifier in the API: never an address or a name.
    pub by: String,
    /// The action.
    pub action: AuditAction,
    /// The kind of object.
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
    /// Records an action that changes no definition.
    pub async fn record(&self, line: &AuditLine) -> Result<(), CloudError> {
        count_call();
        let request =
            self.client.put_item().table_name(&self.table).set_item(Some(self.audit_item(line)?)).send();
        request.await.map(drop).map_err(|error| CloudError::new("write audit", &self.table, &error))
    }

    /// Returns the newest entries first, starting after `cursor`, and the next cursor.
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
        // A version 7 id starts with the time in milliseconds, so the sort key is chronological.
        let id = Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanoseconds));
        let mut item = item_key(KIND, &id.to_string());
        item.insert("line".to_owned(), text(json));
        item.insert("at_ms".to_owned(), number(line.at.as_millisecond()));
        Ok(item)
    }
}
