//! Why a command ended early, in words for the person at the terminal.

use serde_json::{Value, json};

use crate::api::ApiError;
use crate::files::FileError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The arguments, the environment or what was typed in cannot be.
    #[error("{0}")]
    Input(String),
    /// A file is not as it must be.
    #[error(transparent)]
    Files(#[from] FileError),
    /// The API did not do it.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The folder as a whole cannot be made so.
    #[error("nothing was sent, because this cannot be:\n  {}", faults.join("\n  "))]
    Faults {
        /// One line each.
        faults: Vec<String>,
    },
    /// Applying stopped.
    #[error(
        "stopped at {at}, after {done} of {all} steps: {cause}\nWhat was done stays done; apply again to go on."
    )]
    Stopped {
        /// The step that failed: `export newsletter`.
        at: String,
        /// Steps that were taken.
        done: usize,
        /// Steps in all.
        all: usize,
        /// Why.
        cause: Box<ApiError>,
    },
    /// Nothing can be printed.
    #[error("cannot print: {0}")]
    Output(#[from] std::io::Error),
}

impl Error {
    /// For programs.
    pub(crate) fn figures(&self) -> Value {
        match self {
            Self::Api(error) => error.figures(),
            Self::Faults { faults } => json!({ "message": "nothing was sent", "faults": faults }),
            Self::Stopped { at, done, all, cause } => {
                json!({ "message": self.to_string(), "at": at, "done": done, "of": all, "cause": cause.figures() })
            }
            _ => json!({ "message": self.to_string() }),
        }
    }
}
