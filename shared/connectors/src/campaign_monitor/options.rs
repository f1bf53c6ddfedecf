//! The options of an export.

use crate::OptionsError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The options of an export to Campaign Monitor.
///
/// There is no option to resubscribe people. People who have unsubscribed are never put back; people whom an earlier
/// run deleted from the list are put back without an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignMonitorOptions {
    /// The consent to tracking that is sent with every person. It has no default, because `unchanged` counts as given
    /// for new people
    /// (<https://www.campaignmonitor.com/api/v3-3/subscribers/#importing-many-subscribers>).
    pub consent_to_track: ConsentToTrack,
    /// Custom fields that are created on the target list if they are missing; `none` by default
    /// (<https://www.campaignmonitor.com/api/v3-3/lists/#creating-a-custom-field>).
    #[schema(required = false)]
    pub create_missing_fields: Vec<NewField>,
}

/// The consent to tracking of opens and clicks that an import sends. It applies to the person in all lists of the client
/// (<https://www.campaignmonitor.com/api/v3-3/subscribers/#importing-many-subscribers>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentToTrack {
    /// Consent is given.
    Yes,
    /// Consent is refused.
    No,
    /// Consent stays as it is; it counts as given for people who are new to the client.
    Unchanged,
}

impl ConsentToTrack {
    /// Returns the vendor's word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Yes => "Yes",
            Self::No => "No",
            Self::Unchanged => "Unchanged",
        }
    }
}

/// A custom field that is created if it is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewField {
    /// The name that people see.
    pub name: String,
    /// The type of its values.
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// The options of a `MultiSelectOne` or `MultiSelectMany` field; empty for other types.
    #[serde(default)]
    pub options: Vec<String>,
}

/// The type of a custom field's values, in the vendor's words
/// (<https://www.campaignmonitor.com/api/v3-3/lists/#creating-a-custom-field>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum DataType {
    /// Text of up to 250 characters.
    Text,
    /// A number.
    Number,
    /// A date.
    Date,
    /// One of the field's options.
    MultiSelectOne,
    /// Any of the field's options.
    MultiSelectMany,
    /// A country.
    Country,
    /// A state of the USA.
    USState,
}

impl DataType {
    const fn has_options(self) -> bool {
        matches!(self, Self::MultiSelectOne | Self::MultiSelectMany)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    consent_to_track: Option<ConsentToTrack>,
    #[serde(default)]
    create_missing_fields: Value,
}

impl CampaignMonitorOptions {
    /// Parses and checks an export's options.
    pub fn parse(options: &Map<String, Value>) -> Result<Self, OptionsError> {
        let raw: Raw = OptionsError::parse("options", options)?;
        let Some(consent_to_track) = raw.consent_to_track else {
            let problem = "options.consent_to_track is missing: say yes, no or unchanged (unchanged counts as yes \
                           for people who are new to the client)";
            return Err(OptionsError(problem.to_owned()));
        };
        let create_missing_fields = match raw.create_missing_fields {
            Value::Null => Vec::new(),
            Value::String(word) if word == "none" => Vec::new(),
            Value::Array(fields) => {
                (0..).zip(fields).map(|(index, field)| new_field(index, field)).collect::<Result<_, _>>()?
            }
            _ => {
                let problem = "options.create_missing_fields must be none or a list of {name, type}";
                return Err(OptionsError(problem.to_owned()));
            }
        };
        Ok(Self { consent_to_track, create_missing_fields })
    }
}

fn new_field(index: usize, field: Value) -> Result<NewField, OptionsError> {
    let refuse = |problem: &str| OptionsError(format!("options.create_missing_fields[{index}]{problem}"));
    let field: NewField = serde_json::from_value(field).map_err(|error| refuse(&format!(": {error}")))?;
    if field.name.trim().is_empty() {
        return Err(refuse(".name must not be empty"));
    }
    match (field.data_type.has_options(), field.options.is_empty()) {
        (true, true) => Err(refuse(".options must not be empty for a field of choices")),
        (false, false) => Err(refuse(".options are for fields of choices only")),
        _ => Ok(field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(options: &Value, expected: Result<usize, &str>) {
        let found = CampaignMonitorOptions::parse(options.as_object().unwrap());
        let found = found.map(|found| found.create_missing_fields.len()).map_err(|error| error.to_string());
        match expected {
            Ok(fields) => assert_eq!(found, Ok(fields), "{options}"),
            Err(start) => assert!(found.clone().unwrap_err().starts_with(start), "{options}: {found:?}"),
        }
    }

    #[test]
    fn consent_is_explicit_and_resubscribing_is_no_option() {
        check(&json!({"consent_to_track": "yes"}), Ok(0));
        check(&json!({"consent_to_track": "no", "create_missing_fields": "none"}), Ok(0));
        check(&json!({}), Err("options.consent_to_track is missing: say yes, no or unchanged"));
        check(&json!({"consent_to_track": "maybe"}), Err("options: unknown variant `maybe`"));
        check(
            &json!({"consent_to_track": "yes", "resubscribe": true}),
            Err("options: unknown field `resubscribe`"),
        );
    }

    #[test]
    fn fields_to_create_are_checked_by_name() {
        let fields =
            |fields: Value| json!({"consent_to_track": "unchanged", "create_missing_fields": fields});
        let choices = json!({"name": "Tier", "type": "MultiSelectOne", "options": ["Gold"]});
        check(&fields(json!([{"name": "City", "type": "Text"}, choices])), Ok(2));
        check(&fields(json!("all")), Err("options.create_missing_fields must be none or a list"));
        check(&fields(json!([{"name": " ", "type": "Text"}])), Err("options.create_missing_fields[0].name"));
        check(
            &fields(json!([{"name": "A", "type": "text"}])),
            Err("options.create_missing_fields[0]: unknown variant"),
        );
        check(
            &fields(json!([{"name": "A", "type": "Date", "options": ["x"]}])),
            Err("options.create_missing_fields[0].options are for"),
        );
        check(
            &fields(json!([{"name": "A", "type": "MultiSelectMany"}])),
            Err("options.create_missing_fields[0].options must not"),
        );
    }
}
