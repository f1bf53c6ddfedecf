//! Reads the lines after the header, and recovers from bad ones.
//!
//! A quote that is not closed would absorb all lines after it. If a line exceeds the maximum length, reading resumes at the
//! next line break, so that only one line is bad. The number of bytes that are read twice is bounded, because a file of such
//! lines would take quadratic time.

use crate::bad_lines::Problem;
use crate::header::{Header, MAX_LINE_BYTES};
use crate::ingest::IngestError;
use crate::refusal::Refusal;
use crate::text::Text;
use relay_delivery::delimited::{Malformed, RecordForm, RecordReader};

/// The maximum number of bytes that are read twice.
const MAX_READ_TWICE_BYTES: usize = 64 * 1024 * 1024;

/// The next line.
pub(crate) enum Line<'a> {
    /// A line with as many values as the header has columns.
    Whole(&'a RecordReader),
    /// A line that is invalid.
    Bad(BadLine),
}

/// The position and the problem of a bad line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadLine {
    pub(crate) first_line: u64,
    pub(crate) last_line: u64,
    pub(crate) problem: Problem,
}

/// Reads lines.
pub(crate) struct Lines<'a> {
    text: Text<'a>,
    form: RecordForm,
    columns: usize,
    reader: RecordReader,
    /// How many bytes of the window have been read.
    read: usize,
    read_twice_bytes: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: Text<'a>, header: Header) -> Self {
        let columns = header.names.len();
        let form =
            RecordForm { separator: header.separator, max_fields: columns, max_record_bytes: MAX_LINE_BYTES };
        Self { text, form, columns, reader: header.lines, read: 0, read_twice_bytes: 0 }
    }

    /// Returns the next line that is not empty.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>, IngestError> {
        self.reader.clear();
        loop {
            if self.read == self.text.window().len() && !self.extend()? {
                if !self.reader.finish() {
                    return Ok(None);
                }
                if self.reader.problem() == Some(Malformed::OpenQuote) {
                    return self.lost().map(Some);
                }
                return Ok(Some(self.found()));
            }
            let unread = self.text.window().get(self.read..).unwrap_or_default();
            let (taken, is_complete) = self.reader.read(unread);
            self.read += taken;
            if is_complete {
                return Ok(Some(self.found()));
            }
            if self.reader.problem() == Some(Malformed::TooLong) {
                return self.lost().map(Some);
            }
        }
    }

    /// Decodes more of the text, and drops what precedes the current line; `false` at the end.
    fn extend(&mut self) -> Result<bool, IngestError> {
        self.text.forget(self.read - self.kept());
        self.read = self.kept();
        self.text.extend()
    }

    /// Returns how many of the bytes that were read belong to the current line.
    fn kept(&self) -> usize {
        if self.reader.is_in_record() { self.reader.raw_byte_len().min(self.read) } else { 0 }
    }

    fn found(&self) -> Line<'_> {
        let reader = &self.reader;
        let (found, expected) = (reader.len(), self.columns);
        let problem = match reader.problem() {
            Some(_) => Problem::TooManyValues,
            None if found < expected => Problem::TooFewValues,
            None => return Line::Whole(reader),
        };
        Line::Bad(BadLine { first_line: reader.first_line(), last_line: reader.last_line(), problem })
    }

    /// Gives up the current line, which is too long, and resumes at the next line break.
    fn lost(&mut self) -> Result<Line<'_>, IngestError> {
        let first_line = self.reader.first_line();
        let from = self.read - self.kept();
        if self.reader.is_in_quotes() {
            let line = self.text.window().get(from..self.read).unwrap_or_default();
            if let Some(end) = line.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                self.read_twice_bytes += line.len() - end;
                if self.read_twice_bytes > MAX_READ_TWICE_BYTES {
                    return Err(Refusal::Quotes { line: first_line }.into());
                }
                self.read = from + end;
                self.reader = RecordReader::at_line(self.form, first_line);
                return Ok(bad(first_line, first_line, Problem::QuoteNotClosed));
            }
        }
        let problem = if self.reader.is_in_quotes() { Problem::QuoteNotClosed } else { Problem::TooLong };
        let last_line = self.reader.line();
        self.reader = RecordReader::at_line(self.form, last_line);
        loop {
            let unread = self.text.window().get(self.read..).unwrap_or_default();
            if let Some(end) = unread.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                self.read += end;
                break;
            }
            self.read = self.text.window().len();
            if !self.extend()? {
                break;
            }
        }
        Ok(bad(first_line, last_line, problem))
    }
}

const fn bad<'a>(first_line: u64, last_line: u64, problem: Problem) -> Line<'a> {
    Line::Bad(BadLine { first_line, last_line, problem })
}
