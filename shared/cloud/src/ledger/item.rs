//! Keys and attributes of the ledger's items.

use super::LedgerError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use relay_model::{ExportId, RunId};
use serde::de::DeserializeOwned;
use std::collections::HashMap;

pub(super) type Item = HashMap<String, AttributeValue>;

/// How long runs and batches are kept after their last change, in seconds.
const KEPT_SECONDS: i64 = 90 * 24 * 3600;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl std::fmt::Display + Copy) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn run_key(run: RunId) -> Item {
    key(format!("run#{run}"), "run".to_owned())
}

pub(super) fn export_key(export: &ExportId) -> Item {
    key(export_text(export), "state".to_owned())
}

pub(super) fn export_text(export: &ExportId) -> String {
    format!("export#{export}")
}

pub(super) fn key(partition: String, sort: String) -> Item {
    HashMap::from([("pk".to_owned(), text(partition)), ("sk".to_owned(), text(sort))])
}

pub(super) fn expiry(now: Timestamp) -> AttributeValue {
    number(now.as_second() + KEPT_SECONDS)
}

pub(super) fn find_text<'a>(item: &'a Item, attribute: &str) -> Option<&'a str> {
    item.get(attribute)?.as_s().ok().map(String::as_str)
}

pub(super) fn find_number<T: std::str::FromStr>(item: &Item, attribute: &str) -> Option<T> {
    item.get(attribute)?.as_n().ok()?.parse().ok()
}

pub(super) fn find_json<T: DeserializeOwned>(item: &Item, attribute: &str) -> Option<T> {
    serde_json::from_str(find_text(item, attribute)?).ok()
}

pub(super) fn find_moment(item: &Item, attribute: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(find_number(item, attribute)?).ok()
}

pub(super) fn needed<T>(value: Option<T>, attribute: &'static str) -> Result<T, LedgerError> {
    value.ok_or(LedgerError::Damaged { attribute })
}
