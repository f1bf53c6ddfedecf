//! Data labels of columns, which restrict how the data may be used.

use crate::DataLabel;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The maximum number of labelled columns of a table.
const MAX_COLUMNS: usize = 500;
/// The maximum number of labels of a column: all of Adobe's, and a few of one's own.
const MAX_LABELS: usize = 40;
/// The maximum length of a column name, in bytes.
const MAX_NAME_BYTES: usize = 128;

/// The labels of a table's columns, by column name. They are unrelated to the `labels` that sort
/// definitions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct DataLabels(BTreeMap<String, BTreeSet<DataLabel>>);

impl DataLabels {
    /// Returns whether no column is labelled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns every labelled column with its labels.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &BTreeSet<DataLabel>)> {
        self.0.iter().map(|(column, labels)| (column.as_str(), labels))
    }

    /// Returns the labels of a column. Names are compared without case, because a missed label would
    /// release restricted data.
    #[must_use]
    pub fn of(&self, column: &str) -> BTreeSet<DataLabel> {
        let column = column.to_lowercase();
        let same = self.0.iter().filter(|(name, _)| name.to_lowercase() == column);
        same.flat_map(|(_, labels)| labels).cloned().collect()
    }

    /// Returns whether some column must never be exported (C12).
    #[must_use]
    pub fn withhold_any(&self) -> bool {
        self.0.values().flatten().any(DataLabel::is_never_exported)
    }

    /// Returns whether some column has a label that it does not have in `before`.
    #[must_use]
    pub fn adds_to(&self, before: &Self) -> bool {
        self.columns().any(|(column, labels)| !labels.is_subset(&before.of(column)))
    }

    /// Checks constraints beyond the types.
    pub(super) fn validate(&self) -> Result<(), String> {
        let columns = self.0.len();
        if columns > MAX_COLUMNS {
            return Err(format!("labels {columns} columns; the maximum is {MAX_COLUMNS}"));
        }
        for (column, labels) in &self.0 {
            if column.is_empty() || column.len() > MAX_NAME_BYTES || column.contains(char::is_control) {
                return Err("names a column with an empty or invalid name".to_owned());
            }
            if labels.is_empty() {
                return Err(format!("column \"{column}\" has no label; leave it out"));
            }
            if labels.len() > MAX_LABELS {
                return Err(format!("column \"{column}\" has more than {MAX_LABELS} labels"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn labels(value: Value) -> DataLabels {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn columns_are_found_whatever_their_case() {
        let labels = labels(json!({ "Email": ["I1"], "email": ["C2"], "city": ["own-a"] }));
        let check = |column: &str, expected: &[&str]| {
            let found = labels.of(column);
            assert_eq!(found.iter().map(DataLabel::as_str).collect::<Vec<_>>(), expected, "{column}");
        };
        check("EMAIL", &["C2", "I1"]);
        check("city", &["own-a"]);
        check("name", &[]);
    }

    #[test]
    fn only_what_was_not_there_is_added() {
        let before = labels(json!({ "email": ["I1", "C2"] }));
        let check = |after: Value, adds: bool| assert_eq!(labels(after).adds_to(&before), adds);
        check(json!({}), false);
        check(json!({ "email": ["C2"] }), false);
        check(json!({ "email": ["C2", "S1"] }), true);
        check(json!({ "name": ["I1"] }), true);
    }

    #[track_caller]
    fn check(value: Value, expected: Option<&str>) {
        let found = labels(value).validate().err();
        match expected {
            Some(words) => assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{found:?}"),
            None => assert_eq!(found, None),
        }
    }

    #[test]
    fn they_are_bounded() {
        check(json!({}), None);
        check(json!({ "First Name": ["C1"], "naïve": ["I1", "I2"] }), None);
        check(json!({ "email": [] }), Some("has no label"));
        check(json!({ "": ["C1"] }), Some("invalid name"));
        check(json!({ "a\u{7}": ["C1"] }), Some("invalid name"));
        let own: Vec<String> = (0..=MAX_LABELS).map(|number| format!("own-{number}")).collect();
        check(json!({ "email": own }), Some("more than 40 labels"));
        let many: serde_json::Map<String, Value> =
            (0..=MAX_COLUMNS).map(|number| (number.to_string(), json!(["C1"]))).collect();
        check(Value::Object(many), Some("labels 501 columns"));
        assert!(serde_json::from_value::<DataLabels>(json!({ "email": ["c2"] })).is_err());
    }
}
