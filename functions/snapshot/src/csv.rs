//! CSV's records, found byte by byte in whatever pieces the bytes arrive (RFC 4180, with the usual leniency).
//!
//! A value in double quotes may hold commas, line breaks and doubled quotes. Records end with LF, CR or both, and
//! empty lines are skipped. A quote inside an unquoted value is a character like any other. Written here because the
//! readers at hand do not tell an empty field from a quoted empty one, and do not bound the length of a record.

/// The longest header or record that is taken, in bytes.
pub(crate) const MAX_RECORD_BYTES: usize = 1024 * 1024;

/// Why the bytes are not CSV. Knows positions and sizes, never values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// A record longer than [`MAX_RECORD_BYTES`].
    TooLong,
    /// More fields than the reader was told to expect at most.
    TooManyFields,
    /// The end of the object inside a quoted value.
    OpenQuote,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    RecordStart,
    FieldStart,
    Unquoted,
    Quoted,
    QuoteInQuoted,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    end: usize,
    is_quoted: bool,
}

/// Collects one record at a time.
#[derive(Debug)]
pub(crate) struct RecordReader {
    state: State,
    data: Vec<u8>,
    fields: Vec<Field>,
    is_quoted: bool,
    max_fields: usize,
    line: u64,
    record_line: u64,
}

impl RecordReader {
    /// A reader at the beginning of an object whose records have at most `max_fields` fields.
    pub(crate) fn new(max_fields: usize) -> Self {
        Self {
            state: State::RecordStart,
            data: Vec::new(),
            fields: Vec::new(),
            is_quoted: false,
            max_fields,
            line: 1,
            record_line: 1,
        }
    }

    /// The reader of the records after a header, which has told how many fields each has.
    pub(crate) fn after_header(header: &Self, max_fields: usize) -> Self {
        Self { line: header.line, record_line: header.line, ..Self::new(max_fields) }
    }

    /// Whether nothing has been read yet.
    pub(crate) fn is_at_start(&self) -> bool {
        self.state == State::RecordStart && self.line == 1 && self.fields.is_empty()
    }

    /// The line, from 1, in which the current record begins.
    pub(crate) fn first_line(&self) -> u64 {
        self.record_line
    }

    /// How many fields the current record has.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// The current record's bytes, without quotes.
    pub(crate) fn byte_len(&self) -> usize {
        self.data.len()
    }

    /// Begins the next record. To be called after each complete one.
    pub(crate) fn clear(&mut self) {
        self.data.clear();
        self.fields.clear();
    }

    /// A field of the complete record: its bytes, and whether it was quoted.
    pub(crate) fn field(&self, index: usize) -> Option<(&[u8], bool)> {
        let field = self.fields.get(index)?;
        let start =
            index.checked_sub(1).and_then(|before| self.fields.get(before)).map_or(0, |before| before.end);
        Some((self.data.get(start..field.end)?, field.is_quoted))
    }

    /// Takes bytes up to the end of a record: how many were taken, and whether a record is complete.
    pub(crate) fn read(&mut self, input: &[u8]) -> Result<(usize, bool), Malformed> {
        let mut rest = input;
        while let Some((&byte, tail)) = rest.split_first() {
            match self.state {
                State::RecordStart => {
                    if matches!(byte, b'\n' | b'\r') {
                        self.line += u64::from(byte == b'\n');
                        rest = tail;
                    } else {
                        self.record_line = self.line;
                        self.state = State::FieldStart;
                    }
                }
                State::FieldStart => {
                    self.is_quoted = byte == b'"';
                    if self.is_quoted {
                        self.state = State::Quoted;
                        rest = tail;
                    } else {
                        self.state = State::Unquoted;
                    }
                }
                State::Unquoted => {
                    let run = rest
                        .iter()
                        .position(|byte| matches!(byte, b',' | b'\n' | b'\r'))
                        .unwrap_or(rest.len());
                    rest = self.take(rest, run)?;
                    if let Some((&byte, tail)) = rest.split_first() {
                        rest = tail;
                        if self.end_field(byte)? {
                            return Ok((input.len() - rest.len(), true));
                        }
                    }
                }
                State::Quoted => {
                    let run = rest.iter().position(|byte| *byte == b'"').unwrap_or(rest.len());
                    let breaks = rest.iter().take(run).filter(|byte| **byte == b'\n').count();
                    self.line += u64::try_from(breaks).unwrap_or_default();
                    rest = self.take(rest, run)?;
                    if let Some((_, tail)) = rest.split_first() {
                        rest = tail;
                        self.state = State::QuoteInQuoted;
                    }
                }
                State::QuoteInQuoted => match byte {
                    b'"' => {
                        self.data.push(byte);
                        self.state = State::Quoted;
                        rest = tail;
                    }
                    b',' | b'\n' | b'\r' => {
                        rest = tail;
                        if self.end_field(byte)? {
                            return Ok((input.len() - rest.len(), true));
                        }
                    }
                    _ => self.state = State::Unquoted,
                },
            }
        }
        Ok((input.len(), false))
    }

