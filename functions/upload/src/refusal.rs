//! The reasons for which an upload as a whole is refused. The texts name columns of the segment's definition, positions and
//! sizes. They never quote the file: without a header row, its first line has personal data.

use relay_model::SegmentId;
use relay_model::catalog::{ColumnNameError, MAX_UPLOAD_BYTES, MAX_UPLOAD_COLUMNS};
use thiserror::Error;

/// Why an upload as a whole is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum Refusal {
    #[error("there is no segment \"{0}\"; define it with `upload` first, then upload the file again")]
    SegmentMissing(SegmentId),
    #[error("the definition of segment \"{segment}\" is invalid: {problem}")]
    SegmentInvalid { segment: SegmentId, problem: String },
    #[error("segment \"{0}\" is a query; only segments that are defined with `upload` accept files")]
    SegmentIsQuery(SegmentId),
    #[error("the file has {bytes} bytes; the maximum is {}", MAX_UPLOAD_BYTES)]
    TooLarge { bytes: u64 },
    #[error("the file is empty: it has no header row")]
    Empty,
    #[error(
        "the file is not text: it has NUL characters. Save it as CSV in UTF-8 (UTF-16 needs a byte order mark)"
    )]
    NotText,
    #[error(
        "the header row is longer than 64 KiB; is this a CSV with a header row of at most {} columns?",
        MAX_UPLOAD_COLUMNS
    )]
    HeaderTooLong,
    #[error("a quote in the header row is not closed")]
    HeaderQuote,
    #[error("the header row has characters that are not {encoding}")]
    HeaderEncoding { encoding: &'static str },
    #[error("the header row has {columns} columns; the maximum is {}", MAX_UPLOAD_COLUMNS)]
    TooManyColumns { columns: usize },
    #[error("the name of column {column} in the header row {problem}")]
    ColumnName { column: usize, problem: ColumnNameError },
    #[error("columns {first} and {second} of the header row have the same name")]
    DuplicateColumn { first: usize, second: usize },
    #[error(
        "the header row has no column \"{name}\", which the segment names; it has {columns} columns, separated by {separator}"
    )]
    ColumnMissing { name: String, columns: usize, separator: &'static str },
    #[error(
        "too many lines have quotes that are not closed, most recently line {line}; the file cannot be read"
    )]
    Quotes { line: u64 },
    #[error(
        "none of the {bad_lines} lines is valid; the most frequent error is {code}; the list of bad lines has each line"
    )]
    NoGoodLine { bad_lines: u64, code: &'static str },
}

impl Refusal {
    /// Returns the stable code.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::SegmentMissing(_) => "segment_missing",
            Self::SegmentInvalid { .. } => "segment_invalid",
            Self::SegmentIsQuery(_) => "segment_is_query",
            Self::TooLarge { .. } => "file_too_large",
            Self::Empty => "file_empty",
            Self::NotText => "file_not_text",
            Self::HeaderTooLong => "header_too_long",
            Self::HeaderQuote => "header_quote_not_closed",
            Self::HeaderEncoding { .. } => "header_encoding",
            Self::TooManyColumns { .. } => "too_many_columns",
            Self::ColumnName { .. } => "column_name_invalid",
            Self::DuplicateColumn { .. } => "column_named_twice",
            Self::ColumnMissing { .. } => "column_missing",
            Self::Quotes { .. } => "quotes_not_closed",
            Self::NoGoodLine { .. } => "no_good_line",
        }
    }
}
