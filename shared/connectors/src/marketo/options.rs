//! The options of an export.

use crate::OptionsError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The folder that every account has for lists.
pub(super) const DEFAULT_FOLDER: &str = "Group Lists";
/// Stands for the segment's name in `list_name`.
const SEGMENT: &str = "{segment}";

/// The options of an export to Marketo Engage.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarketoOptions {
    /// The field that people are looked up by, by its REST name: `email` (the default), `id`, or any field that the
    /// account's description names as searchable
    /// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>).
    #[serde(default = "email")]
    pub lookup_field: String,
    /// What happens with people who are not in Marketo; they are created by default.
    #[serde(default)]
    pub person_creation: PersonCreation,
    /// The partition that missing people are created in; Marketo's default partition if it is left out.
    #[serde(default)]
    pub partition: Option<String>,
    /// The workspace of the folder; needed if several workspaces have a folder of this name.
    #[serde(default)]
    pub workspace: Option<String>,
    /// The folder in which lists of segments are created: its name or its path; `Group Lists` by default.
    #[serde(default = "folder")]
    pub folder: String,
    /// The name of a segment's list; `{segment}` stands for the segment's name and is the default.
    #[serde(default = "list_name")]
    pub list_name: String,
    /// How additions and changes are sent; `auto` by default.
    #[serde(default)]
    pub push: PushWay,
}

/// What happens with people who are not in Marketo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonCreation {
    /// Existing people are matched, and missing people created.
    #[default]
    CreateMissing,
    /// Existing people are matched, and missing people skipped.
    MatchOnly,
}

/// How additions and changes are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PushWay {
    /// By calls or by bulk imports, whichever is estimated to cost less.
    #[default]
    Auto,
    /// By calls of 300 people, which return each person's outcome at once.
    Sync,
    /// By files that Marketo processes in its own time.
    BulkImport,
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
    /// Parses and checks an export's options.
    pub fn parse(options: &Map<String, Value>) -> Result<Self, OptionsError> {
        let found: Self = OptionsError::parse("options", options)?;
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
            return refuse("push: a bulk import creates missing people; use sync with match_only");
        }
        if found.folder.trim_matches('/').trim().is_empty() {
            return refuse("folder must be the name or the path of a folder");
        }
        if !found.list_name.contains(SEGMENT) {
            return refuse("list_name must contain {segment}, or all segments would have one list");
        }
        Ok(found)
    }

    /// Returns the name of a segment's list.
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
        check(&json!({"create": true}), Err("options: unknown field `create`"));
    }

    #[test]
    fn a_list_is_called_after_its_segment() {
        let options = json!({"list_name": "CDP - {segment}"});
        let options = MarketoOptions::parse(options.as_object().unwrap()).unwrap();
        assert_eq!(options.list_name(" Big spenders "), "CDP - Big spenders");
    }
}
