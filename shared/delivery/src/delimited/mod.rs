//! Records of delimited text, found byte by byte in whatever pieces the bytes arrive (RFC 4180, with the usual
//! leniency).
//!
//! A value in double quotes may hold separators, line breaks and doubled quotes. Records end with LF, CR or both, and
//! empty lines are skipped. A quote inside an unquoted value is a character like any other. Written here because the
//! readers at hand do not tell an empty field from a quoted empty one, and do not bound the length of a record.

mod form;
mod reader;

pub use form::{Malformed, RecordForm};
pub use reader::RecordReader;

#[cfg(test)]
mod tests;
