//! Errors that end a command, worded for the terminal.

use serde_json::{Value, json};

use crate::api::ApiError;
use crate::files::FileError;

/// An error that ends a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The arguments, the environment or the input are invalid.
    #[error("{0}")]
    Input(String),
    /// A file is invalid.
    #[error(transparent)]
    Files(#[from] FileError),
    /// The request to the API failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The folder has errors that prevent a plan.
    #[error("nothing was sent, because the definitions are invalid:\n  {}", faults.join("\n  "))]
    Faults {
        /// One line per error.
        faults: Vec<String>,
    },
    /// `apply` stopped.
    #[error(
        "stopped at {at}, after {done} of {all} steps: {cause}\nCompleted steps are kept; apply again to continue."
    )]
    Stopped {
        /// The step that failed: `export newsletter`.
        at: String,
        /// The number of completed steps.
        done: usize,
        /// The number of all steps.
        all: usize,
        /// The cause.
        cause: Box<ApiError>,
    },
    /// The output cannot be written.
    #[error("cannot print: {0}")]
    Output(#[from] std::io::Error),
}

impl Error {
    /// Formats the error as JSON.
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
