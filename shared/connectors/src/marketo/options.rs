//! What an export may say that only this destination knows.

use super::OptionsError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where lists are made unless the export says otherwise: the folder that every account has for lists.
pub(super) const DEFAULT_FOLDER: &str = "Group Lists";
/// Stands for the segment's name in `list_name`.
const SEGMENT: &str = "{segment}";

/// What an export may say.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketoOptions {
    /// The field that the match key is looked up in, by its REST name: `email`, `id`, or any that the account's
    /// description names as searchable.
    #[serde(default = "email")]
    pub lookup_field: String,
    /// What happens with people whom Marketo does not know.
    #[serde(default)]
    pub person_creation: PersonCreation,
    /// The partition that missing people are created in.
    #[serde(default)]
    pub partition: Option<String>,
    /// The workspace whose folder is meant.
    #[serde(default)]
    pub workspace: Option<String>,
    /// The folder that segments' own lists are made in: its name or its path.
    #[serde(default = "folder")]
    pub folder: String,
    /// What a segment's own list is called; `{segment}` stands for the segment's name.
    #[serde(default = "list_name")]
    pub list_name: String,
    /// How additions and changes go.
    #[serde(default)]
    pub push: PushWay,
    /// What happens with a person whom Marketo has several times.
    #[serde(default)]
    pub on_duplicates: OnDuplicates,
}

/// What happens with people whom Marketo does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonCreation {
    /// Existing people are matched, and missing ones created.
    #[default]
    CreateMissing,
    /// Existing people are matched, and missing ones left out.
    MatchOnly,
}

/// How additions and changes go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushWay {
    /// Whichever costs less, by arithmetic.
    #[default]
    Auto,
    /// Calls of 300 people, which say at once what became of each.
    Sync,
    /// Files that Marketo works off in its own time.
    BulkImport,
}

/// What happens with a person whom Marketo has several times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicates {
    /// The row is refused: only somebody who knows the two can say which one is meant.
    #[default]
    Reject,
}

fn email() -> String {
    "email".to_owned()
}

fn folder() -> String {
    DEFAULT_FOLDER.to_owned()
}

fn list_name() -> String {
    SEGMENT.to_owned()
}

impl MarketoOptions {
    /// Reads and checks an export's options.
    pub fn parse(options: &Map<String, Value>) -> Result<Self, OptionsError> {
        let found: Self = serde_json::from_value(Value::Object(options.clone()))
            .map_err(|error| OptionsError(format!("options: {error}")))?;
        let refuse = |problem: &str| Err(OptionsError(format!("options.{problem}")));
        if found.lookup_field.trim().is_empty() {
            return refuse("lookup_field must name a field");
        }
        // "ecids" can be asked for, but is none of the fields that people can be found by
        // (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>).
        if matches!(found.lookup_field.to_lowercase().as_str(), "ecid" | "ecids") {
            return refuse(
                "lookup_field: Marketo's REST API cannot look people up by their ECIDs; keep the ECID in a searchable \
                 field of the account's own and name that one",
            );
        }
        let is_match_only = found.person_creation == PersonCreation::MatchOnly;
        if found.lookup_field == "id" && !is_match_only {
            return refuse(
                "lookup_field: people cannot be created by Marketo's own id; set person_creation to match_only",
            );
        }
        if found.partition.is_some() && is_match_only {
            return refuse("partition counts only for people who are created; leave it out with match_only");
        }
        if found.push == PushWay::BulkImport && is_match_only {
            return refuse("push: a bulk import creates whoever is missing; use sync with match_only");
        }
        if found.folder.trim_matches('/').trim().is_empty() {
            return refuse("folder must be the name or the path of a folder");
        }
        if !found.list_name.contains(SEGMENT) {
            return refuse("list_name must contain {segment}, or all segments would have one list");
        }
        Ok(found)
    }

    /// What a segment's own list is called.
    pub(super) fn list_name(&self, segment: &str) -> String {
        self.list_name.replace(SEGMENT, segment.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(options: &Value, expected: Result<(&str, PersonCreation), &str>) {
        let found = MarketoOptions::parse(options.as_object().unwrap()).map_err(|error| error.to_string());
        match expected {
            Ok((field, creation)) => {
                let found = found.unwrap();
                assert_eq!((found.lookup_field.as_str(), found.person_creation), (field, creation));
            }
            Err(start) => {
                let found = found.unwrap_err();
                assert!(found.starts_with(start), "{options}: {found}");
            }
        }
    }

    #[test]
    fn options_are_checked_by_name() {
        use PersonCreation::{CreateMissing, MatchOnly};
        check(&json!({}), Ok(("email", CreateMissing)));
        check(&json!({"lookup_field": "id", "person_creation": "match_only"}), Ok(("id", MatchOnly)));
        check(&json!({"lookup_field": "crmId", "partition": "EMEA"}), Ok(("crmId", CreateMissing)));
        check(&json!({"lookup_field": "id"}), Err("options.lookup_field: people cannot be created"));
        check(&json!({"lookup_field": "ECIDs"}), Err("options.lookup_field: Marketo's REST API cannot"));
        check(&json!({"lookup_field": " "}), Err("options.lookup_field must name"));
        let partition = json!({"person_creation": "match_only", "partition": "EMEA"});
        check(&partition, Err("options.partition counts only"));
        check(&json!({"person_creation": "match_only", "push": "bulk_import"}), Err("options.push: a bulk"));
        check(&json!({"folder": "/"}), Err("options.folder must be"));
        check(&json!({"list_name": "All"}), Err("options.list_name must contain"));
        check(&json!({"on_duplicates": "newest"}), Err("options: unknown variant `newest`"));
        check(&json!({"create": true}), Err("options: unknown field `create`"));
    }

    #[test]
    fn a_list_is_called_after_its_segment() {
        let options = json!({"list_name": "CDP - {segment}"});
        let options = MarketoOptions::parse(options.as_object().unwrap()).unwrap();
        assert_eq!(options.list_name(" Big spenders "), "CDP - Big spenders");
    }
}
