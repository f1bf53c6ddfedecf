//! What can go wrong around the local cloud, in words for the person at the terminal.

use std::path::PathBuf;

/// Why a command of the local cloud ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read, written or locked.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A program could not be started; it is most likely not installed.
    #[error("cannot start {program} ({source}); is it installed?")]
    Start {
        /// The program's name.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A program ended with an error.
    #[error("{program} ended with {status}:\n{output}")]
    Failed {
        /// The program's name.
        program: String,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// The end of what it said.
        output: String,
    },
    /// The emulator or one of its services gave an answer that makes no sense here.
    #[error("the local cloud answered strangely: {0}")]
    Answer(String),
    /// The emulator did not come up.
    #[error("the local cloud did not start: {0}")]
    NotStarted(String),
    /// A definition of the catalog is wrong.
    #[error(transparent)]
    Definitions(#[from] relay_cli::files::FileError),
    /// A Parquet or CSV file that could not be written.
    #[error("cannot write the data: {0}")]
    Data(String),
    /// `segment-relay` did not do what it was told.
    #[error("segment-relay {command}: {said}")]
    Tool {
        /// What it was told, without what belongs to it.
        command: String,
        /// What it said of it.
        said: String,
    },
    /// Something that must be there is missing.
    #[error("{0}")]
    Missing(String),
    /// The local cloud could not be spoken to.
    #[error("no connection to the local cloud: {0}")]
    Http(#[from] reqwest::Error),
    /// JSON that could not be read.
    #[error("unreadable JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A zip file that could not be written.
    #[error("cannot write the zip file: {0}")]
    Zip(#[from] zip::result::ZipError),
}

impl Error {
    /// For `map_err`: the file that an I/O error is about.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// For `map_err`: the program that could not be started.
    pub fn start(program: &str) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let program = program.to_owned();
        move |source| Self::Start { program, source }
    }
}

/// The last lines of what a program said, for an error that a person reads.
#[must_use]
pub(crate) fn tail(output: &[u8], lines: usize) -> String {
    let text = String::from_utf8_lossy(output);
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}
