//! The options of an export.

use super::fields::is_property_name;
use crate::OptionsError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The options of an export to Omnisend.
///
/// There is no option to subscribe people. A subscription is sent for people whose profile has the consent and its date
/// (the fields `consent.email` and `consent.email.date` of the mapping), and never for people who have unsubscribed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OmnisendOptions {
    /// How the tag of a segment is formed.
    pub tag: TagOptions,
    /// Whether an Omnisend segment of all contacts with the tag is created if there is none; `false` by default.
    pub make_segment: bool,
    /// The types of mapped custom properties by their names; text by default.
    pub property_types: BTreeMap<String, PropertyType>,
}

/// How the tag of a segment is formed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TagOptions {
    /// The text before the name; empty by default.
    pub prefix: String,
    /// The name; the segment's name by default.
    pub name: Option<String>,
}

/// The type of a custom property (<https://api-docs.omnisend.com/reference/contacts#custom-properties>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PropertyType {
    /// Text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A date, written `2026-02-28`.
    Date,
}

impl OmnisendOptions {
    /// Parses and checks an export's options.
    pub fn parse(options: &Map<String, Value>) -> Result<Self, OptionsError> {
        let found: Self = OptionsError::parse("options", options)?;
        if found.tag.name.as_deref().is_some_and(|name| name.trim().is_empty()) {
            return Err(OptionsError("options.tag.name must not be empty".to_owned()));
        }
        if let Some(name) = found.property_types.keys().find(|name| !is_property_name(name)) {
            let problem = "is not a valid name of a custom property: use letters, digits and underscores";
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
        check(
            &json!({"property_types": {"a b": "text"}}),
            Err("options.property_types: \"a b\" is not a valid name"),
        );
        check(&json!({"property_types": {"a": "list"}}), Err("options: unknown variant `list`"));
        check(&json!({"status": "subscribed"}), Err("options: unknown field `status`"));
        check(&json!({"sendWelcomeMessage": true}), Err("options: unknown field"));
    }
}
