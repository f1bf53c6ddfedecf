//! Errors in a folder of definitions.

use std::path::PathBuf;

/// An error that names the file, the field and the fix.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A file or folder could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A definition is invalid.
    #[error("{path}: {problem}")]
    Definition {
        /// The definition's file.
        path: PathBuf,
        /// What is wrong and how to fix it.
        problem: String,
    },
    /// Two files define the same document.
    #[error("{second}: id: {kind} \"{id}\" is already defined in {first}")]
    Duplicate {
        /// The kind of document.
        kind: &'static str,
        /// The duplicate identifier.
        id: String,
        /// The file that was read first.
        first: PathBuf,
        /// The file that was read second.
        second: PathBuf,
    },
    /// A file contains another document than the one to write.
    #[error(
        "{path}: {kind} \"{id}\" was expected, but the file contains {kind} \"{other}\"; rename the file. Nothing was written"
    )]
    Occupied {
        /// The file.
        path: PathBuf,
        /// The kind of document.
        kind: &'static str,
        /// The identifier to write.
        id: String,
        /// The identifier in the file.
        other: String,
    },
    /// A file or folder is in the wrong place.
    #[error("{path}: {problem}")]
    Misplaced {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong and what belongs there.
        problem: &'static str,
    },
    /// The folder has none of the catalog's folders.
    #[error("{0} contains none of settings/, sources/, segments/, connections/, policies/, exports/")]
    NoCatalog(PathBuf),
    /// A value for `${name}` is malformed.
    #[error("--value {0} must look like NAME=VALUE")]
    Value(String),
}

impl FileError {
    /// Creates the `map_err` function for an I/O error about this file.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
