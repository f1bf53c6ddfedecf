//! Why a document of the catalog is refused.

use crate::run::StopCode;

/// Names the document, the field and the mend. Holds definitions only, never profiles or credentials.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CatalogError {
    /// The text does not have the form of such a document.
    #[error("this {kind} cannot be read: {problem}")]
    Malformed {
        /// Which kind of document it is.
        kind: &'static str,
        /// What the parser says, with line and column.
        problem: String,
    },
    /// A field's value cannot be.
    #[error("{kind} \"{id}\": {field}: {problem}")]
    Field {
        /// Which kind of document it is.
        kind: &'static str,
        /// Its identifier.
        id: String,
        /// The field's path.
        field: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// Something that the document names is not in the catalog.
    #[error("{kind} \"{id}\" is not in the catalog")]
    Missing {
        /// Which kind of document was looked for.
        kind: &'static str,
        /// The identifier that was looked for.
        id: String,
    },
}

impl CatalogError {
    /// The stable word for this error in runs, reports and the API.
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

/// A field's path in the catalog's words (`segments[0].target_list`) as a JSON pointer (RFC 6901).
#[must_use]
pub fn json_pointer(path: &str) -> String {
    let path = path.replace('[', ".").replace(']', "");
    format!("/{}", path.replace('.', "/"))
}
