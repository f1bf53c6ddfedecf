//! What records look like, and what can be wrong with one.

/// What records look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordForm {
    /// Between two fields: one ASCII character.
    pub separator: u8,
    /// The most fields that a record may have.
    pub max_fields: usize,
    /// The longest record, in bytes, with its quotes and separators.
    pub max_record_bytes: usize,
}

/// Why bytes are no record. Knows positions and sizes, never values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// A record longer than it may be. The reader stops in the middle of it.
    TooLong,
    /// More fields than a record may have. The reader goes on to its end.
    TooManyFields,
    /// The end of the text inside a quoted value.
    OpenQuote,
}

/// Where a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    RecordStart,
    FieldStart,
    Unquoted,
    Quoted,
    QuoteInQuoted,
}

/// A field of a record: where its bytes end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) end: usize,
    pub(super) is_quoted: bool,
}
