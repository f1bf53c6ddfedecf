//! Field types of destinations, as data.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A field of the destination, as read before the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The key in requests.
    pub key: String,
    /// The name shown in the destination's user interface.
    pub label: String,
    /// The field's type.
    pub kind: FieldKind,
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FieldKind {
    /// Text of a bounded length, in Unicode scalar values.
    Text {
        /// The maximum length.
        max_characters: usize,
    },
    /// Text of a bounded length, in bytes of UTF-8.
    TextBytes {
        /// The maximum length.
        max_bytes: usize,
    },
    /// An e-mail address in ASCII.
    Email {
        /// The maximum length.
        max_characters: usize,
    },
    /// A whole number within bounds.
    Integer {
        /// The minimum.
        least: i64,
        /// The maximum.
        largest: i64,
    },
    /// A timestamp, written in UTC with its offset: `2026-02-28T10:00:00Z`.
    Moment,
    /// A number; sent as text if the destination accepts only text.
    Number,
    /// A boolean.
    Boolean,
    /// A day within the destination's calendar.
    Date {
        /// The first valid day.
        first: Date,
        /// The last valid day.
        last: Date,
        /// The format.
        format: DateFormat,
    },
    /// One of a fixed set of texts.
    OneOf {
        /// The options.
        options: Vec<String>,
    },
}

/// The date format of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFormat {
    /// `2026-02-28`.
    Dashes,
    /// `2026/02/28`.
    Slashes,
}

impl Field {
    /// Finds the field named `name`. An exact key takes precedence over a match by [`Self::answers_to`].
    #[must_use]
    pub fn find<'a>(fields: &'a [Self], name: &str) -> Option<&'a Self> {
        let exact = fields.iter().find(|field| field.key == name);
        exact.or_else(|| fields.iter().find(|field| field.answers_to(name)))
    }

    /// Returns whether `name` names this field: its key or label, ignoring case, spaces and brackets.
    #[must_use]
    pub fn answers_to(&self, name: &str) -> bool {
        self.key == name || plain(&self.key) == plain(name) || plain(&self.label) == plain(name)
    }
}

/// Normalises a name. Destinations write the key and label of one field in several forms.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|character| !matches!(character, '[' | ']' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: bool) {
        let field = Field {
            key: "[subscriptiondate]".to_owned(),
            label: "subscription date".to_owned(),
            kind: FieldKind::Number,
        };
        assert_eq!(field.answers_to(name), expected, "{name}");
    }

    #[test]
    fn a_field_answers_to_every_form_of_its_name() {
        check("[subscriptiondate]", true);
        check("subscription date", true);
        check("Subscription Date", true);
        check("subscriptiondate", true);
        check("subscription", false);
        check("", false);
    }
}
