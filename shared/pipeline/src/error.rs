//! Whether a step stops its run or is tried again.

use jiff::Timestamp;
use relay_cloud::ledger::LedgerError;
use relay_cloud::{CloudError, LookupError};
use relay_connectors::{PushError, Retry};
use relay_delivery::batch::FrameError;
use relay_delivery::snapshot::SnapshotError;
use relay_model::catalog::CatalogError;

/// Why a step did not get to its end.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum StageError {
    /// Nothing but a person's action can help: the run ends with this failure.
    #[error("{text}")]
    Stop {
        /// A stable word.
        code: String,
        /// What is wrong, and what would mend it.
        text: String,
    },
    /// It may go better later.
    #[error("{text}")]
    Again {
        /// A stable word.
        code: String,
        /// What happened.
        text: String,
    },
    /// Nothing can be done before then, and nobody has to do anything: the step goes on by itself.
    #[error("{text}")]
    Pause {
        /// Until then.
        until: Timestamp,
        /// A stable word.
        code: String,
        /// Why.
        text: String,
    },
}

impl StageError {
    /// Nothing but a person's action can help.
    pub fn stop(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Stop { code: code.into(), text: text.into() }
    }

    /// It may go better later.
    pub fn again(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Again { code: code.into(), text: text.into() }
    }

    /// The stable word.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Stop { code, .. } | Self::Again { code, .. } | Self::Pause { code, .. } => code,
        }
    }
}

impl From<CloudError> for StageError {
    fn from(error: CloudError) -> Self {
        match error.code.as_str() {
            "NoSuchKey" => Self::stop("object_missing", error.to_string()),
            _ => Self::again("cloud_unavailable", error.to_string()),
        }
    }
}

impl From<LedgerError> for StageError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Damaged { .. } => Self::stop("ledger_damaged", error.to_string()),
            other => Self::again("ledger_unavailable", other.to_string()),
        }
    }
}

impl From<CatalogError> for StageError {
    fn from(error: CatalogError) -> Self {
        Self::stop(error.code(), error.to_string())
    }
}

impl From<LookupError> for StageError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Catalog(error) => error.into(),
            LookupError::Cloud(error) => error.into(),
        }
    }
}

impl From<SnapshotError> for StageError {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Unreadable(_) => Self::again("snapshot_unreadable", error.to_string()),
            SnapshotError::Damaged(_) | SnapshotError::OutOfOrder => {
                Self::stop("snapshot_damaged", error.to_string())
            }
        }
    }
}

impl From<FrameError> for StageError {
    fn from(error: FrameError) -> Self {
        Self::stop("batch_damaged", error.to_string())
    }
}

impl From<std::io::Error> for StageError {
    fn from(error: std::io::Error) -> Self {
        Self::again("disk", error.to_string())
    }
}

impl From<PushError> for StageError {
    fn from(error: PushError) -> Self {
        match error.retry {
            Retry::Never => Self::stop(error.kind.code(), error.to_string()),
            Retry::Backoff | Retry::After(_) | Retry::Wait(_) => {
                Self::again(error.kind.code(), error.to_string())
            }
            Retry::Pause(until) => {
                Self::Pause { until, code: error.kind.code().to_owned(), text: error.to_string() }
            }
        }
    }
}
