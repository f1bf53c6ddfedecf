//! The form of a custom upload's CSV. The limits and the rules of the header are those of Adobe Experience Platform's
//! imported audiences: at most 25 columns, less than 1 GB, names without spaces and dashes,
//! an expiry of 30 days that may be 1 to 90.
//! <https://experienceleague.adobe.com/en/docs/experience-platform/segmentation/ui/audience-portal>

use super::DataLabels;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The maximum number of columns of a CSV.
pub const MAX_UPLOAD_COLUMNS: usize = 25;
/// The maximum size of a CSV, in bytes.
pub const MAX_UPLOAD_BYTES: u64 = 1_000_000_000;
/// The maximum length of a column name, in bytes, as for the lake's own CSV.
const MAX_NAME_BYTES: usize = 128;
/// The number of days until the members expire, unless the segment sets it.
const DEFAULT_EXPIRY_DAYS: u8 = 30;
/// The maximum number of days until members expire.
const MAX_EXPIRY_DAYS: u8 = 90;

/// A segment's definition of its CSV.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomUpload {
    /// The column that identifies the person. Lines without a value in it are ignored.
    pub identity_column: String,
    /// The column with the customer id; if absent, the identity is also the customer id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_key_column: Option<String>,
    /// The types of columns. A column that is not listed is text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, UploadColumnType>,
    /// The data labels of columns. A labelled column may be missing from a file.
    #[serde(default, skip_serializing_if = "DataLabels::is_empty")]
    pub data_labels: DataLabels,
    /// The number of days after an upload at which its members expire.
    #[serde(default = "default_expiry")]
    pub expires_after_days: u8,
}

const fn default_expiry() -> u8 {
    DEFAULT_EXPIRY_DAYS
}

/// The type of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UploadColumnType {
    /// Any text.
    #[default]
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A floating-point number of 64 bits.
    Decimal,
    /// A boolean.
    Boolean,
    /// A calendar day.
    Date,
    /// A point in time.
    Datetime,
}

impl UploadColumnType {
    /// Returns the name in definitions and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Datetime => "datetime",
        }
    }
}

/// Why a column name is invalid.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ColumnNameError {
    /// The name is empty.
    #[error("must not be empty")]
    Empty,
    /// The name has a space or another whitespace character.
    #[error("must not have a space; write First_Name instead of First Name")]
    Space,
    /// The name has a dash of any kind.
    #[error("must not have a dash; write First_Name instead of First-Name")]
    Dash,
    /// The name is too long.
    #[error("must not be longer than 128 bytes")]
    TooLong,
    /// The name looks like data: an address, a number, or characters that no name has.
    #[error("looks like data and not like a name; is the header row missing, or is this no CSV?")]
    Data,
}

impl ColumnNameError {
    /// Checks a name against the rules for headers.
    pub fn check(name: &str) -> Result<(), Self> {
        let is_dash = |character: char| character == '-' || ('\u{2010}'..='\u{2015}').contains(&character);
        if name.is_empty() {
            Err(Self::Empty)
        } else if name.len() > MAX_NAME_BYTES {
            Err(Self::TooLong)
        } else if name.contains(|character: char| character.is_control() && !character.is_whitespace())
            || name.contains('@')
            || name.parse::<f64>().is_ok()
        {
            Err(Self::Data)
        } else if name.contains(char::is_whitespace) {
            Err(Self::Space)
        } else if name.contains(is_dash) {
            Err(Self::Dash)
        } else {
            Ok(())
        }
    }
}

impl CustomUpload {
    /// Returns the column with the customer id.
    #[must_use]
    pub fn member_key_column(&self) -> &str {
        self.member_key_column.as_deref().unwrap_or(&self.identity_column)
    }

    /// Returns the type of a column.
    #[must_use]
    pub fn column_type(&self, name: &str) -> UploadColumnType {
        self.columns.get(name).copied().unwrap_or_default()
    }

    /// Returns every column that the definition names and the CSV must therefore have.
    #[must_use]
    pub fn named_columns(&self) -> BTreeSet<&str> {
        let columns = self.columns.keys().map(String::as_str);
        columns.chain([self.identity_column.as_str(), self.member_key_column()]).collect()
    }

    /// Checks constraints beyond the types; returns the field and the problem.
    pub(super) fn validate(&self) -> Result<(), (&'static str, String)> {
        ColumnNameError::check(&self.identity_column)
            .map_err(|error| ("identity_column", error.to_string()))?;
        ColumnNameError::check(self.member_key_column())
            .map_err(|error| ("member_key_column", error.to_string()))?;
        for name in self.columns.keys() {
            ColumnNameError::check(name).map_err(|error| ("columns", format!("name of a column {error}")))?;
        }
        self.data_labels.validate().map_err(|problem| ("data_labels", problem))?;
        for (name, _) in self.data_labels.columns() {
            ColumnNameError::check(name)
                .map_err(|error| ("data_labels", format!("name of a column {error}")))?;
        }
        let named = self.named_columns().len();
        if named > MAX_UPLOAD_COLUMNS {
            let problem = format!("name {named} columns; a CSV may have at most {MAX_UPLOAD_COLUMNS}");
            return Err(("columns", problem));
        }
        if !(1..=MAX_EXPIRY_DAYS).contains(&self.expires_after_days) {
            return Err(("expires_after_days", format!("must be 1 to {MAX_EXPIRY_DAYS}")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Result<(), ColumnNameError>) {
        assert_eq!(ColumnNameError::check(name), expected, "{name:?}");
    }

    #[test]
    fn names_are_words() {
        for name in ["email", "First_Name", "Straße", "名前", "a.b", "x1", "$", "1st"] {
            check(name, Ok(()));
        }
        check("", Err(ColumnNameError::Empty));
        check("First Name", Err(ColumnNameError::Space));
        check("First\u{a0}Name", Err(ColumnNameError::Space));
        check("First\nName", Err(ColumnNameError::Space));
        check("First-Name", Err(ColumnNameError::Dash));
        check("First–Name", Err(ColumnNameError::Dash));
        check("someone@example.com", Err(ColumnNameError::Data));
        check("12.5", Err(ColumnNameError::Data));
        check("PK\u{3}\u{4}", Err(ColumnNameError::Data));
        check("a\0b", Err(ColumnNameError::Data));
        check(&"é".repeat(64), Ok(()));
        check(&"é".repeat(65), Err(ColumnNameError::TooLong));
    }
}
