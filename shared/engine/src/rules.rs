//! Checks the fields of rules against the columns of the sources, and counts the members of each rule.

use crate::check::SegmentQuery;
use crate::columns::ColumnType;
use crate::count::count_members;
use crate::engine::Engine;
use crate::errors::QueryError;
use crate::source_columns::{SourceColumn, source_columns};
use relay_model::catalog::json_pointer;
use relay_model::catalog::rules::{ColumnUse, RuleSet, ValueKind};
use relay_model::engine::{EngineError, RuleCount};
use relay_model::query::{listed, suggestion};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Checks the columns in rules against the columns of the sources. Returns the first error. The engine finds most of these
/// errors too, but not the field of the rules, and not a comparison of a date with a number.
pub async fn check_columns(
    engine: &Engine,
    rules: &RuleSet,
    member_key: &str,
) -> Result<Option<EngineError>, QueryError> {
    let mut sources: BTreeMap<String, Vec<SourceColumn>> = BTreeMap::new();
    for (_, source) in rules.named_sources() {
        if !sources.contains_key(source) {
            sources.insert(source.to_owned(), source_columns(engine, source).await?);
        }
    }
    let columns = |name: &str| sources.get(name).map(Vec::as_slice).unwrap_or_default();
    let main = rules.source.as_str();
    if let Some(text) = missing(main, member_key, columns(main)) {
        let code = "query_member_key_missing".to_owned();
        return Ok(Some(EngineError { code, text, field: Some("/member_key".to_owned()) }));
    }
    let uses = rules.column_uses();
    let found = uses.iter().find_map(|one| {
        let (code, text) = column_use_error(one, columns(&one.source))?;
        let field = Some(json_pointer(&format!("rules.{}", one.field)));
        Some(EngineError { code: code.to_owned(), text, field })
    });
    Ok(found)
}

fn missing(source: &str, column: &str, columns: &[SourceColumn]) -> Option<String> {
    if columns.iter().any(|one| one.name == column) {
        return None;
    }
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let close = suggestion(column, &names);
    Some(format!("source {source} has no column {column}{close}; its columns are: {}", listed(&names)))
}

/// Returns the code and the text of the error in the use of a column.
fn column_use_error(one: &ColumnUse, columns: &[SourceColumn]) -> Option<(&'static str, String)> {
    if let Some(text) = missing(&one.source, &one.column, columns) {
        return Some(("query_unknown_column", text));
    }
    let (operator, wanted) = one.operator?;
    let column = columns.iter().find(|column| column.name == one.column)?;
    let advice = advice(column.column_type, wanted)?;
    let is = column.column_type.map_or("of a nested type", type_name);
    let (column, source) = (&one.column, &one.source);
    let needed = value_name(wanted);
    Some((
        "rules_wrong_type",
        format!("column {column} of {source} is {is}, and {operator} needs {needed} here; {advice}"),
    ))
}

/// Returns advice if the operator does not fit the column's type. A text can hold any kind of value, because every column of
/// a CSV file is text.
const fn advice(column: Option<ColumnType>, wanted: ValueKind) -> Option<&'static str> {
    match (column, wanted) {
        (_, ValueKind::Any)
        | (Some(ColumnType::Text), _)
        | (Some(ColumnType::Integer), ValueKind::Number | ValueKind::Truth)
        | (Some(ColumnType::Decimal), ValueKind::Number)
        | (Some(ColumnType::Boolean), ValueKind::Truth)
        | (Some(ColumnType::Date | ColumnType::Moment | ColumnType::LocalMoment), ValueKind::When) => None,
        (Some(ColumnType::Integer | ColumnType::Decimal), _) => Some(
            "compare it with numbers, without quotes: is, one_of, less_than, at_most, more_than, at_least, between",
        ),
        (Some(ColumnType::Boolean), _) => Some("compare it with is: true or is: false"),
        (Some(ColumnType::Date | ColumnType::Moment | ColumnType::LocalMoment), _) => {
            Some("compare it with days: on, before, after, between, within_last_days")
        }
        (None, _) => Some("only is_null can be used with it; use a query to extract its values"),
    }
}

const fn type_name(column: ColumnType) -> &'static str {
    match column {
        ColumnType::Text => "text",
        ColumnType::Integer | ColumnType::Decimal => "a number",
        ColumnType::Boolean => "true or false",
        ColumnType::Date => "a day",
        ColumnType::Moment | ColumnType::LocalMoment => "a moment",
    }
}

