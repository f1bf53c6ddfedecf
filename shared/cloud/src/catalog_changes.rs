//! Changes of the catalog by users: with optimistic locking and an audit entry for each.

use super::audit::{AuditAction, AuditLine};
use super::catalog_store::{item_key, number, text};
use super::{CatalogStore, CloudError, LookupError, Saved, count_call};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{ConditionCheck, Delete, TransactWriteItem, Update};
use jiff::Timestamp;
use relay_model::catalog::{CatalogError, Document, Kind};
use serde::Serialize;
use serde_json::Value;

/// The state that a writer expects in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No definition with this id.
    Absent,
    /// This version.
    Version(u64),
}

/// The author and time of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The caller.
    pub by: String,
    /// The time.
    pub at: Timestamp,
    /// The caller's idempotency key: a repeated request is answered like the first.
    pub request_key: Option<String>,
    /// The action in the audit log.
    pub action: AuditAction,
    /// A definition that must exist when the change is written.
    pub needs: Option<(Kind, String)>,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The definition already exists.
    #[error("{kind} \"{id}\" already exists, in version {version}")]
    Exists {
        /// The kind of document.
        kind: &'static str,
        /// Its id.
        id: String,
        /// Its version.
        version: u64,
    },
    /// The definition was changed in the meantime.
    #[error("{kind} \"{id}\" has been changed in the meantime: its version is {version} now; read it again")]
    Changed {
        /// The kind of document.
        kind: &'static str,
        /// Its id.
        id: String,
        /// Its current version.
        version: u64,
    },
    /// A definition that the document needs was removed.
    #[error("{kind} \"{id}\" is not in the catalog")]
    NeedGone {
        /// The kind of the missing document.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// It does not exist or is invalid, or the table is unavailable.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

impl From<CatalogError> for ChangeError {
    fn from(error: CatalogError) -> Self {
        Self::Lookup(error.into())
    }
}

impl From<CloudError> for ChangeError {
    fn from(error: CloudError) -> Self {
        Self::Lookup(error.into())
    }
}

/// The result of a change.
#[derive(Clone, Debug, PartialEq)]
pub enum Written<T> {
    /// It was made.
    Done(Saved<T>),
    /// The same request had already made it.
    Repeated(Saved<T>),
}

/// The maximum size of a document, in bytes. An audit entry contains it before and after a change, and an
/// item of the table has at most 400 KB.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const MAX_DOCUMENT_BYTES: usize = 150_000;

impl CatalogStore {
    /// Saves a definition if the stored one is as expected.
    pub async fn write<T: Document + Serialize + Clone + PartialEq>(
        &self,
        document: &T,
        expected: Expected,
        change: &Change,
    ) -> Result<Written<T>, ChangeError> {
        document.validate()?;
        let current = self.find::<T>(document.id()).await?;
        let version = match (current, expected) {
            (Some(current), _) if is_repeated(&current, document, expected, change) => {
                return Ok(Written::Repeated(current));
            }
            (None, Expected::Absent) => None,
            (None, Expected::Version(_)) => return Err(missing::<T>(document.id())),
            (Some(current), Expected::Version(version)) if current.version == version => Some(current),
            (Some(current), _) => return Err(conflict::<T>(document.id(), expected, current.version)),
        };
        let new_version = version.as_ref().map_or(0, |current| current.version) + 1;
        let after = json::<T>(document)?;
        let before = version.as_ref().map(|current| json::<T>(&current.document)).transpose()?;
        let line = line::<T>(document.id(), change, before, Some(after.clone()));
        let seen = version.as_ref().map(|saved| saved.version);
        let put = self.update_part::<T>(document.id(), &after, seen, change)?;
        self.transact::<T>(document.id(), expected, vec![put], &line, change).await?;
        // Rounded as stored, so that later readers get an equal value.
        let saved_at = Timestamp::from_millisecond(change.at.as_millisecond()).unwrap_or(change.at);
        let (created_at, created_by) = match version {
            Some(current) => (current.created_at, current.created_by),
            None => (saved_at, Some(change.by.clone())),
        };
        Ok(Written::Done(Saved {
            document: document.clone(),
            saved_at,
            version: new_version,
            saved_by: Some(change.by.clone()),
            created_at,
            created_by,
            request_key: change.request_key.clone(),
        }))
    }

    /// Removes a definition in the version that the caller has seen.
    pub async fn remove<T: Document + Serialize>(
        &self,
        id: &str,
        version: u64,
        change: &Change,
    ) -> Result<T, ChangeError> {
        let expected = Expected::Version(version);
        let current = self.saved::<T>(id).await?;
        if current.version != version {
            return Err(conflict::<T>(id, expected, current.version));
        }
        let line = line::<T>(id, change, Some(json::<T>(&current.document)?), None);
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(item_key(T::KIND.name(), id)))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(version))
            .build()
            .map_err(|_| self.impossible())?;
        let delete = TransactWriteItem::builder().delete(delete).build();
        self.transact::<T>(id, expected, vec![delete], &line, change).await?;
        Ok(current.document)
    }

    fn update_part<T: Document>(
        &self,
        id: &str,
        document: &Value,
        version: Option<u64>,
        change: &Change,
    ) -> Result<TransactWriteItem, ChangeError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item_key(T::KIND.name(), id)))
            .expression_attribute_names("#document", "document")
            .expression_attribute_values(":document", text(document.to_string()))
            .expression_attribute_values(":now", number(change.at.as_millisecond()))
            .expression_attribute_values(":by", text(&change.by))
            .expression_attribute_values(":one", number(1));
        // A definition that was not created through the API has no creator, and its next editor must not
        // become one.
        let made = if version.is_none() { ", created_at_ms = :now, created_by = :by" } else { "" };
        let set = format!("SET #document = :document, saved_at_ms = :now, saved_by = :by{made}");
        let update = match &change.request_key {
            Some(key) => update
                .update_expression(format!("{set}, request_key = :key ADD version :one"))
                .expression_attribute_values(":key", text(key)),
            None => update.update_expression(format!("{set} REMOVE request_key ADD version :one")),
        };
        let update = match version {
            None => update.condition_expression("attribute_not_exists(id)"),
            Some(version) => update
                .condition_expression("version = :version")
                .expression_attribute_values(":version", number(version)),
        };
        let update = update.build().map_err(|_| self.impossible())?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    async fn transact<T: Document>(
        &self,
        id: &str,
        expected: Expected,
        mut parts: Vec<TransactWriteItem>,
        line: &AuditLine,
        change: &Change,
    ) -> Result<(), ChangeError> {
        parts.push(self.audit_part(line)?);
        if let Some((kind, needed)) = &change.needs {
            let check = ConditionCheck::builder()
                .table_name(&self.table)
                .set_key(Some(item_key(kind.name(), needed)))
                .condition_expression("attribute_exists(id)")
                .build()
                .map_err(|_| self.impossible())?;
            parts.push(TransactWriteItem::builder().condition_check(check).build());
        }
        count_call();
        let Err(error) = self.client.transact_write_items().set_transact_items(Some(parts)).send().await
        else {
            return Ok(());
        };
        let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error()
        else {
            return Err(CloudError::new("write catalog", &self.table, &error).into());
        };
        let mut refused = canceled.cancellation_reasons().iter().map(|reason| reason.code());
        let is_refused = |code: Option<Option<&str>>| code.flatten() == Some("ConditionalCheckFailed");
        if is_refused(refused.next()) {
            return Err(match self.find::<T>(id).await? {
                Some(current) => conflict::<T>(id, expected, current.version),
                None => missing::<T>(id),
            });
        }
        // The second part is the audit entry, which has no condition.
        if let (true, Some((kind, needed))) = (is_refused(refused.nth(1)), &change.needs) {
            return Err(ChangeError::NeedGone { kind: kind.name(), id: needed.clone() });
        }
        Err(CloudError::new("write catalog", &self.table, &error).into())
    }

    pub(super) fn impossible(&self) -> CloudError {
        CloudError::local("write catalog", &self.table, "request_impossible")
    }
}

