//! The text of a segment's query: one SELECT within bounds, and the sources that it reads.
//!
//! Everything here can be said without the query engine and without the lake. Whether the columns are there is the
//! engine's to say, which parses with [`parse`] too, so that both refuse the same texts in the same words.

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

/// The sources that a query's text names, or why the text is no query.
pub fn sources_of(text: &str) -> Result<BTreeSet<String>, TextError> {
    // What is parsed is let go of there too: that goes as deep as parsing.
    stack::on_large_stack(|| Ok(sources(&parse(text)?)))
}

/// Refuses the first of the names that is no source.
pub fn require_sources(names: &BTreeSet<String>, declared: &BTreeSet<String>) -> Result<(), TextError> {
    match names.difference(declared).next() {
        None => Ok(()),
        Some(name) => {
            let sources = declared.iter().cloned().collect();
            Err(TextError::UnknownSource { name: one_line(name, 120), sources })
        }
    }
}
