//! What a push to Marketo must know of the list and of the account, as `prepare` found it.

use super::PersonCreation;
use relay_model::ListId;
use serde::{Deserialize, Serialize};

/// What a push to Marketo must know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketoTarget {
    /// The static list.
    pub list_id: ListId,
    /// The field that people are found by.
    pub lookup_field: String,
    /// How its values are written.
    pub key_form: KeyForm,
    /// What happens with people whom Marketo does not know.
    pub person_creation: PersonCreation,
    /// The partition that missing people are created in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// Whether anything is written but the match key.
    pub has_attributes: bool,
    /// Whether files may be used.
    pub imports: Imports,
    /// How additions and changes go.
    pub way: Way,
}

/// How match keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyForm {
    /// As texts.
    Text,
    /// As numbers.
    Number,
}

/// Whether files may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Imports {
    /// Never.
    Never,
    /// Where they cost less.
    WhereFaster,
    /// Always.
    Always,
}

/// How additions and changes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By calls of 300 people.
    Sync,
    /// By files.
    BulkImport,
}

impl MarketoTarget {
    /// What is sent with every row alike.
    pub(super) fn terms(&self) -> String {
        let creation = match self.person_creation {
            PersonCreation::CreateMissing => "create_missing",
            PersonCreation::MatchOnly => "match_only",
        };
        let partition = self.partition.as_deref().unwrap_or_default();
        format!("lookup_field={} person_creation={creation} partition={partition}", self.lookup_field)
    }
}
