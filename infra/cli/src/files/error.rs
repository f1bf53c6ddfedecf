//! Why a folder of definitions is refused.

use std::path::PathBuf;

/// Names the file, the field and the mend.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A file or folder could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A definition is wrong.
    #[error("{path}: {problem}")]
    Definition {
        /// The definition's file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Two files define the same thing.
    #[error("{second}: id: {kind} \"{id}\" is already defined in {first}")]
    Duplicate {
        /// The kind of document.
        kind: &'static str,
        /// The identifier that is there twice.
        id: String,
        /// The file that was read first.
        first: PathBuf,
        /// The file that was read after it.
        second: PathBuf,
    },
    /// A file has something else in it than what belongs there.
    #[error(
        "{path}: {kind} \"{id}\" belongs there, and the file has {kind} \"{other}\" in it; rename the file, nothing was written"
    )]
    Occupied {
        /// The file.
        path: PathBuf,
        /// The kind of document.
        kind: &'static str,
        /// The identifier that the file is named after.
        id: String,
        /// The identifier in it.
        other: String,
    },
    /// Something lies where nothing of its kind belongs.
    #[error("{path}: {problem}")]
    Misplaced {
        /// What lies there.
        path: PathBuf,
        /// Why it does not belong there, and what does.
        problem: &'static str,
    },
    /// The folder has nothing of a catalog in it.
    #[error("{0} has none of settings/, sources/, segments/, connections/, policies/, exports/")]
    NoCatalog(PathBuf),
    /// A value for `${name}` was not given as it must be.
    #[error("--value {0} must look like NAME=VALUE")]
    Value(String),
}

impl FileError {
    /// For `map_err`: the file that an I/O error is about.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
