//! The text of a segment's query: one SELECT within limits, and the sources that it reads.
//!
//! This module needs neither the query engine nor the lake. The engine checks columns and parses with
//! [`parse`] too, so that both report the same errors.

mod error;
mod sources;
mod stack;
mod text;
mod words;

pub use error::TextError;
pub use sources::sources;
pub use stack::with_large_stack;
pub use text::{MAX_QUERY_BYTES, parse};
pub use words::{listed, one_line, suggestion};

use std::collections::BTreeSet;

/// Returns the sources that a query names, or why the text is not a query.
pub fn sources_of(text: &str) -> Result<BTreeSet<String>, TextError> {
    // The parsed query is also dropped there, because dropping recurses as deeply as parsing.
    stack::on_large_stack(|| Ok(sources(&parse(text)?)))
}

/// Returns an error for the first name that is not a source.
pub fn require_sources(names: &BTreeSet<String>, declared: &BTreeSet<String>) -> Result<(), TextError> {
    match names.difference(declared).next() {
        None => Ok(()),
        Some(name) => {
            let sources = declared.iter().cloned().collect();
            Err(TextError::UnknownSource { name: one_line(name, 120), sources })
        }
    }
}
