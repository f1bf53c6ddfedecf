//! Errors of the local cloud, worded for the terminal.

use std::path::PathBuf;

/// An error that ends a command of the local cloud.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read, written or locked.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A program could not be started; it is most likely not installed.
    #[error("cannot start {program} ({source}); is it installed?")]
    Start {
        /// The program's name.
        program: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A program ended with an error.
    #[error("{program} ended with {status}:\n{output}")]
    Failed {
        /// The program's name.
        program: String,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// The end of its output.
        output: String,
    },
    /// The emulator or one of its services gave an unexpected response.
    #[error("unexpected response of the local cloud: {0}")]
    Answer(String),
    /// The emulator did not start.
    #[error("the local cloud did not start: {0}")]
    NotStarted(String),
    /// A definition of the catalog is invalid.
    #[error(transparent)]
    Definitions(#[from] relay_cli::files::FileError),
    /// A Parquet or CSV file could not be written.
    #[error("cannot write the data: {0}")]
    Data(String),
    /// A `segment-relay` command failed.
    #[error("segment-relay {command}: {said}")]
    Tool {
        /// The command, without its arguments.
        command: String,
        /// Its output.
        said: String,
    },
    /// A required item is missing.
    #[error("{0}")]
    Missing(String),
    /// The local cloud could not be reached.
    #[error("no connection to the local cloud: {0}")]
    Http(#[from] reqwest::Error),
    /// JSON could not be parsed.
    #[error("unreadable JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A zip file could not be written.
    #[error("cannot write the zip file: {0}")]
    Zip(#[from] zip::result::ZipError),
}

impl Error {
    /// Creates the `map_err` function for an I/O error about this file.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// Creates the `map_err` function for a program that could not be started.
    pub fn start(program: &str) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let program = program.to_owned();
        move |source| Self::Start { program, source }
    }
}

/// Returns the last lines of a program's output, for an error message.
#[must_use]
pub(crate) fn tail(output: &[u8], lines: usize) -> String {
    let text = String::from_utf8_lossy(output);
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}
