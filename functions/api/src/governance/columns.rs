//! Whether the columns that are labelled are there: a label of a column that is misspelt holds nothing back.

use crate::Api;
use relay_model::catalog::{DataLabels, Document, Segment, Source};
use relay_model::engine::SegmentDescription;
use relay_pipeline::AskError;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// How long the query engine is waited for, when it may have been waited for already.
const PATIENCE: Duration = Duration::from_secs(8);
/// So many columns are named.
const NAMED_COLUMNS: usize = 30;
/// What the engine takes for the member key of a query that has none.
const NO_KEY: &str = "no member key";

impl Api {
    /// What people should know of a saved source's labels.
    pub(crate) async fn check_labelled_columns(
        &self,
        source: &Source,
        before: Option<&Source>,
    ) -> Vec<String> {
        let labels_before = before.map(|before| before.data_labels.clone()).unwrap_or_default();
        if !source.data_labels.adds_to(&labels_before) {
            return Vec::new();
        }
        match self.columns_of(source).await {
            Ok(found) => missing(&source.data_labels, &found),
            Err(why) => vec![format!("not checked whether the labelled columns are there: {why}")],
        }
    }

    async fn columns_of(&self, source: &Source) -> Result<SegmentDescription, String> {
        let id = &source.id;
        let query = format!("SELECT '' AS \"{NO_KEY}\", * FROM {id}");
        let segment = json!({ "id": id, "name": id, "query": query, "member_key": NO_KEY });
        let segment = Segment::parse(&segment.to_string()).map_err(|error| error.to_string())?;
        let deadline = Instant::now() + PATIENCE;
        self.engine.describe(segment, deadline).await.map_err(|error| {
            if let AskError::Unavailable(error) = &error {
                tracing::warn!(%error, "labels are saved without a check of their columns");
            }
            error.to_string()
        })
    }
}

fn missing(labels: &DataLabels, found: &SegmentDescription) -> Vec<String> {
    let names: Vec<&str> =
        found.columns.iter().map(|column| column.name.as_str()).filter(|name| *name != NO_KEY).collect();
    let there: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let is_there = |column: &str| {
        // What cannot be mapped is told in words, with its name.
        there.contains(&column.to_lowercase())
            || found.unusable_columns.iter().any(|told| told.contains(column))
    };
    let mut listed = names.iter().take(NAMED_COLUMNS).copied().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED_COLUMNS {
        listed.push_str(", …");
    }
    let missing = labels.columns().map(|(column, _)| column).filter(|column| !is_there(column));
    missing
        .map(|column| {
            format!("there is no column {column}, so its labels hold nothing back; the columns are: {listed}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_columns_that_are_not_there_are_told() {
        let found: SegmentDescription = serde_json::from_value(json!({
            "columns": [
                { "name": NO_KEY, "type": "text" }, { "name": "Email", "type": "text" }, { "name": "id", "type": "text" },
            ],
            "unusable_columns": ["the column tags has a list in it"],
        }))
        .unwrap();
        let check = |labels: &serde_json::Value, expected: &[&str]| {
            let labels: DataLabels = serde_json::from_value(labels.clone()).unwrap();
            assert_eq!(missing(&labels, &found), expected);
        };
        check(&json!({ "email": ["I1"], "tags": ["C2"] }), &[]);
        let told = "there is no column emial, so its labels hold nothing back; the columns are: Email, id";
        check(&json!({ "emial": ["I1"], "id": ["I2"] }), &[told]);
    }
}
