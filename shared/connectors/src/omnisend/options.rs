//! What an export may say that only this destination knows.

use super::fields::is_property_name;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Why settings or options are not taken. Names the field; it is about configuration, never about people.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct OptionsError(pub(super) String);

/// What an export may say.
///
/// There is no option to subscribe people. A subscription is told of whose profile carries the consent and its day
/// (the fields `consent.email` and `consent.email.date` of the mapping), and never of anybody who has unsubscribed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OmnisendOptions {
    /// How the tag of a segment is made.
    pub tag: TagOptions,
    /// Whether an Omnisend segment of everybody with the tag is made where there is none.
    pub make_segment: bool,
    /// What mapped custom properties hold; text where nothing is said.
    pub property_types: BTreeMap<String, PropertyType>,
}

/// How the tag of a segment is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TagOptions {
    /// What stands before the name.
    pub prefix: String,
    /// The name; the segment's where nothing is said.
    pub name: Option<String>,
}

/// What a custom property holds (<https://api-docs.omnisend.com/reference/contacts#custom-properties>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PropertyType {
    /// Text.
    Text,
    /// A number.
    Number,
    /// A truth value.
    Boolean,
    /// A day, written `2026-02-28`.
    Date,
}

impl OmnisendOptions {
    /// Reads and checks an export's options.
    pub fn parse(options: &Map<String, Value>) -> Result<Self, OptionsError> {
        let found: Self = serde_json::from_value(Value::Object(options.clone()))
            .map_err(|error| OptionsError(format!("options: {error}")))?;
        if found.tag.name.as_deref().is_some_and(|name| name.trim().is_empty()) {
            return Err(OptionsError("options.tag.name must not be empty".to_owned()));
        }
        if let Some(name) = found.property_types.keys().find(|name| !is_property_name(name)) {
            let problem = "is no name of a custom property: letters, digits and underscores";
            return Err(OptionsError(format!("options.property_types: \"{name}\" {problem}")));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(options: &Value, expected: Result<&str, &str>) {
        let found = OmnisendOptions::parse(options.as_object().unwrap());
        let found = found.map(|found| found.tag.prefix).map_err(|error| error.to_string());
        match expected {
            Ok(prefix) => assert_eq!(found.as_deref(), Ok(prefix), "{options}"),
            Err(start) => assert!(found.clone().unwrap_err().starts_with(start), "{options}: {found:?}"),
        }
    }

    #[test]
    fn options_are_checked_by_name_and_subscribing_is_none() {
        check(&json!({}), Ok(""));
        check(&json!({"tag": {"prefix": "ci: ", "name": "vip"}, "make_segment": true}), Ok("ci: "));
        check(&json!({"property_types": {"points": "number", "since": "date"}}), Ok(""));
        check(&json!({"tag": {"name": " "}}), Err("options.tag.name must not be empty"));
        check(&json!({"tag": {"suffix": "x"}}), Err("options: unknown field `suffix`"));
        check(&json!({"property_types": {"a b": "text"}}), Err("options.property_types: \"a b\" is no name"));
        check(&json!({"property_types": {"a": "list"}}), Err("options: unknown variant `list`"));
        check(&json!({"status": "subscribed"}), Err("options: unknown field `status`"));
        check(&json!({"sendWelcomeMessage": true}), Err("options: unknown field"));
    }
}
