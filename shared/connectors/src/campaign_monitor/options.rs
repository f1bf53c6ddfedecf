//! What an export may say that only this destination knows.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Why settings or options are not taken. Names the field; it is about configuration, never about people.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct OptionsError(pub(super) String);

/// What an export may say.
///
/// There is no option to resubscribe people: whoever has unsubscribed stays so, and those whom an earlier run took off
/// the list itself come back without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignMonitorOptions {
    /// What is said about consent to tracking for everybody who is sent.
    pub consent_to_track: ConsentToTrack,
    /// Custom fields to make on the target list when they are missing.
    pub create_missing_fields: Vec<NewField>,
}

/// What an import says about consent to tracking of opens and clicks. It counts for the person in all lists of the
/// client, and `unchanged` counts as given for a new person
/// (<https://www.campaignmonitor.com/api/v3-3/subscribers/#importing-many-subscribers>), so an export has to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentToTrack {
    /// Given.
    Yes,
    /// Refused.
    No,
    /// As it is; given for people who are new to the client.
    Unchanged,
}

impl ConsentToTrack {
    /// The vendor's word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Yes => "Yes",
            Self::No => "No",
            Self::Unchanged => "Unchanged",
        }
    }
}

/// A custom field to make when it is missing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewField {
    /// The name that people see.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// The options of a field of choices.
    #[serde(default)]
    pub options: Vec<String>,
}

/// What a custom field holds, in the vendor's words
/// (<https://www.campaignmonitor.com/api/v3-3/lists/#creating-a-custom-field>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataType {
    /// Text of up to 250 characters.
    Text,
    /// A number.
    Number,
    /// A day.
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
    /// Reads and checks an export's options.
    pub fn parse(options: &Map<String, Value>) -> Result<Self, OptionsError> {
        let raw: Raw = serde_json::from_value(Value::Object(options.clone()))
            .map_err(|error| OptionsError(format!("options: {error}")))?;
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
