//! Converts a CSV to a table and a list of bad lines, in constant memory.

use crate::bad_lines::{BadLines, Problem};
use crate::decode::Encoding;
use crate::header::{self, Header};
use crate::lines::{BadLine, Line, Lines};
use crate::parts::PartError;
use crate::refusal::Refusal;
use crate::table::Table;
use crate::text::{Parts, Text};
use crate::values::{Value, Values};
use parquet::errors::ParquetError;
use relay_delivery::delimited::RecordReader;
use relay_model::catalog::CustomUpload;
use relay_model::uploads::UploadColumn;
use std::collections::BTreeMap;
use std::path::Path;

/// The file name of the table.
pub(crate) const TABLE: &str = "table.parquet";
/// The file name of the list of bad lines.
pub(crate) const BAD_LINES: &str = "bad-lines.csv";
/// After this many invalid lines, the file is not UTF-8 with sufficient certainty.
const ENOUGH_LINES: u64 = 1_000;

/// The result of reading a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ingested {
    /// The table's rows.
    pub(crate) rows: u64,
    /// Lines without a single value.
    pub(crate) empty_rows: u64,
    /// Bad lines.
    pub(crate) bad_lines: u64,
    pub(crate) bad_lines_by_code: BTreeMap<&'static str, u64>,
    pub(crate) encoding: Encoding,
    pub(crate) separator: char,
    pub(crate) columns: Vec<UploadColumn>,
}

/// Why a file was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IngestError {
    /// The file as a whole is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The file was assumed to be UTF-8, and is not.
    #[error("the file is not UTF-8")]
    NotUtf8,
    /// A part could not be downloaded.
    #[error(transparent)]
    Part(#[from] PartError),
    /// The temporary disk cannot be written to.
    #[error("the temporary disk cannot be written to ({0})")]
    Disk(String),
}

impl From<std::io::Error> for IngestError {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error.kind().to_string())
    }
}

impl From<ParquetError> for IngestError {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(cause) => match cause.downcast_ref::<std::io::Error>() {
                Some(error) => Self::Disk(error.kind().to_string()),
                None => Self::Disk("Parquet".to_owned()),
            },
            _ => Self::Disk("Parquet".to_owned()),
        }
    }
}

/// Reads a file into `folder`. Without a byte order mark, its encoding is `without_mark`. UTF-8 is only rejected if more lines
/// contradict it than confirm it, so that one damaged line does not garble the names in all others.
pub(crate) fn ingest(
    parts: Parts<'_>,
    form: &CustomUpload,
    without_mark: Encoding,
    folder: &Path,
) -> Result<Ingested, IngestError> {
    let mut text = Text::begin(parts, without_mark)?;
    let encoding = text.encoding();
    let header = header::read(&mut text, form)?;
    let separator = header.separator;
    let columns: Vec<UploadColumn> = header
        .names
        .iter()
        .map(|name| UploadColumn { name: name.clone(), column_type: form.column_type(name) })
        .collect();
    let place = |name: &str| header.names.iter().position(|column| column == name);
    let rules = Rules {
        identity: place(&form.identity_column),
        member_key: place(form.member_key_column()),
        values: Values { has_decimal_commas: separator != b',' },
        columns,
    };
    let mut bad_lines = BadLines::create(&folder.join(BAD_LINES))?;
    let mut table = Table::create(&folder.join(TABLE), &rules.columns)?;
    let census = read_lines(text, header, &rules, &mut table, &mut bad_lines)?;
    if encoding == Encoding::Utf8 && census.contradicts_utf8() {
        return Err(IngestError::NotUtf8);
    }
    let rows = table.finish()?;
    let total = bad_lines.total();
    let by_code = bad_lines.finish()?;
    if rows == 0 && total > 0 {
        let most = by_code.iter().max_by_key(|(_, count)| **count);
        let code = most.map(|(code, _)| *code).unwrap_or_default();
        return Err(Refusal::NoGoodLine { bad_lines: total, code }.into());
    }
    Ok(Ingested {
        rows,
        empty_rows: census.empty_rows,
        bad_lines: total,
        bad_lines_by_code: by_code,
        encoding,
        separator: char::from(separator),
        columns: rules.columns,
    })
}

/// Counts over all lines.
#[derive(Clone, Copy, Debug, Default)]
struct Census {
    empty_rows: u64,
    /// Valid lines with characters outside ASCII, which confirm UTF-8.
    confirming_lines: u64,
    /// Lines that are not valid in the encoding.
    contradicting_lines: u64,
}

impl Census {
    const fn contradicts_utf8(self) -> bool {
        self.contradicting_lines > self.confirming_lines
    }
}

fn read_lines(
    text: Text<'_>,
    header: Header,
    rules: &Rules,
    table: &mut Table,
    bad_lines: &mut BadLines,
) -> Result<Census, IngestError> {
    let is_guessed = text.encoding() == Encoding::Utf8;
    let mut census = Census::default();
    let mut lines = Lines::new(text, header);
    while let Some(line) = lines.next()? {
        let record = match line {
            Line::Whole(record) => record,
            Line::Bad(BadLine { first_line, last_line, problem }) => {
                bad_lines.add((first_line, last_line), "", problem)?;
                continue;
            }
        };
        match rules.read(record) {
            Ok(Row::Empty) => census.empty_rows += 1,
            Ok(Row::Values(values)) => {
                let is_ascii = values.iter().all(|value| match value {
                    Value::Text(text) => text.is_ascii(),
                    _ => true,
                });
                census.confirming_lines += u64::from(!is_ascii);
                table.push(&values, record.byte_len())?;
            }
            Err((column, problem)) => {
                census.contradicting_lines += u64::from(problem == Problem::NotText);
                if is_guessed && census.contradicting_lines >= ENOUGH_LINES && census.contradicts_utf8() {
                    return Err(IngestError::NotUtf8);
                }
                bad_lines.add((record.first_line(), record.last_line()), column, problem)?;
            }
        }
    }
    Ok(census)
}

/// The requirements for a line.
struct Rules {
    columns: Vec<UploadColumn>,
    identity: Option<usize>,
    member_key: Option<usize>,
    values: Values,
}

enum Row<'a> {
    /// The line has no value.
    Empty,
    Values(Vec<Value<'a>>),
}

impl Rules {
    /// Returns the values of a line, or the column and the problem.
    fn read<'a>(&'a self, record: &'a RecordReader) -> Result<Row<'a>, (&'a str, Problem)> {
        if record.byte_len() == 0 {
            return Ok(Row::Empty);
        }
        let mut values = Vec::with_capacity(self.columns.len());
        for (index, column) in self.columns.iter().enumerate() {
            let bad = |problem| (column.name.as_str(), problem);
            let (bytes, is_quoted) = record.field(index).unwrap_or_default();
            let text = std::str::from_utf8(bytes).map_err(|_| bad(Problem::NotText))?;
            if bytes.contains(&0) {
                return Err(bad(Problem::Nul));
            }
            let is_blank = || text.trim().is_empty();
            if self.identity == Some(index) && is_blank() {
                return Err(bad(Problem::NoIdentity));
            }
            if self.member_key == Some(index) && is_blank() {
                return Err(bad(Problem::NoMemberKey));
            }
            let value = self.values.read(text, is_quoted, column.column_type);
            values.push(value.ok_or_else(|| bad(Problem::BadValue(column.column_type)))?);
        }
        Ok(Row::Values(values))
    }
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
