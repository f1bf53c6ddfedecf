//! Data governance policies. As in Adobe Experience Platform, a policy forbids a marketing action with
//! labelled data and has no effect until it is enabled.
//! <https://experienceleague.adobe.com/en/docs/experience-platform/data-governance/policies/overview>

use super::{CatalogError, Document, Kind};
use crate::{DataLabel, MarketingAction, PolicyId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The maximum number of alternatives in a policy.
const MAX_COMBINATIONS: usize = 50;
/// The maximum number of labels in an alternative, and of marketing actions.
const MAX_WORDS: usize = 40;
/// The maximum length of the summary, in characters.
const MAX_SUMMARY_CHARACTERS: usize = 1000;

/// Forbids the use of labelled data for marketing actions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its identifier.
    pub id: PolicyId,
    /// The display name.
    pub name: String,
    /// The reason for the policy, in a few sentences, shown with each violation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 1000)]
    pub summary: String,
    /// The marketing actions that it forbids: it applies to connections with any of these.
    #[schema(min_items = 1, max_items = 40)]
    pub marketing_actions: BTreeSet<MarketingAction>,
    /// The data that it restricts: data that has all labels of one of these combinations.
    #[schema(min_items = 1, max_items = 50)]
    pub forbids: BTreeSet<LabelCombination>,
    /// Whether it is enforced.
    #[serde(default)]
    pub enabled: bool,
}

/// Labels that must not be used together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelCombination {
    /// All of them, on any of the columns that a segment uses in an export. A single label is forbidden by
    /// itself.
    #[schema(min_items = 1, max_items = 40)]
    pub all_of: BTreeSet<DataLabel>,
}

impl Policy {
    /// Returns whether the policy applies to these marketing actions.
    #[must_use]
    pub fn is_about(&self, actions: &BTreeSet<MarketingAction>) -> bool {
        !self.marketing_actions.is_disjoint(actions)
    }
}

impl Document for Policy {
    const KIND: Kind = Kind::Policy;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn validate(&self) -> Result<(), CatalogError> {
        let refuse = |field: String, problem: String| CatalogError::Field {
            kind: Self::KIND.name(),
            id: self.id.to_string(),
            field,
            problem,
        };
        let bounded = |field: String, count: usize, most: usize| match count {
            0 => Err(refuse(field, "must not be empty".to_owned())),
            count if count > most => {
                Err(refuse(field, format!("has {count} entries; the maximum is {most}")))
            }
            _ => Ok(()),
        };
        if self.name.trim().is_empty() {
            return Err(refuse("name".to_owned(), "must not be empty".to_owned()));
        }
        if self.summary.chars().count() > MAX_SUMMARY_CHARACTERS {
            let problem = format!("must not be longer than {MAX_SUMMARY_CHARACTERS} characters");
            return Err(refuse("summary".to_owned(), problem));
        }
        bounded("marketing_actions".to_owned(), self.marketing_actions.len(), MAX_WORDS)?;
        bounded("forbids".to_owned(), self.forbids.len(), MAX_COMBINATIONS)?;
        for (index, combination) in self.forbids.iter().enumerate() {
            bounded(format!("forbids[{index}].all_of"), combination.all_of.len(), MAX_WORDS)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn document(fields: &Value) -> String {
        let mut document = json!({
            "id": "no-third-party", "name": "No third party", "marketing_actions": ["export_to_third_party"],
            "forbids": [{ "all_of": ["C2"] }],
        });
        for (field, value) in fields.as_object().unwrap() {
            document[field] = value.clone();
        }
        document.to_string()
    }

    #[test]
    fn it_is_disabled_by_default() {
        let policy = Policy::parse(&document(&json!({}))).unwrap();
        assert!(!policy.enabled);
        let words = |words: &[&str]| {
            let word = |word: &&str| MarketingAction::try_from((*word).to_owned()).unwrap();
            words.iter().map(word).collect()
        };
        assert!(policy.is_about(&words(&["email_targeting", "export_to_third_party"])));
        assert!(!policy.is_about(&words(&["email_targeting"])));
        assert!(!policy.is_about(&words(&[])));
    }

    #[track_caller]
    fn check(fields: &Value, expected: &str) {
        let message = Policy::parse(&document(fields)).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn mistakes_name_the_field() {
        check(&json!({ "name": " " }), "name: must not be empty");
        check(&json!({ "marketing_actions": [] }), "marketing_actions: must not be empty");
        check(
            &json!({ "marketing_actions": ["email"] }),
            "marketing action \"email\" must be one of analytics",
        );
        check(&json!({ "forbids": [] }), "forbids: must not be empty");
        check(&json!({ "forbids": [{ "all_of": [] }] }), "forbids[0].all_of: must not be empty");
        check(&json!({ "forbids": [{ "all_of": ["C99"] }] }), "data label \"C99\" must be one of C1");
        check(&json!({ "forbids": [{ "any_of": ["C2"] }] }), "unknown field `any_of`");
        check(&json!({ "summary": "x".repeat(1001) }), "summary: must not be longer than 1000 characters");
        check(&json!({ "labels": [] }), "unknown field `labels`");
    }
}