    /// Ends the object: whether it leaves a last record without a line break.
    pub(crate) fn finish(&mut self) -> Result<bool, Malformed> {
        match self.state {
            State::RecordStart => Ok(false),
            State::Quoted => Err(Malformed::OpenQuote),
            State::FieldStart | State::Unquoted | State::QuoteInQuoted => {
                self.is_quoted =
                    self.state == State::QuoteInQuoted || (self.is_quoted && self.state == State::Unquoted);
                self.end_field(b'\r')
            }
        }
    }

    fn take<'a>(&mut self, rest: &'a [u8], run: usize) -> Result<&'a [u8], Malformed> {
        if self.data.len() + run > MAX_RECORD_BYTES {
            return Err(Malformed::TooLong);
        }
        let (taken, rest) = rest.split_at_checked(run).unwrap_or((rest, &[]));
        self.data.extend_from_slice(taken);
        Ok(rest)
    }

    /// Ends a field with the byte that follows it: whether that ends the record.
    fn end_field(&mut self, byte: u8) -> Result<bool, Malformed> {
        if self.fields.len() >= self.max_fields {
            return Err(Malformed::TooManyFields);
        }
        self.fields.push(Field { end: self.data.len(), is_quoted: self.is_quoted });
        self.line += u64::from(byte == b'\n');
        let is_end = byte != b',';
        self.state = if is_end { State::RecordStart } else { State::FieldStart };
        Ok(is_end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Records = Vec<Vec<Option<String>>>;

    fn read(text: &[u8], piece_bytes: usize) -> Result<Records, Malformed> {
        let mut reader = RecordReader::new(100);
        let mut records = Vec::new();
        let mut keep = |reader: &mut RecordReader| {
            let fields = (0..reader.len()).map(|index| {
                let (bytes, is_quoted) = reader.field(index).unwrap();
                (is_quoted || !bytes.is_empty()).then(|| String::from_utf8(bytes.to_vec()).unwrap())
            });
            records.push(fields.collect());
            reader.clear();
        };
        for mut piece in text.chunks(piece_bytes) {
            while !piece.is_empty() {
                let (taken, is_complete) = reader.read(piece)?;
                if is_complete {
                    keep(&mut reader);
                }
                piece = &piece[taken..];
            }
        }
        if reader.finish()? {
            keep(&mut reader);
        }
        Ok(records)
    }

    #[track_caller]
    fn check(text: &str, expected: &[&[Option<&str>]]) {
        let expected: Records =
            expected.iter().map(|row| row.iter().map(|field| field.map(str::to_owned)).collect()).collect();
        for piece_bytes in [1, 2, 3, 1000] {
            assert_eq!(
                read(text.as_bytes(), piece_bytes).as_ref(),
                Ok(&expected),
                "{text:?} in pieces of {piece_bytes}"
            );
        }
    }

    #[test]
    fn records_and_fields_are_found() {
        check("", &[]);
        check("a,b\n1,2\n", &[&[Some("a"), Some("b")], &[Some("1"), Some("2")]]);
        check("a,b\r\n1,2", &[&[Some("a"), Some("b")], &[Some("1"), Some("2")]]);
        check("a\rb\r", &[&[Some("a")], &[Some("b")]]);
        check("\n\na\n\n\nb\n\n", &[&[Some("a")], &[Some("b")]]);
        check(",\n", &[&[None, None]]);
        check("a,", &[&[Some("a"), None]]);
        check("\"\",\n", &[&[Some(""), None]]);
        check("x,\"\"", &[&[Some("x"), Some("")]]);
        check("\"a,\"\"b\"\"\nc\",d\n", &[&[Some("a,\"b\"\nc"), Some("d")]]);
        check("5\" pipe,\"ab\"c\n", &[&[Some("5\" pipe"), Some("abc")]]);
        check("名,🙂\n", &[&[Some("名"), Some("🙂")]]);
    }

    #[test]
    fn malformed_input_is_named() {
        assert_eq!(read(b"a,\"b\nc", 2), Err(Malformed::OpenQuote));
        assert_eq!(read(&vec![b'x'; MAX_RECORD_BYTES + 1], 4096), Err(Malformed::TooLong));
        assert_eq!(read(&[b','; 200], 7), Err(Malformed::TooManyFields));
    }

    #[test]
    fn lines_are_counted_through_quoted_breaks() {
        let mut reader = RecordReader::new(9);
        let (taken, is_complete) = reader.read(b"\"a\nb\"\n\nx\n").unwrap();
        assert_eq!((taken, is_complete, reader.first_line()), (6, true, 1));
        reader.clear();
        assert_eq!(reader.read(b"\nx\n").unwrap(), (3, true));
        assert_eq!(reader.first_line(), 4);
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(
            rows in prop::collection::vec(prop::collection::vec("[a\",\n\r é🙂]{0,6}", 2..4), 0..6),
            piece_bytes in 1_usize..20,
        ) {
            let mut text = String::new();
            for row in &rows {
                let quoted: Vec<String> = row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
                text.push_str(&quoted.join(","));
                text.push_str("\r\n");
            }
            let expected: Records = rows.into_iter().map(|row| row.into_iter().map(Some).collect()).collect();
            prop_assert_eq!(read(text.as_bytes(), piece_bytes), Ok(expected));
        }
    }
}