fn line<T: Document>(id: &str, change: &Change, before: Option<Value>, after: Option<Value>) -> AuditLine {
    AuditLine {
        at: change.at,
        by: change.by.clone(),
        action: change.action,
        kind: T::KIND.name().to_owned(),
        id: id.to_owned(),
        before,
        after,
    }
}

/// Returns whether the same request has already made this change: a repeated create, or a retry after a
/// lost response.
fn is_repeated<T: PartialEq>(current: &Saved<T>, document: &T, expected: Expected, change: &Change) -> bool {
    let version = match expected {
        Expected::Absent => 1,
        Expected::Version(version) => version + 1,
    };
    change.request_key.is_some()
        && current.request_key == change.request_key
        && current.saved_by.as_deref() == Some(change.by.as_str())
        && current.version == version
        && current.document == *document
}

fn conflict<T: Document>(id: &str, expected: Expected, version: u64) -> ChangeError {
    let (kind, id) = (T::KIND.name(), id.to_owned());
    match expected {
        Expected::Absent => ChangeError::Exists { kind, id, version },
        Expected::Version(_) => ChangeError::Changed { kind, id, version },
    }
}

fn missing<T: Document>(id: &str) -> ChangeError {
    CatalogError::Missing { kind: T::KIND.name(), id: id.to_owned() }.into()
}

fn json<T: Document>(document: &(impl Serialize + ?Sized)) -> Result<Value, CatalogError> {
    let malformed = |problem: String| CatalogError::Malformed { kind: T::KIND.name(), problem };
    let value = serde_json::to_value(document).map_err(|error| malformed(error.to_string()))?;
    let bytes = value.to_string().len();
    if bytes > MAX_DOCUMENT_BYTES {
        let problem = format!("it has {bytes} bytes; the maximum is {MAX_DOCUMENT_BYTES}");
        return Err(malformed(problem));
    }
    Ok(value)
}
