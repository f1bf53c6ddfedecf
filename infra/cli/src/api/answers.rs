//! Reading the API's answers. A field that is missing is not an error where a person can do without it.

use serde_json::Value;

/// What the API answers.
#[derive(Debug)]
pub(crate) struct Answer {
    /// JSON; null where there was none.
    pub(crate) body: Value,
    /// The version that the entity tag names.
    pub(crate) version: Option<u64>,
}

/// A list, or the part of it that was wanted.
#[derive(Debug)]
pub(crate) struct Listed {
    /// Its items.
    pub(crate) items: Vec<Value>,
    /// What is wrong with what is stored and cannot be read.
    pub(crate) unreadable: Vec<String>,
}

/// A saved definition, as lists and single answers have it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Saved {
    /// Its identifier.
    pub(crate) id: String,
    /// The document, or the part of it that the caller may see.
    pub(crate) document: Value,
    /// The version, for changes.
    pub(crate) version: u64,
}

impl Saved {
    /// Out of `{"document": {…}, "version": 7, …}`.
    pub(crate) fn of(item: &Value) -> Option<Self> {
        let document = item.get("document")?.clone();
        let id = document.get("id")?.as_str()?.to_owned();
        Some(Self { id, document, version: item.get("version")?.as_u64()? })
    }
}

/// The value at a JSON Pointer, null being none.
pub(crate) fn field<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    value.pointer(pointer).filter(|value| !value.is_null())
}

/// The value at a JSON Pointer as people read it; empty where there is none.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    match field(value, pointer) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The whole number at a JSON Pointer.
pub(crate) fn number(value: &Value, pointer: &str) -> Option<u64> {
    field(value, pointer).and_then(Value::as_u64)
}

/// The texts in the list at a JSON Pointer.
pub(crate) fn texts(value: &Value, pointer: &str) -> Vec<String> {
    let items = field(value, pointer).and_then(Value::as_array);
    items.map(|items| items.iter().map(|item| text(item, "")).collect()).unwrap_or_default()
}
