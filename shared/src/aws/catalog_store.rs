//! Definitions, as they are stored.

use super::{CloudError, count_call};
use crate::catalog::{CatalogError, Document};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

/// The table of definitions.
#[derive(Clone, Debug)]
pub struct CatalogStore {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

/// Why a definition cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// It is not there, or it is not what it should be.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The table cannot be read now.
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// A definition, and when it was saved.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved<T> {
    /// The definition.
    pub document: T,
    /// When it was saved.
    pub saved_at: Timestamp,
}

impl CatalogStore {
    /// The table called `table`.
    #[must_use]
    pub const fn new(client: aws_sdk_dynamodb::Client, table: String) -> Self {
        Self { client, table }
    }

    /// One definition.
    pub async fn get<T: Document>(&self, id: &str) -> Result<T, LookupError> {
        count_call();
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("kind", AttributeValue::S(T::KIND.name().to_owned()))
            .key("id", AttributeValue::S(id.to_owned()))
            .consistent_read(true)
            .send()
            .await;
        let answer = answer.map_err(|error| CloudError::new("read catalog", &self.table, &error))?;
        let item =
            answer.item.ok_or_else(|| CatalogError::Missing { kind: T::KIND.name(), id: id.to_owned() })?;
        Ok(saved(&item)?.document)
    }

    /// Every definition of a kind. Those that cannot be read come as errors, so that one does not hide the others.
    pub async fn list<T: Document>(&self) -> Result<Vec<Result<Saved<T>, CatalogError>>, CloudError> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            count_call();
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("kind = :kind")
                .expression_attribute_values(":kind", AttributeValue::S(T::KIND.name().to_owned()))
                .set_exclusive_start_key(start)
                .send()
                .await;
            let answer = answer.map_err(|error| CloudError::new("read catalog", &self.table, &error))?;
            found.extend(answer.items().iter().map(saved));
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    /// Stores a definition that has been checked.
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
            .key("kind", AttributeValue::S(T::KIND.name().to_owned()))
            .key("id", AttributeValue::S(document.id().to_owned()))
            .update_expression("SET #document = :document, saved_at_ms = :now ADD version :one")
            .expression_attribute_names("#document", "document")
            .expression_attribute_values(":document", AttributeValue::S(json))
            .expression_attribute_values(":now", AttributeValue::N(now.as_millisecond().to_string()))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .send()
            .await;
        answer.map_err(|error| CloudError::new("write catalog", &self.table, &error))?;
        Ok(())
    }
}

fn saved<T: Document>(
    item: &std::collections::HashMap<String, AttributeValue>,
) -> Result<Saved<T>, CatalogError> {
    let malformed =
        |problem: &str| CatalogError::Malformed { kind: T::KIND.name(), problem: problem.to_owned() };
    let json = item
        .get("document")
        .and_then(|value| value.as_s().ok())
        .ok_or_else(|| malformed("the stored item has no document"))?;
    let saved_at = item
        .get("saved_at_ms")
        .and_then(|value| value.as_n().ok())
        .and_then(|text| text.parse().ok())
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
        .ok_or_else(|| malformed("the stored item has no time of saving"))?;
    Ok(Saved { document: T::parse(json)?, saved_at })
}
