//! A streaming reader of delimited text (RFC 4180, with the usual leniency).
//!
//! A quoted value may contain separators, line breaks and doubled quotes. Records end with LF, CR or both,
//! and empty lines are skipped. A quote inside an unquoted value is an ordinary character. Existing readers
//! do not distinguish an empty field from a quoted empty one, and do not limit the length of a record.

mod form;
mod reader;

pub use form::{Malformed, RecordForm};
pub use reader::RecordReader;

#[cfg(test)]
mod tests;
