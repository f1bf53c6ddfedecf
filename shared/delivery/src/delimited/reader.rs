//! Finds records in bytes that arrive in pieces of any size.

use super::form::{Field, Malformed, RecordForm, State};

/// Collects one record at a time.
#[derive(Debug)]
pub struct RecordReader {
    form: RecordForm,
    state: State,
    data: Vec<u8>,
    fields: Vec<Field>,
    is_quoted: bool,
    problem: Option<Malformed>,
    record_bytes: usize,
    line: u64,
    is_after_carriage_return: bool,
    first_line: u64,
    last_line: u64,
}

impl RecordReader {
    /// Creates a reader at the start of a text.
    #[must_use]
    pub const fn new(form: RecordForm) -> Self {
        Self::at_line(form, 1)
    }

    /// Creates a reader at the start of a later line.
    #[must_use]
    pub const fn at_line(form: RecordForm, line: u64) -> Self {
        Self {
            form,
            state: State::RecordStart,
            data: Vec::new(),
            fields: Vec::new(),
            is_quoted: false,
            problem: None,
            record_bytes: 0,
            line,
            is_after_carriage_return: false,
            first_line: line,
            last_line: line,
        }
    }

    /// Creates the reader of the records after a header, which determines the number of fields.
    #[must_use]
    pub const fn after_header(header: &Self, max_fields: usize) -> Self {
        let mut reader = Self::at_line(RecordForm { max_fields, ..header.form }, header.line);
        reader.is_after_carriage_return = header.is_after_carriage_return;
        reader
    }

    /// Returns whether nothing has been read yet.
    #[must_use]
    pub fn is_at_start(&self) -> bool {
        self.state == State::RecordStart && self.line == 1 && self.fields.is_empty()
    }

    /// Returns whether a record is incomplete.
    #[must_use]
    pub fn is_in_record(&self) -> bool {
        self.state != State::RecordStart
    }

    /// Returns whether the bytes so far end inside a quoted value.
    #[must_use]
    pub fn is_in_quotes(&self) -> bool {
        matches!(self.state, State::Quoted | State::QuoteInQuoted)
    }

    /// Returns the error of the current record, complete or not.
    #[must_use]
    pub const fn problem(&self) -> Option<Malformed> {
        self.problem
    }

    /// Returns the number of bytes read of the current incomplete record, with its quotes and separators.
    #[must_use]
    pub const fn raw_byte_len(&self) -> usize {
        self.record_bytes
    }

    /// Returns the line of the next byte.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Returns the line, from 1, in which the current record begins.
    #[must_use]
    pub const fn first_line(&self) -> u64 {
        self.first_line
    }

    /// Returns the line in which the current complete record ends.
    #[must_use]
    pub const fn last_line(&self) -> u64 {
        self.last_line
    }

