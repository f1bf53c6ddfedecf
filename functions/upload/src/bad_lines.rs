//! The list of bad lines with position and reason. It never quotes the lines.

use relay_model::catalog::UploadColumnType;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// The maximum number of bad lines in the list; the others are only counted.
pub(crate) const MAX_LISTED: u64 = 10_000;

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    TooFewValues,
    TooManyValues,
    TooLong,
    QuoteNotClosed,
    NotText,
    Nul,
    NoIdentity,
    NoMemberKey,
    BadValue(UploadColumnType),
}

impl Problem {
    /// Returns the stable code.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::TooFewValues => "too_few_values",
            Self::TooManyValues => "too_many_values",
            Self::TooLong => "too_long",
            Self::QuoteNotClosed => "quote_not_closed",
            Self::NotText => "not_text",
            Self::Nul => "nul_character",
            Self::NoIdentity => "identity_missing",
            Self::NoMemberKey => "member_key_missing",
            Self::BadValue(UploadColumnType::Text) => "not_a_text",
            Self::BadValue(UploadColumnType::Integer) => "not_an_integer",
            Self::BadValue(UploadColumnType::Decimal) => "not_a_decimal",
            Self::BadValue(UploadColumnType::Boolean) => "not_a_boolean",
            Self::BadValue(UploadColumnType::Date) => "not_a_date",
            Self::BadValue(UploadColumnType::Datetime) => "not_a_datetime",
        }
    }

    /// Returns what is wrong and what is valid.
    const fn reason(self) -> &'static str {
        match self {
            Self::TooFewValues => {
                "the line has fewer values than the header has columns; is there a line break outside quotes?"
            }
            Self::TooManyValues => {
                "the line has more values than the header has columns; is there a separator outside quotes?"
            }
            Self::TooLong => "the line is longer than 64 KiB",
            Self::QuoteNotClosed => {
                "a quote is not closed within 64 KiB; double the quotes within a quoted value"
            }
            Self::NotText => "some bytes are not valid in the file's encoding",
            Self::Nul => "the line has a NUL character",
            Self::NoIdentity => "the identity is missing, so the line identifies no person",
            Self::NoMemberKey => "the member key is missing, so the line identifies no person",
            Self::BadValue(UploadColumnType::Text) => "the value is not text",
            Self::BadValue(UploadColumnType::Integer) => "the value is not a 64-bit integer, such as -12",
            Self::BadValue(UploadColumnType::Decimal) => {
                "the value is not a number, such as 12.50, without thousands separators"
            }
            Self::BadValue(UploadColumnType::Boolean) => "the value is not true, false, yes, no, 1 or 0",
            Self::BadValue(UploadColumnType::Date) => "the value is not a date, such as 2026-11-21",
            Self::BadValue(UploadColumnType::Datetime) => {
                "the value is not a date and time, such as 2026-11-21T10:00:00Z"
            }
        }
    }
}

/// Writes bad lines to a CSV, and counts them.
pub(crate) struct BadLines {
    list: csv::Writer<BufWriter<File>>,
    total: u64,
    by_code: BTreeMap<&'static str, u64>,
}

impl BadLines {
    /// Creates a list at `path`.
    pub(crate) fn create(path: &Path) -> std::io::Result<Self> {
        let mut list = csv::Writer::from_writer(BufWriter::new(File::create(path)?));
        list.write_record(["line", "last_line", "column", "code", "reason"])?;
        Ok(Self { list, total: 0, by_code: BTreeMap::new() })
    }

    /// Adds a line. `column` is the invalid column, or empty if the whole line is invalid.
    pub(crate) fn add(&mut self, lines: (u64, u64), column: &str, problem: Problem) -> std::io::Result<()> {
        self.total += 1;
        *self.by_code.entry(problem.code()).or_default() += 1;
        if self.total <= MAX_LISTED {
            let (first, last) = (lines.0.to_string(), lines.1.to_string());
            self.list.write_record([&first, &last, column, problem.code(), problem.reason()])?;
        }
        Ok(())
    }

    /// Returns the number of bad lines.
    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// Ends the list, and returns the number of lines by code.
    pub(crate) fn finish(mut self) -> std::io::Result<BTreeMap<&'static str, u64>> {
        self.list.flush()?;
        Ok(self.by_code)
    }
}
