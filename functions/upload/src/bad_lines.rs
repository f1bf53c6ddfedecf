//! The list of lines that could not be used: where and why, never what stands in them.

use relay_model::catalog::UploadColumnType;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// The most bad lines that are listed; the others are counted.
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
    /// The stable word for it.
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

    /// What is wrong and what would be right.
    const fn reason(self) -> &'static str {
        match self {
            Self::TooFewValues => {
                "there are fewer values than the header has names; is a line break not in quotes?"
            }
            Self::TooManyValues => {
                "there are more values than the header has names; is a separator not in quotes?"
            }
            Self::TooLong => "the line is longer than 64 KiB",
            Self::QuoteNotClosed => {
                "a quote is not closed within 64 KiB; a quote within a quoted value is written twice"
            }
            Self::NotText => "there are bytes that are no characters of the file's encoding",
            Self::Nul => "there is a NUL character",
            Self::NoIdentity => "the identity is missing, so the line is nobody",
            Self::NoMemberKey => "the member key is missing, so the line is nobody",
            Self::BadValue(UploadColumnType::Text) => "this is no text",
            Self::BadValue(UploadColumnType::Integer) => "this is no whole number of 64 bits, such as -12",
            Self::BadValue(UploadColumnType::Decimal) => {
                "this is no number, such as 12.50, without signs for thousands"
            }
            Self::BadValue(UploadColumnType::Boolean) => "this is none of true, false, yes, no, 1 and 0",
            Self::BadValue(UploadColumnType::Date) => "this is no day, such as 2026-11-21",
            Self::BadValue(UploadColumnType::Datetime) => "this is no moment, such as 2026-11-21T10:00:00Z",
        }
    }
}

/// Lists bad lines into a CSV, and counts them.
pub(crate) struct BadLines {
    list: csv::Writer<BufWriter<File>>,
    total: u64,
    by_code: BTreeMap<&'static str, u64>,
}

impl BadLines {
    /// A list at `path`.
    pub(crate) fn create(path: &Path) -> std::io::Result<Self> {
        let mut list = csv::Writer::from_writer(BufWriter::new(File::create(path)?));
        list.write_record(["line", "last_line", "column", "code", "reason"])?;
        Ok(Self { list, total: 0, by_code: BTreeMap::new() })
    }

    /// Adds a line; `column` is the name of the one that is wrong, where it is one.
    pub(crate) fn add(&mut self, lines: (u64, u64), column: &str, problem: Problem) -> std::io::Result<()> {
        self.total += 1;
        *self.by_code.entry(problem.code()).or_default() += 1;
        if self.total <= MAX_LISTED {
            let (first, last) = (lines.0.to_string(), lines.1.to_string());
            self.list.write_record([&first, &last, column, problem.code(), problem.reason()])?;
        }
        Ok(())
    }

    /// How many there are.
    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// Ends the list: how many lines for which reason.
    pub(crate) fn finish(mut self) -> std::io::Result<BTreeMap<&'static str, u64>> {
        self.list.flush()?;
        Ok(self.by_code)
    }
}