    /// Returns the number of fields of the current record, limited to the maximum.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.fields.len()
    }

    /// Returns whether the current record has no field yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Returns the current record's number of bytes, without quotes.
    #[must_use]
    pub const fn byte_len(&self) -> usize {
        self.data.len()
    }

    /// Starts the next record. Must be called after each complete one.
    pub fn clear(&mut self) {
        self.data.clear();
        self.fields.clear();
        self.problem = None;
    }

    /// Returns a field of the complete record: its bytes, and whether it was quoted.
    #[must_use]
    pub fn field(&self, index: usize) -> Option<(&[u8], bool)> {
        let field = self.fields.get(index)?;
        let start =
            index.checked_sub(1).and_then(|before| self.fields.get(before)).map_or(0, |before| before.end);
        Some((self.data.get(start..field.end)?, field.is_quoted))
    }

    /// Reads up to the end of a record. Returns the number of bytes read, and whether a record is complete.
    /// [`Self::problem`] says whether it is valid; after one that is too long this reader cannot continue.
    pub fn read(&mut self, input: &[u8]) -> (usize, bool) {
        let mut rest = input;
        while let Some((&byte, tail)) = rest.split_first() {
            let Some(room) = self.room() else { return (input.len() - rest.len(), false) };
            match self.state {
                State::RecordStart => {
                    if matches!(byte, b'\n' | b'\r') {
                        self.count_break(byte);
                        rest = tail;
                    } else {
                        self.is_after_carriage_return = false;
                        self.first_line = self.line;
                        self.record_bytes = 0;
                        self.state = State::FieldStart;
                    }
                }
                State::FieldStart => {
                    self.is_quoted = byte == b'"';
                    if self.is_quoted {
                        self.record_bytes += 1;
                        self.state = State::Quoted;
                        rest = tail;
                    } else {
                        self.state = State::Unquoted;
                    }
                }
                State::Unquoted => {
                    let separator = self.form.separator;
                    let is_end = |byte: &u8| *byte == separator || matches!(byte, b'\n' | b'\r');
                    let run = rest.iter().position(is_end).unwrap_or(rest.len());
                    let Some(after) = self.take(rest, run, room) else {
                        return (input.len() - rest.len(), false);
                    };
                    rest = after;
                    if let Some((&byte, tail)) = rest.split_first() {
                        rest = tail;
                        if self.end_field(byte) {
                            return (input.len() - rest.len(), true);
                        }
                    }
                }
                State::Quoted => {
                    let run = rest.iter().position(|byte| *byte == b'"').unwrap_or(rest.len());
                    self.count_breaks(rest.get(..run.min(room)).unwrap_or_default());
                    let Some(after) = self.take(rest, run, room) else {
                        return (input.len() - rest.len(), false);
                    };
                    rest = after;
                    if let Some((_, tail)) = rest.split_first() {
                        self.record_bytes += 1;
                        self.is_after_carriage_return = false;
                        rest = tail;
                        self.state = State::QuoteInQuoted;
                    }
                }
                State::QuoteInQuoted => match byte {
                    b'"' => {
                        self.record_bytes += 1;
                        self.data.push(byte);
                        self.state = State::Quoted;
                        rest = tail;
                    }
                    _ if byte == self.form.separator || matches!(byte, b'\n' | b'\r') => {
                        rest = tail;
                        if self.end_field(byte) {
                            return (input.len() - rest.len(), true);
                        }
                    }
                    _ => self.state = State::Unquoted,
                },
            }
        }
        (input.len(), false)
    }

    /// Ends the text. Returns whether there is a last record without a line break.
    pub fn finish(&mut self) -> bool {
        match self.state {
            State::RecordStart => false,
            State::Quoted => {
                self.problem = Some(Malformed::OpenQuote);
                self.last_line = self.line;
                true
            }
            State::FieldStart | State::Unquoted | State::QuoteInQuoted => {
                self.is_quoted =
                    self.state == State::QuoteInQuoted || (self.is_quoted && self.state == State::Unquoted);
                self.end_field(b'\r')
            }
        }
    }

    /// Returns how many more bytes the record may have; `None` if it is already too long.
    fn room(&mut self) -> Option<usize> {
        let room = self.form.max_record_bytes.checked_sub(self.record_bytes);
        if room.is_none() && self.is_in_record() {
            self.problem = Some(Malformed::TooLong);
            return None;
        }
        Some(room.unwrap_or_default())
    }

    fn take<'a>(&mut self, rest: &'a [u8], run: usize, room: usize) -> Option<&'a [u8]> {
        if run > room {
            self.problem = Some(Malformed::TooLong);
            return None;
        }
        let (taken, rest) = rest.split_at_checked(run).unwrap_or((rest, &[]));
        self.record_bytes += taken.len();
        if self.problem.is_none() {
            self.data.extend_from_slice(taken);
        }
        Some(rest)
    }

    /// Ends a field at the byte after it. Returns whether that ends the record.
    fn end_field(&mut self, byte: u8) -> bool {
        if self.fields.len() >= self.form.max_fields {
            self.problem = Some(Malformed::TooManyFields);
        } else {
            self.fields.push(Field { end: self.data.len(), is_quoted: self.is_quoted });
        }
        self.record_bytes += 1;
        self.last_line = self.line;
        self.count_break(byte);
        let is_end = byte != self.form.separator;
        if is_end {
            self.record_bytes = 0;
            self.state = State::RecordStart;
        } else {
            self.state = State::FieldStart;
        }
        is_end
    }

    /// Counts a line if the byte ends one. CR LF ends one line.
    fn count_break(&mut self, byte: u8) {
        let is_break = byte == b'\r' || (byte == b'\n' && !self.is_after_carriage_return);
        self.line += u64::from(is_break);
        self.is_after_carriage_return = byte == b'\r';
    }

    fn count_breaks(&mut self, run: &[u8]) {
        if run.contains(&b'\n') || run.contains(&b'\r') {
            for byte in run {
                self.count_break(*byte);
            }
        } else if !run.is_empty() {
            self.is_after_carriage_return = false;
        }
    }
}
