//! A segment before anything is done with it: how many members it has, and what the first of them look like.

use crate::catalog::Segment;
use crate::governance::ColumnsRead;
use crate::{Scalar, SegmentId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use utoipa::ToSchema;
use uuid::Uuid;

/// So many rows are shown.
pub const PREVIEW_ROWS: usize = 20;
/// The longest text that is shown whole, in characters.
const MAX_TEXT_CHARACTERS: usize = 200;
/// What the shown rows may have together: an answer of Lambda has six megabytes at the most.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_ROWS_BYTES: usize = 1024 * 1024;

/// Names one preview. Time-ordered (UUID version 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct PreviewId(pub Uuid);

impl PreviewId {
    /// The object that says what is to be previewed.
    #[must_use]
    pub fn request_key(self) -> String {
        format!("previews/{self}/request.json")
    }

    /// The object that holds what was found.
    #[must_use]
    pub fn result_key(self) -> String {
        format!("previews/{self}/result.json")
    }

    /// The object that holds all members, where they were asked for.
    #[must_use]
    pub fn members_key(self) -> String {
        format!("previews/{self}/members.csv")
    }
}

impl fmt::Display for PreviewId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::str::FromStr for PreviewId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}

/// What is previewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PreviewOf {
    /// The segment as the catalog has it when the preview is made.
    Saved(SegmentId),
    /// A definition that need not be saved.
    Draft(Segment),
    /// A definition of which only the columns are wanted: no row is read.
    Description(Segment),
    /// All members of the segment as the catalog has it, into a file.
    Members(SegmentId),
    /// A definition of which only the columns of sources are wanted that an export with these attributes would use: no
    /// row is read.
    Reading {
        /// The definition.
        segment: Segment,
        /// The attributes that the export maps.
        attributes: Vec<String>,
    },
}

impl PreviewOf {
    /// The segment's id.
    #[must_use]
    pub const fn segment(&self) -> &SegmentId {
        match self {
            Self::Saved(id) | Self::Members(id) => id,
            Self::Draft(segment) | Self::Description(segment) | Self::Reading { segment, .. } => &segment.id,
        }
    }
}

/// What a preview has found, or why there is nothing to be found. It holds profiles: only people who may define segments
/// get to see it, and it does not last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreviewResult {
    /// The preview.
    pub preview_id: PreviewId,
    /// The segment.
    pub segment: SegmentId,
    /// Members.
    pub rows: Option<u64>,
    /// Rows of the query without a member key, which are nobody.
    pub rows_without_key: Option<u64>,
    /// Rows of the query beyond the first for their member key.
    pub duplicate_member_rows: Option<u64>,
    /// The query's columns that an export can map, in their order.
    pub columns: Vec<PreviewColumn>,
    /// The query's other columns, and what would make them columns that can be mapped.
    pub unusable_columns: Vec<String>,
    /// The first members by member key, at the most [`PREVIEW_ROWS`] and 1 MiB: each value by its column's name. Texts
    /// are cut after 200 characters.
    #[schema(value_type = Vec<Object>)]
    pub first_rows: Vec<Map<String, Value>>,
    /// The sources that the segment depends on.
    pub sources: Vec<PreviewSource>,
    /// How large the file is that has all members, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members_file_bytes: Option<u64>,
    /// What each rule gives, top down, where the segment is defined by rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleCount>,
    /// The columns of sources that an export would use, where that was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns_read: Option<ColumnsRead>,
    /// Why there is no result.
    pub error: Option<PreviewError>,
    /// When it was made.
    pub made_at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
}

/// A column of a segment's query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewColumn {
    /// Its name: what an export's mapping calls the attribute.
    pub name: String,
    /// Its type: `text`, `integer`, `decimal`, `boolean`, `date`, `moment` or `local_moment`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A source that a segment's query reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewSource {
    /// The source.
    pub source: String,
    /// How many objects it has.
    pub objects: u64,
    /// Their size together.
    pub bytes: u64,
}

/// How many members a rule gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleCount {
    /// The rule's name.
    pub name: String,
    /// Members that fulfil it, whatever the other rules say; nothing where the preview's time was over.
    pub members: Option<u64>,
    /// Members that are left once it is combined with the rules above it; nothing where the preview's time was over.
    pub after: Option<u64>,
}

/// What is wrong with a segment, in the words of the query's author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewError {
    /// A stable word.
    pub code: String,
    /// What is wrong and what would mend it.
    pub text: String,
    /// The field of the definition that is wrong, as a JSON pointer (RFC 6901); nothing where it is something else, such
    /// as a source without objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// The rows that are shown, as many as may be.
#[derive(Debug, Default)]
pub struct PreviewRows {
    rows: Vec<Map<String, Value>>,
    bytes: usize,
}

impl PreviewRows {
    /// Adds a row, unless all would be too large with it. Says whether it did.
    pub fn add(&mut self, row: Map<String, Value>) -> bool {
        // What cannot be written has no size that is small enough.
        let bytes = serde_json::to_vec(&row).map_or(usize::MAX, |bytes| bytes.len());
        let bytes = self.bytes.saturating_add(bytes);
        if bytes > MAX_ROWS_BYTES {
            return false;
        }
        self.bytes = bytes;
        self.rows.push(row);
        true
    }

    /// The rows.
    #[must_use]
    pub fn into_rows(self) -> Vec<Map<String, Value>> {
        self.rows
    }
}

/// A text, cut where it is long.
#[must_use]
pub fn preview_text(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A value as JSON has it.
#[must_use]
pub fn preview_value(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Integer(number) => (*number).into(),
        Scalar::Decimal(number) => (*number).into(),
        Scalar::Boolean(value) => (*value).into(),
        Scalar::Text(text) => preview_text(text).into(),
        Scalar::Date(_) | Scalar::Moment(_) => scalar.to_text().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let check = |text: &str, expected: &str| {
            assert_eq!(preview_value(&Scalar::Text(text.into())), Value::from(expected));
        };
        check("", "");
        check("Zoë", "Zoë");
        check(&"名".repeat(200), &"名".repeat(200));
        check(&"名".repeat(201), &format!("{}…", "名".repeat(200)));
    }

    #[test]
    fn rows_stop_before_they_are_too_large_to_be_answered() {
        let row = |bytes: usize| Map::from_iter([("a".to_owned(), Value::from("x".repeat(bytes)))]);
        let mut rows = PreviewRows::default();
        assert!(rows.add(row(1_000_000)));
        assert!(!rows.add(row(100_000)));
        assert!(rows.add(row(1)));
        assert_eq!(rows.into_rows().len(), 2);
    }
}
