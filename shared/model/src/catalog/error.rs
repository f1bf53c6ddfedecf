//! Errors in documents of the catalog.

use crate::run::StopCode;

/// An error that names the document, the field and the fix. It contains parts of definitions only, never
/// profiles or credentials.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CatalogError {
    /// The text is not a document of this kind.
    #[error("this {kind} cannot be read: {problem}")]
    Malformed {
        /// The kind of document.
        kind: &'static str,
        /// The parser's message, with line and column.
        problem: String,
    },
    /// A field's value is invalid.
    #[error("{kind} \"{id}\": {field}: {problem}")]
    Field {
        /// The kind of document.
        kind: &'static str,
        /// Its identifier.
        id: String,
        /// The field's path.
        field: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// A document that another one references is not in the catalog.
    #[error("{kind} \"{id}\" is not in the catalog")]
    Missing {
        /// The kind of document.
        kind: &'static str,
        /// The identifier.
        id: String,
    },
}

impl CatalogError {
    /// Returns the stable code of this error in runs, reports and the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.stop_code().as_str()
    }

    /// Returns the typed code for this error.
    #[must_use]
    pub const fn stop_code(&self) -> StopCode {
        match self {
            Self::Malformed { .. } => StopCode::CatalogMalformed,
            Self::Field { .. } => StopCode::CatalogFieldInvalid,
            Self::Missing { .. } => StopCode::CatalogMissing,
        }
    }
}

/// Converts a field's path (`segments[0].target_list`) to a JSON pointer (RFC 6901).
#[must_use]
pub fn json_pointer(path: &str) -> String {
    let path = path.replace('[', ".").replace(']', "");
    format!("/{}", path.replace('.', "/"))
}
