//! Storage of definitions.

use super::{CloudError, count_call};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use relay_model::catalog::{CatalogError, Document};
use std::collections::HashMap;

/// The table of definitions.
#[derive(Clone, Debug)]
pub struct CatalogStore {
    pub(super) client: aws_sdk_dynamodb::Client,
    pub(super) table: String,
}

/// Why a definition is unavailable.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// It does not exist or is invalid.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The table is unavailable.
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// A saved definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved<T> {
    /// The definition.
    pub document: T,
    /// When it was saved.
    pub saved_at: Timestamp,
    /// Counts up from 1 with each change.
    pub version: u64,
    /// Who saved it; `None` if it did not come through the API.
    pub saved_by: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The caller who created it; `None` if it did not come through the API.
    pub created_by: Option<String>,
    /// The idempotency key of the request that saved it.
    pub request_key: Option<String>,
}

impl CatalogStore {
    /// Creates the store for the table `table`.
    #[must_use]
    pub const fn new(client: aws_sdk_dynamodb::Client, table: String) -> Self {
        Self { client, table }
    }

    /// Returns a definition.
    pub async fn get<T: Document>(&self, id: &str) -> Result<T, LookupError> {
        Ok(self.saved(id).await?.document)
    }

    /// Returns a definition with its version and author.
    pub async fn saved<T: Document>(&self, id: &str) -> Result<Saved<T>, LookupError> {
        let found = self.find(id).await?;
        found.ok_or_else(|| CatalogError::Missing { kind: T::KIND.name(), id: id.to_owned() }.into())
    }

    /// Returns a definition if it exists.
    pub async fn find<T: Document>(&self, id: &str) -> Result<Option<Saved<T>>, LookupError> {
        count_call();
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(item_key(T::KIND.name(), id)))
            .consistent_read(true)
            .send()
            .await;
        let answer = answer.map_err(|error| CloudError::new("read catalog", &self.table, &error))?;
        Ok(answer.item.as_ref().map(saved).transpose()?)
    }

    /// Returns every definition of a kind. Definitions that cannot be parsed are returned as errors, so
    /// that one does not hide the others.
    pub async fn list<T: Document>(&self) -> Result<Vec<Result<Saved<T>, CatalogError>>, CloudError> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let (page, next) = self.page(None, start.as_deref()).await?;
            found.extend(page);
            start = next;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    /// Returns the ids of all definitions of a kind, including those that cannot be parsed.
    pub async fn ids<T: Document>(&self) -> Result<Vec<String>, CloudError> {
        let mut ids = Vec::new();
        let mut start = None;
        loop {
            count_call();
            let query = self.query(T::KIND.name()).projection_expression("id").consistent_read(true);
            let answer = query.set_exclusive_start_key(start).send().await;
            let answer = answer.map_err(|error| CloudError::new("read catalog", &self.table, &error))?;
            ids.extend(answer.items().iter().filter_map(|item| find_text(item, "id")).map(str::to_owned));
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(ids);
            }
        }
    }

    /// Returns a page of definitions by id, starting after the id `after`, and the id to continue after.
    pub async fn page<T: Document>(
        &self,
        limit: Option<i32>,
        after: Option<&str>,
    ) -> Result<(Vec<Result<Saved<T>, CatalogError>>, Option<String>), CloudError> {
        count_call();
        let answer = self
            .query(T::KIND.name())
            .set_limit(limit)
            .consistent_read(true)
            .set_exclusive_start_key(after.map(|id| item_key(T::KIND.name(), id)))
            .send()
            .await;
        let answer = answer.map_err(|error| CloudError::new("read catalog", &self.table, &error))?;
        let next = answer.last_evaluated_key().and_then(|key| find_text(key, "id")).map(str::to_owned);
        Ok((answer.items().iter().map(saved).collect(), next))
    }

    /// Creates the query for the items of a kind.
    pub(super) fn query(&self, kind: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression("kind = :kind")
            .expression_attribute_values(":kind", text(kind))
    }

    /// Stores a validated definition unconditionally. User changes go through [`CatalogStore::write`],
    /// which prevents lost updates.
    pub async fn put<T: Document + serde::Serialize>(
        &self,
        document: &T,
        now: Timestamp,
    ) -> Result<(), LookupError> {
        document.validate()?;
        let json = serde_json::to_string(document)
            .map_err(|error| CatalogError::Malformed { kind: T::KIND.name(), problem: error.to_string() })?;
        count_call();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item_key(T::KIND.name(), document.id())))
            .update_expression(
                "SET #document = :document, saved_at_ms = :now, created_at_ms = if_not_exists(created_at_ms, :now) \
                 ADD version :one REMOVE saved_by, request_key",
            )
            .expression_attribute_names("#document", "document")
            .expression_attribute_values(":document", text(json))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":one", number(1))
            .send()
            .await;
        answer.map_err(|error| CloudError::new("write catalog", &self.table, &error))?;
        Ok(())
    }
}

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl std::fmt::Display + Copy) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn item_key(kind: &str, id: &str) -> Item {
    HashMap::from([("kind".to_owned(), text(kind)), ("id".to_owned(), text(id))])
}

pub(super) fn find_text<'a>(item: &'a Item, attribute: &str) -> Option<&'a str> {
    item.get(attribute)?.as_s().ok().map(String::as_str)
}

pub(super) fn find_number<N: std::str::FromStr>(item: &Item, attribute: &str) -> Option<N> {
    item.get(attribute)?.as_n().ok()?.parse().ok()
}

fn saved<T: Document>(item: &Item) -> Result<Saved<T>, CatalogError> {
    let malformed = |problem: &str| CatalogError::Malformed {
        kind: T::KIND.name(),
        problem: format!("the stored item has no {problem}"),
    };
    let json = find_text(item, "document").ok_or_else(|| malformed("document"))?;
    let moment = |attribute| Timestamp::from_millisecond(find_number(item, attribute)?).ok();
    Ok(Saved {
        document: T::parse(json)?,
        saved_at: moment("saved_at_ms").ok_or_else(|| malformed("time of saving"))?,
        created_at: moment("created_at_ms").ok_or_else(|| malformed("time of creation"))?,
        created_by: find_text(item, "created_by").map(str::to_owned),
        version: find_number(item, "version").ok_or_else(|| malformed("version"))?,
        saved_by: find_text(item, "saved_by").map(str::to_owned),
        request_key: find_text(item, "request_key").map(str::to_owned),
    })
}
