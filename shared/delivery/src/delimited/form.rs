//! The form of records and their errors.

/// The form of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordForm {
    /// The field separator: one ASCII character.
    pub separator: u8,
    /// The maximum number of fields of a record.
    pub max_fields: usize,
    /// The maximum length of a record, in bytes, with its quotes and separators.
    pub max_record_bytes: usize,
}

/// Why bytes are not a valid record. Contains positions and sizes, never values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The record is too long. The reader stops in the middle of it.
    TooLong,
    /// The record has too many fields. The reader continues to its end.
    TooManyFields,
    /// The text ends inside a quoted value.
    OpenQuote,
}

/// The state of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    RecordStart,
    FieldStart,
    Unquoted,
    Quoted,
    QuoteInQuoted,
}

/// A field of a record: the end of its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) end: usize,
    pub(super) is_quoted: bool,
}
