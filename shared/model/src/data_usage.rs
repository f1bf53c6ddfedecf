//! The vocabulary of data governance: labels restrict how a column's data may be used, and marketing
//! actions say what a destination uses data for. Names and meanings are those of Adobe Experience Platform.
//! <https://experienceleague.adobe.com/en/docs/experience-platform/data-governance/labels/reference>
//! <https://experienceleague.adobe.com/en/docs/experience-platform/data-governance/policies/overview>

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The prefix of custom names, so that a mistyped core name is never taken for a custom one.
const OWN: &str = "own-";
/// The maximum length of a custom name, in bytes.
const MAX_OWN_BYTES: usize = 64;

/// The label of data that must never be exported, whatever the policies.
const NEVER_EXPORTED: &str = "C12";

/// The core labels and their meanings.
const CORE_LABELS: [(&str, &str); 19] = [
    ("C1", "leaves only in aggregated form"),
    ("C2", "leaves for no third party"),
    ("C3", "is not combined with what identifies a person directly"),
    ("C4", "is not used for targeting of ads or content"),
    ("C5", "is not used for targeting across sites"),
    ("C6", "is not used for targeting of ads on one's own site"),
    ("C7", "is not used for targeting of content on one's own site"),
    ("C8", "is not used to measure sites and apps"),
    ("C9", "is not used in data science"),
    ("C10", "is not used for activation by stitched identities"),
    ("C11", "is not shared with partners of Segment Match"),
    (NEVER_EXPORTED, "does not leave at all"),
    ("I1", "identifies a person directly"),
    ("I2", "identifies a person together with other data"),
    ("S1", "tells a precise place"),
    ("S2", "tells a broad area"),
    ("PSPD", "sensitive personal data that the contract permits"),
    ("RHD", "health data that the contract permits"),
    ("Third-Party", "comes from a vendor of data"),
];

/// The core marketing actions.
const CORE_ACTIONS: [&str; 10] = [
    "analytics",
    "combine_with_directly_identifiable_data",
    "cross_site_targeting",
    "data_science",
    "email_targeting",
    "export_to_third_party",
    "onsite_advertising",
    "onsite_personalization",
    "segment_match",
    "single_identity_personalization",
];

/// Why a text is not a label or marketing action.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{what} \"{text}\" must be one of {known}, or one of your own: own- and then 1 to 60 characters of a-z, 0-9 and '-'"
)]
pub struct DataUsageWordError {
    what: &'static str,
    known: String,
    text: String,
}

fn is_own(text: &str) -> bool {
    let rest = text.strip_prefix(OWN).unwrap_or_default();
    text.len() <= MAX_OWN_BYTES
        && rest.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && rest.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $what:literal, $core:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Returns the name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = DataUsageWordError;

            fn try_from(text: String) -> Result<Self, DataUsageWordError> {
                let core = $core;
                if is_own(&text) || core.contains(&text.as_str()) {
                    return Ok(Self(text));
                }
                let text = text.chars().take(80).collect();
                Err(DataUsageWordError { what: $what, known: core.join(", "), text })
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let pattern = format!("^({}|own-[a-z0-9][a-z0-9-]{{0,59}})$", $core.join("|"));
                ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).into()
            }
        }

        impl ToSchema for $name {}
    };
}

word!(
    /// Restricts how the data of a column may be used, or describes its kind: one of Adobe's core labels,
    /// or a custom one with the prefix `own-`.
    DataLabel,
    "data label",
    CORE_LABELS.map(|(label, _)| label)
);

word!(
    /// What a destination uses data for: one of Adobe's core marketing actions, or a custom one with the
    /// prefix `own-`.
    MarketingAction,
    "marketing action",
    CORE_ACTIONS
);

impl DataLabel {
    /// Returns the label's meaning; `None` for a custom label.
    #[must_use]
    pub fn meaning(&self) -> Option<&'static str> {
        CORE_LABELS.iter().find(|(label, _)| *label == self.0).map(|(_, meaning)| *meaning)
    }

    /// Returns whether labelled data must never be exported: C12.
    #[must_use]
    pub fn is_never_exported(&self) -> bool {
        self.0 == NEVER_EXPORTED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: TryFrom<String, Error = DataUsageWordError>>(text: &str, is_word: bool) {
        assert_eq!(T::try_from(text.to_owned()).is_ok(), is_word, "{text:?}");
    }

    #[test]
    fn labels_are_adobes_or_ones_own() {
        for text in ["C1", "C12", "I1", "S2", "RHD", "Third-Party", "own-partner", "own-2026"] {
            check::<DataLabel>(text, true);
        }
        for text in ["", "c2", "C13", "C02", " C2", "partner", "own-", "own--a", "own-A", "own-a_b", "OWN-a"]
        {
            check::<DataLabel>(text, false);
        }
        check::<DataLabel>(&format!("own-{}", "a".repeat(60)), true);
        check::<DataLabel>(&format!("own-{}", "a".repeat(61)), false);
    }

    #[test]
    fn a_slip_of_the_pen_is_no_action_of_ones_own() {
        for text in ["email_targeting", "export_to_third_party", "own-loyalty-letters"] {
            check::<MarketingAction>(text, true);
        }
        for text in ["email-targeting", "email_targetting", "Email Targeting", "own-email_targeting", "C2"] {
            check::<MarketingAction>(text, false);
        }
        let error = MarketingAction::try_from("mail".to_owned()).unwrap_err().to_string();
        assert!(error.contains("email_targeting, export_to_third_party"), "{error}");
    }

    #[test]
    fn one_label_never_leaves() {
        let label = |text: &str| DataLabel::try_from(text.to_owned()).unwrap();
        assert!(label("C12").is_never_exported());
        assert!(!label("C1").is_never_exported());
        assert_eq!(label("C2").meaning(), Some("leaves for no third party"));
        assert_eq!(label("own-partner").meaning(), None);
    }
}
