//! Exclusions of persons, by pseudonym.

use super::item::{Item, find_moment, find_text, key, needed, number, text};
use super::{Ledger, LedgerError};
use crate::count_call;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::Select;
use relay_model::privacy::{Exclusion, ExclusionId};
use std::collections::HashSet;

/// The hash key of all exclusions. They are few, and read together.
const PARTITION: &str = "excluded";

fn exclusion_key(id: &str) -> Item {
    key(PARTITION.to_owned(), id.to_owned())
}

impl Ledger {
    /// Excludes a person. An existing exclusion keeps its time.
    pub async fn exclude(&self, exclusion: &Exclusion) -> Result<(), LedgerError> {
        count_call();
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(exclusion_key(&exclusion.id.to_string())))
            .update_expression("SET excluded_at_ms = :at, excluded_by = :by, request_id = :request")
            .condition_expression("attribute_not_exists(pk)")
            .expression_attribute_values(":at", number(exclusion.at.as_millisecond()))
            .expression_attribute_values(":by", text(&exclusion.by))
            .expression_attribute_values(":request", text(exclusion.request_id.to_string()));
        self.is_written("exclude in", request.send().await).map(drop)
    }

    /// Lifts an exclusion. Returns whether there was one.
    pub async fn lift_exclusion(&self, id: ExclusionId) -> Result<bool, LedgerError> {
        count_call();
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(exclusion_key(&id.to_string())))
            .condition_expression("attribute_exists(pk)")
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(self.cloud("lift exclusion in", &error).into()),
            },
        }
    }

    /// Returns a page of exclusions by id, starting after `cursor`, and the next cursor.
    pub async fn exclusions(
        &self,
        limit: i32,
        cursor: Option<&str>,
    ) -> Result<(Vec<Exclusion>, Option<String>), LedgerError> {
        count_call();
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .limit(limit)
            .key_condition_expression("pk = :excluded")
            .expression_attribute_values(":excluded", text(PARTITION))
            .set_exclusive_start_key(cursor.map(exclusion_key))
            .send()
            .await
            .map_err(|error| self.cloud("list exclusions in", &error))?;
        let next = page.last_evaluated_key().and_then(|key| find_text(key, "sk")).map(str::to_owned);
        let found: Result<_, _> = page.items().iter().map(read).collect();
        Ok((found?, next))
    }

    /// Returns the number of exclusions.
    pub async fn excluded_people(&self) -> Result<u64, LedgerError> {
        let (mut people, mut start) = (0, None);
        loop {
            count_call();
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .select(Select::Count)
                .key_condition_expression("pk = :excluded")
                .expression_attribute_values(":excluded", text(PARTITION))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| self.cloud("count exclusions in", &error))?;
            people += u64::try_from(page.count()).unwrap_or_default();
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(people);
            }
        }
    }

    /// Returns the ids of all exclusions with a consistent read.
    pub async fn excluded_ids(&self) -> Result<HashSet<ExclusionId>, LedgerError> {
        let (mut ids, mut start) = (HashSet::new(), None);
        loop {
            count_call();
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .projection_expression("sk")
                .key_condition_expression("pk = :excluded")
                .expression_attribute_values(":excluded", text(PARTITION))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| self.cloud("read exclusions in", &error))?;
            for item in page.items() {
                ids.insert(id(item)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(ids);
            }
        }
    }
}

fn id(item: &Item) -> Result<ExclusionId, LedgerError> {
    needed(find_text(item, "sk").and_then(|id| id.parse().ok()), "sk")
}

fn read(item: &Item) -> Result<Exclusion, LedgerError> {
    let request_id = find_text(item, "request_id").and_then(|id| id.parse().ok());
    Ok(Exclusion {
        id: id(item)?,
        at: needed(find_moment(item, "excluded_at_ms"), "excluded_at_ms")?,
        by: needed(find_text(item, "excluded_by"), "excluded_by")?.to_owned(),
        request_id: needed(request_id, "request_id")?,
    })
}
