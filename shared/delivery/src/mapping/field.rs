//! What a destination's field can hold, as data.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A field of the destination, as it was found there before the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The key that requests use.
    pub key: String,
    /// The name that people see in the destination.
    pub label: String,
    /// What it can hold.
    pub kind: FieldKind,
}

/// What a field can hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FieldKind {
    /// Text of a bounded length, in Unicode scalar values.
    Text {
        /// The longest text.
        max_characters: usize,
    },
    /// Text of a bounded length, in bytes of UTF-8.
    TextBytes {
        /// The longest text.
        max_bytes: usize,
    },
    /// An e-mail address in ASCII.
    Email {
        /// The longest address.
        max_characters: usize,
    },
    /// A whole number within bounds.
    Integer {
        /// The least.
        least: i64,
        /// The largest.
        largest: i64,
    },
    /// A moment, written in UTC with its offset: `2026-02-28T10:00:00Z`.
    Moment,
    /// A number; sent as text where the destination takes only text.
    Number,
    /// A truth value.
    Boolean,
    /// A day within the destination's calendar.
    Date {
        /// The first day it takes.
        first: Date,
        /// The last day it takes.
        last: Date,
        /// How it is written.
        format: DateFormat,
    },
    /// One of a fixed set of texts.
    OneOf {
        /// The texts.
        options: Vec<String>,
    },
}

/// How a destination writes days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFormat {
    /// `2026-02-28`.
    Dashes,
    /// `2026/02/28`.
    Slashes,
}

impl Field {
    /// The field that `wanted` means: the one of exactly that key before any that merely answers to it.
    #[must_use]
    pub fn find<'a>(fields: &'a [Self], wanted: &str) -> Option<&'a Self> {
        let exact = fields.iter().find(|field| field.key == wanted);
        exact.or_else(|| fields.iter().find(|field| field.answers_to(wanted)))
    }

    /// Whether `wanted` means this field: its key, or its key or label written with other case, spaces or brackets.
    #[must_use]
    pub fn answers_to(&self, wanted: &str) -> bool {
        self.key == wanted || plain(&self.key) == plain(wanted) || plain(&self.label) == plain(wanted)
    }
}

/// Keys and labels of one field are written in several forms by the same destination; this is what they share.
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
    fn check(wanted: &str, expected: bool) {
        let field = Field {
            key: "[subscriptiondate]".to_owned(),
            label: "subscription date".to_owned(),
            kind: FieldKind::Number,
        };
        assert_eq!(field.answers_to(wanted), expected, "{wanted}");
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