const fn value_name(wanted: ValueKind) -> &'static str {
    match wanted {
        ValueKind::Text => "a text",
        ValueKind::Number => "a number",
        ValueKind::Truth => "true or false",
        ValueKind::When => "a day or a moment",
        ValueKind::Any => "anything",
    }
}

/// Counts the members of each rule and the members that remain after it, until the deadline. `members` is the segment's
/// member count, which remains after the last rule.
pub async fn counts(
    engine: &Engine,
    rules: &RuleSet,
    member_key: &str,
    members: u64,
    deadline: Instant,
) -> Vec<RuleCount> {
    let last = rules.rules.len().saturating_sub(1);
    let mut counts = Vec::with_capacity(rules.rules.len());
    for (place, rule) in rules.rules.iter().enumerate() {
        let after = match place {
            place if place == last => Some(members),
            place => count(engine, &rules.up_to(place), member_key, deadline).await,
        };
        let alone = match place {
            // The first rule is not combined with anything.
            0 => after,
            place => count(engine, &rules.alone(place), member_key, deadline).await,
        };
        counts.push(RuleCount { name: rule.name.clone(), members: alone, after });
    }
    counts
}

/// Returns a count, or `None` if it fails or the deadline has passed. The preview shows the other counts.
async fn count(engine: &Engine, rules: &RuleSet, member_key: &str, deadline: Instant) -> Option<u64> {
    if Instant::now() >= deadline {
        return None;
    }
    let (text, member_key) = (rules.query(member_key).ok()?, member_key.to_owned());
    let query = SegmentQuery { text, member_key, attributes: Vec::new() };
    let counted = count_members(engine, &query, deadline).await;
    let failed = |error: &QueryError| tracing::info!(error.code = error.code(), "rule could not be counted");
    counted.inspect_err(failed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, column_type: Option<ColumnType>) -> SourceColumn {
        SourceColumn { name: name.to_owned(), column_type }
    }

    /// Checks the kinds of values that a column can be compared with, and the error text for the others.
    #[track_caller]
    fn check(column_type: Option<ColumnType>, expected: &[ValueKind], words: &str) {
        use ValueKind::{Any, Number, Text, Truth, When};
        let columns = [column("other", None), column("it", column_type)];
        for kind in [Text, Number, Truth, When, Any] {
            let one = ColumnUse {
                field: "rules[0].all[0]".to_owned(),
                source: "people".to_owned(),
                column: "it".to_owned(),
                operator: Some(("does", kind)),
            };
            let found = column_use_error(&one, &columns);
            assert_eq!(found.is_none(), expected.contains(&kind), "{kind:?} {found:?}");
            if let Some((code, text)) = found {
                assert_eq!(code, "rules_wrong_type");
                assert!(
                    text.starts_with(&format!("column it of people is {words}, and does needs ")),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn columns_are_compared_with_values_of_their_type() {
        use ValueKind::{Any, Number, Text, Truth, When};
        check(Some(ColumnType::Text), &[Text, Number, Truth, When, Any], "");
        check(Some(ColumnType::Integer), &[Number, Truth, Any], "a number");
        check(Some(ColumnType::Decimal), &[Number, Any], "a number");
        check(Some(ColumnType::Boolean), &[Truth, Any], "true or false");
        check(Some(ColumnType::Date), &[When, Any], "a day");
        check(Some(ColumnType::Moment), &[When, Any], "a moment");
        check(Some(ColumnType::LocalMoment), &[When, Any], "a moment");
        check(None, &[Any], "of a nested type");
    }

    #[test]
    fn missing_columns_are_named() {
        let one = ColumnUse {
            field: "columns[0]".to_owned(),
            source: "people".to_owned(),
            column: "emial".to_owned(),
            operator: None,
        };
        let columns = [column("email", Some(ColumnType::Text)), column("tags", None)];
        let words = "source people has no column emial; did you mean email?; its columns are: email, tags";
        assert_eq!(column_use_error(&one, &columns), Some(("query_unknown_column", words.to_owned())));
        let there = ColumnUse { column: "tags".to_owned(), ..one };
        assert_eq!(
            column_use_error(&there, &columns),
            None,
            "whether a column can be mapped is checked elsewhere"
        );
    }
}
