//! Why an upload as a whole cannot be used, in the words of whoever put it. Names columns of the segment's definition,
//! positions and sizes; never what stands in the file, for where the header is missing that is somebody's data.

use relay_model::SegmentId;
use relay_model::catalog::{ColumnNameError, MAX_UPLOAD_BYTES, MAX_UPLOAD_COLUMNS};
use thiserror::Error;

/// Why an upload breaks the rules as a whole.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum Refusal {
    #[error("there is no segment \"{0}\"; define it with `upload` first, then put the file again")]
    SegmentMissing(SegmentId),
    #[error("the definition of segment \"{segment}\" cannot be read: {problem}")]
    SegmentInvalid { segment: SegmentId, problem: String },
    #[error("segment \"{0}\" is a query; only a segment that is defined with `upload` takes files")]
    SegmentIsQuery(SegmentId),
    #[error("the file has {bytes} bytes, more than the {} that an upload may have", MAX_UPLOAD_BYTES)]
    TooLarge { bytes: u64 },
    #[error("the file is empty: it has no header row")]
    Empty,
    #[error(
        "the file is no text: it has NUL characters. Save it as CSV in UTF-8 (UTF-16 needs a byte order mark)"
    )]
    NotText,
    #[error(
        "the header row is longer than 64 KiB; is this a CSV with a header row of at most {} columns?",
        MAX_UPLOAD_COLUMNS
    )]
    HeaderTooLong,
    #[error("a quote of the header row is never closed")]
    HeaderQuote,
    #[error("the header row has characters that are not {encoding}")]
    HeaderEncoding { encoding: &'static str },
    #[error(
        "the header row has {columns} columns, more than the {} that an upload may have",
        MAX_UPLOAD_COLUMNS
    )]
    TooManyColumns { columns: usize },
    #[error("the name of column {column} in the header row {problem}")]
    ColumnName { column: usize, problem: ColumnNameError },
    #[error("columns {first} and {second} of the header row have the same name")]
    DuplicateColumn { first: usize, second: usize },
    #[error(
        "the header row has no column \"{name}\", which the segment names; its {columns} columns are separated by {separator}"
    )]
    ColumnMissing { name: String, columns: usize, separator: &'static str },
    #[error(
        "the quotes are not closed in so many lines that the file cannot be read, the latest of them line {line}"
    )]
    Quotes { line: u64 },
    #[error(
        "none of the {bad_lines} lines can be used, most of them for {code}; the list of bad lines names each"
    )]
    NoGoodLine { bad_lines: u64, code: &'static str },
}

impl Refusal {
    /// The stable word for it.
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
