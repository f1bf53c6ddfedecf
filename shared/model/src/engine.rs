//! The query engine's interface: what can be asked of it, and what it answers.
//!
//! A request and its answer are objects in S3, because a definition may be long and an answer holds profiles. A message
//! of the queue only names the request.

use crate::catalog::Segment;
use crate::governance::ColumnsRead;
use crate::run::{MessageError, parse_message};
use crate::{RunId, Scalar, SegmentId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use utoipa::ToSchema;
use uuid::Uuid;

/// Number of rows in a preview.
pub const PREVIEW_ROWS: usize = 20;
/// Longest text that a preview shows in full, in characters.
const MAX_TEXT_CHARACTERS: usize = 200;
/// Largest total size of a preview's rows, in bytes. A response of Lambda is limited to 6 MB.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_ROWS_BYTES: usize = 1024 * 1024;

/// Identifies one request to the query engine. Time-ordered (UUID version 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct EngineRequestId(pub Uuid);

impl EngineRequestId {
    /// Returns the key of the object that holds the request.
    #[must_use]
    pub fn request_key(self) -> String {
        format!("previews/{self}/request.json")
    }

    /// Returns the key of the object that holds the answer.
    #[must_use]
    pub fn answer_key(self) -> String {
        format!("previews/{self}/answer.json")
    }

    /// Returns the key of the file of all members, which only a download writes.
    #[must_use]
    pub fn members_key(self) -> String {
        format!("previews/{self}/members.csv")
    }
}

impl fmt::Display for EngineRequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::str::FromStr for EngineRequestId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}

/// A message of the queues that the query engine reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum EngineMessage {
    /// Evaluates the segments of a run and stores their snapshots.
    Run {
        /// Version of the message format.
        version: u8,
        /// The run.
        run_id: RunId,
    },
    /// Answers a request.
    Request {
        /// Version of the message format.
        version: u8,
        /// The request.
        request_id: EngineRequestId,
    },
}

impl EngineMessage {
    /// Returns the message that starts the snapshots of a run.
    #[must_use]
    pub const fn run(run_id: RunId) -> Self {
        Self::Run { version: 1, run_id }
    }

    /// Returns the message that asks for the answer to a request.
    #[must_use]
    pub const fn request(request_id: EngineRequestId) -> Self {
        Self::Request { version: 1, request_id }
    }

    /// Parses the body of a message.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        parse_message(body)
    }
}

/// A request to the query engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EngineRequest {
    /// Counts the members of a segment and returns the first rows.
    Preview(PreviewSubject),
    /// Returns the columns of a segment's query, and checks the fields of its rules. Reads no row.
    Description(Segment),
    /// Returns the columns of sources that an export of the segment uses. Reads no row.
    Lineage {
        /// The definition.
        segment: Segment,
        /// The attributes that the export maps.
        attributes: Vec<String>,
    },
    /// Writes all members of a saved segment to a CSV file.
    Download(SegmentId),
}

/// The segment of a preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PreviewSubject {
    /// A segment of the catalog, as it is defined when the preview is made.
    Saved(SegmentId),
    /// A definition that may not be saved yet.
    Draft(Box<Segment>),
}

impl EngineRequest {
    /// Requests a preview of a segment of the catalog.
    #[must_use]
    pub const fn saved_preview(id: SegmentId) -> Self {
        Self::Preview(PreviewSubject::Saved(id))
    }

    /// Requests a preview of a definition that may not be saved yet.
    #[must_use]
    pub fn draft_preview(segment: Segment) -> Self {
        Self::Preview(PreviewSubject::Draft(Box::new(segment)))
    }

    /// Returns the segment's id.
    #[must_use]
    pub const fn segment_id(&self) -> &SegmentId {
        match self {
            Self::Preview(PreviewSubject::Saved(id)) | Self::Download(id) => id,
            Self::Preview(PreviewSubject::Draft(segment)) => &segment.id,
            Self::Description(segment) | Self::Lineage { segment, .. } => &segment.id,
        }
    }

    /// Returns true if the answer takes a minute at most. A download takes as long as a snapshot.
    #[must_use]
    pub const fn is_interactive(&self) -> bool {
        !matches!(self, Self::Download(_))
    }
}

/// The answer to a request, as it is stored. It holds profiles, so it expires after a day, and only callers who may
/// define segments can read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineAnswer {
    /// The request.
    pub request_id: EngineRequestId,
    /// The segment.
    pub segment: SegmentId,
    /// The response, or what is wrong with the request.
    pub result: Result<EngineResponse, EngineError>,
    /// When the answer was stored.
    pub answered_at: Timestamp,
    /// Duration of the evaluation, in milliseconds.
    pub duration_ms: u64,
}

/// A response of the query engine. Each variant belongs to the request of the same name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineResponse {
    /// The member counts and the first rows.
    Preview(SegmentPreview),
    /// The columns of the query.
    Description(SegmentDescription),
    /// The columns of sources that the export uses.
    Lineage(ColumnsRead),
    /// The figures of the file of all members.
    Download(MembersDownload),
}

