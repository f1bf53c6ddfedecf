//! The header row: detects the separator and validates the column names.

use crate::ingest::IngestError;
use crate::refusal::Refusal;
use crate::text::Text;
use relay_delivery::delimited::{Malformed, RecordForm, RecordReader};
use relay_model::catalog::{ColumnNameError, CustomUpload, MAX_UPLOAD_COLUMNS};

/// The longest header or line, in bytes of UTF-8. The limit bounds the memory of a batch when the table is read.
pub(crate) const MAX_LINE_BYTES: usize = 64 * 1024;
/// The known separators, most likely first.
const SEPARATORS: [u8; 4] = *b",;\t|";

/// The header row.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) separator: u8,
    /// The column names in file order.
    pub(crate) names: Vec<String>,
    /// The reader of the lines after the header.
    pub(crate) lines: RecordReader,
}

/// Returns the name of a separator, for messages.
pub(crate) const fn separator_name(separator: u8) -> &'static str {
    match separator {
        b',' => "a comma",
        b';' => "a semicolon",
        b'\t' => "a tab",
        b'|' => "a vertical bar",
        _ => "the character of its sep= line",
    }
}

/// Reads the header row from the start of the text, and checks it against the columns that the segment names.
pub(crate) fn read(text: &mut Text<'_>, form: &CustomUpload) -> Result<Header, IngestError> {
    while text.window().len() <= MAX_LINE_BYTES {
        if !text.extend()? {
            break;
        }
    }
    let window = text.window();
    if window.contains(&0) && first_line(window).contains(&0) {
        return Err(Refusal::NotText.into());
    }
    let (told, from) = told_separator(window);
    let rest = window.get(from..).unwrap_or_default();
    let separator = told.unwrap_or_else(|| likely_separator(rest));
    let limits = RecordForm { separator, max_fields: MAX_UPLOAD_COLUMNS, max_record_bytes: MAX_LINE_BYTES };
    let mut reader = RecordReader::at_line(limits, if from > 0 { 2 } else { 1 });
    let (mut taken, mut is_complete) = reader.read(rest);
    if !is_complete && reader.problem().is_none() {
        if window.len() > MAX_LINE_BYTES {
            return Err(Refusal::HeaderTooLong.into());
        }
        is_complete = reader.finish();
        taken = rest.len();
    }
    match reader.problem() {
        Some(Malformed::TooLong) => return Err(Refusal::HeaderTooLong.into()),
        Some(Malformed::OpenQuote) => return Err(Refusal::HeaderQuote.into()),
        Some(Malformed::TooManyFields) => {
            let columns = count_outside_quotes(first_line(rest), separator) + 1;
            return Err(Refusal::TooManyColumns { columns: columns.max(MAX_UPLOAD_COLUMNS + 1) }.into());
        }
        None if !is_complete => return Err(Refusal::Empty.into()),
        None => {}
    }
    let names = names(&reader, text)?;
    for name in form.named_columns() {
        if !names.iter().any(|column| column == name) {
            let (columns, separator) = (names.len(), separator_name(separator));
            return Err(Refusal::ColumnMissing { name: name.to_owned(), columns, separator }.into());
        }
    }
    let lines = RecordReader::after_header(&reader, names.len());
    text.forget(from + taken);
    Ok(Header { separator, names, lines })
}

fn names(reader: &RecordReader, text: &Text<'_>) -> Result<Vec<String>, IngestError> {
    let mut names: Vec<String> = Vec::with_capacity(reader.len());
    for index in 0..reader.len() {
        let (bytes, _) = reader.field(index).unwrap_or_default();
        let name = std::str::from_utf8(bytes)
            .map_err(|_| {
                IngestError::undecodable(text, Refusal::HeaderEncoding { encoding: text.encoding().name() })
            })?
            .trim();
        let column = index + 1;
        ColumnNameError::check(name).map_err(|problem| Refusal::ColumnName { column, problem })?;
        if let Some(first) = names.iter().position(|before| before == name) {
            return Err(Refusal::DuplicateColumn { first: first + 1, second: column }.into());
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// Returns the separator of a first line such as `sep=;`, which spreadsheets write and read, and the length of that line.
fn told_separator(window: &[u8]) -> (Option<u8>, usize) {
    match window {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator, b'\r', b'\n', ..]
            if is_separator(*separator) =>
        {
            (Some(*separator), 7)
        }
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator, b'\n' | b'\r', ..]
            if is_separator(*separator) =>
        {
            (Some(*separator), 6)
        }
        _ => (None, 0),
    }
}

const fn is_separator(byte: u8) -> bool {
    (byte.is_ascii_punctuation() && byte != b'"') || byte == b'\t'
}

/// Returns the separator that occurs most often in the first line. The first one in [`SEPARATORS`] wins a tie.
fn likely_separator(rest: &[u8]) -> u8 {
    let line = first_line(rest);
    let count = |separator: u8| count_outside_quotes(line, separator);
    let (mut likely, mut most) = (b',', 0);
    for separator in SEPARATORS {
        let found = count(separator);
        if found > most {
            (likely, most) = (separator, found);
        }
    }
    likely
}

/// Returns the first line that is not empty, up to its line break outside quotes.
fn first_line(rest: &[u8]) -> &[u8] {
    let from = rest.iter().position(|byte| !matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
    let line = rest.get(from..).unwrap_or_default();
    let mut is_quoted = false;
    let end = line.iter().position(|byte| {
        is_quoted ^= *byte == b'"';
        !is_quoted && matches!(byte, b'\n' | b'\r')
    });
    line.get(..end.unwrap_or(line.len())).unwrap_or_default()
}

fn count_outside_quotes(line: &[u8], separator: u8) -> usize {
    let mut is_quoted = false;
    let is_counted = |byte: &&u8| {
        is_quoted ^= **byte == b'"';
        !is_quoted && **byte == separator
    };
    line.iter().filter(is_counted).count()
}

impl IngestError {
    /// A guessed encoding is wrong, so the next one is tried. If a byte order mark declares the encoding, the file is refused.
    fn undecodable(text: &Text<'_>, refusal: Refusal) -> Self {
        match text.encoding() {
            crate::decode::Encoding::Utf8 => Self::NotUtf8,
            _ => Self::Refused(refusal),
        }
    }
}
