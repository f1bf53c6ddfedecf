//! Accessors for the API's JSON responses. A missing field yields an empty value instead of an error.

use serde_json::Value;

/// A response of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The JSON body; null if the response had none.
    pub(crate) body: Value,
    /// The version in the `ETag` header.
    pub(crate) version: Option<u64>,
}

/// A list, or its first pages.
#[derive(Debug)]
pub(crate) struct Listed {
    /// Its items.
    pub(crate) items: Vec<Value>,
    /// Messages about stored definitions that cannot be parsed.
    pub(crate) unreadable: Vec<String>,
}

/// A saved definition, as returned in lists and by `GET`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Saved {
    /// Its identifier.
    pub(crate) id: String,
    /// The document, restricted to what the caller may see.
    pub(crate) document: Value,
    /// The version, required for changes.
    pub(crate) version: u64,
}

impl Saved {
    /// Parses `{"document": {…}, "version": 7, …}`.
    pub(crate) fn of(item: &Value) -> Option<Self> {
        let document = item.get("document")?.clone();
        let id = document.get("id")?.as_str()?.to_owned();
        Some(Self { id, document, version: item.get("version")?.as_u64()? })
    }
}

/// Returns the value at a JSON Pointer; null counts as missing.
pub(crate) fn field<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    value.pointer(pointer).filter(|value| !value.is_null())
}

/// Formats the value at a JSON Pointer for display; empty if it is missing.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    match field(value, pointer) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Returns the whole number at a JSON Pointer.
pub(crate) fn number(value: &Value, pointer: &str) -> Option<u64> {
    field(value, pointer).and_then(Value::as_u64)
}

/// Returns the strings in the list at a JSON Pointer.
pub(crate) fn texts(value: &Value, pointer: &str) -> Vec<String> {
    let items = field(value, pointer).and_then(Value::as_array);
    items.map(|items| items.iter().map(|item| text(item, "")).collect()).unwrap_or_default()
}