/// A preview of a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentPreview {
    /// The columns of the query.
    pub description: SegmentDescription,
    /// The member counts.
    pub counts: MemberCounts,
    /// The first members by member key, as objects from column name to value. [`PREVIEW_ROWS`] at most, 1 MiB at most.
    /// Longer texts are cut after 200 characters.
    pub first_rows: Vec<Map<String, Value>>,
    /// The counts of each rule, from top to bottom. Empty if the segment is not defined by rules.
    pub rules: Vec<RuleCount>,
    /// The sources that the query reads.
    pub sources: Vec<SourceSize>,
}

/// The columns of a segment's query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentDescription {
    /// The columns that an export can map, in the order of the query.
    pub columns: Vec<SegmentColumn>,
    /// The other columns, each with a text that says how to make it mappable.
    pub unusable_columns: Vec<String>,
}

/// A file of all members of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersDownload {
    /// The columns of the query.
    pub description: SegmentDescription,
    /// The member counts.
    pub counts: MemberCounts,
    /// The sources that the query reads.
    pub sources: Vec<SourceSize>,
    /// Size of the file, in bytes.
    pub file_bytes: u64,
}

/// The member counts of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberCounts {
    /// Members.
    pub rows: u64,
    /// Rows of the query without a member key, which are not members.
    pub rows_without_key: u64,
    /// Rows of the query beyond the first for their member key.
    pub duplicate_member_rows: u64,
}

/// A column of a segment's query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SegmentColumn {
    /// Its name, which an export's mapping uses for the attribute.
    pub name: String,
    /// Its type: `text`, `integer`, `decimal`, `boolean`, `date`, `moment` or `local_moment`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A source that a segment's query reads, and its size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceSize {
    /// The source.
    pub source: String,
    /// Number of its objects.
    pub objects: u64,
    /// Total size of its objects, in bytes.
    pub bytes: u64,
}

/// The member counts of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleCount {
    /// The rule's name.
    pub name: String,
    /// Members that match this rule, whatever the other rules say. Missing if the preview's time ran out.
    pub members: Option<u64>,
    /// Members that remain after this rule is combined with the rules above it. Missing if the preview's time ran out.
    pub after: Option<u64>,
}

/// An error in a segment, in terms of its definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EngineError {
    /// Stable error code.
    pub code: String,
    /// What is wrong and how to correct it.
    pub text: String,
    /// The wrong field of the definition, as a JSON pointer (RFC 6901). Missing if the cause is outside the definition,
    /// such as a source without objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// The rows of a preview, up to the largest total size.
#[derive(Debug, Default)]
pub struct PreviewRows {
    rows: Vec<Map<String, Value>>,
    bytes: usize,
}

impl PreviewRows {
    /// Adds a row if the total size allows it. Returns false if it does not.
    pub fn add(&mut self, row: Map<String, Value>) -> bool {
        // A row that cannot be serialised never fits.
        let bytes = serde_json::to_vec(&row).map_or(usize::MAX, |bytes| bytes.len());
        let bytes = self.bytes.saturating_add(bytes);
        if bytes > MAX_ROWS_BYTES {
            return false;
        }
        self.bytes = bytes;
        self.rows.push(row);
        true
    }

    /// Returns the rows.
    #[must_use]
    pub fn into_rows(self) -> Vec<Map<String, Value>> {
        self.rows
    }
}

/// Returns the text, cut after 200 characters.
#[must_use]
pub fn preview_text(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Converts a value to JSON. Long texts are cut.
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
    fn messages_are_told_apart_by_their_kind() {
        let (run_id, request_id) = (RunId(Uuid::nil()), EngineRequestId(Uuid::max()));
        let run = r#"{"kind":"run","version":1,"run_id":"00000000-0000-0000-0000-000000000000"}"#;
        let request = r#"{"kind":"request","version":1,"request_id":"ffffffff-ffff-ffff-ffff-ffffffffffff"}"#;
        for (message, body) in
            [(EngineMessage::run(run_id), run), (EngineMessage::request(request_id), request)]
        {
            assert_eq!(serde_json::to_string(&message).unwrap(), body);
            assert_eq!(EngineMessage::parse(body).unwrap(), message);
        }
        for body in [
            "{}",
            r#"{"version":1,"run_id":"00000000-0000-0000-0000-000000000000"}"#,
            r#"{"kind":"request","version":1,"run_id":"00000000-0000-0000-0000-000000000000"}"#,
            r#"{"kind":"run","version":1,"run_id":"00000000-0000-0000-0000-000000000000","more":1}"#,
        ] {
            assert!(EngineMessage::parse(body).is_err(), "{body}");
        }
    }

    #[test]
    fn only_a_download_takes_longer_than_a_question() {
        let id: SegmentId = "all".to_owned().try_into().unwrap();
        assert!(EngineRequest::saved_preview(id.clone()).is_interactive());
        assert!(!EngineRequest::Download(id).is_interactive());
    }

    #[test]
    fn rows_stop_before_the_total_size_exceeds_the_limit() {
        let row = |bytes: usize| Map::from_iter([("a".to_owned(), Value::from("x".repeat(bytes)))]);
        let mut rows = PreviewRows::default();
        assert!(rows.add(row(1_000_000)));
        assert!(!rows.add(row(100_000)));
        assert!(rows.add(row(1)));
        assert_eq!(rows.into_rows().len(), 2);
    }
}
