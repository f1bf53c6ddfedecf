//! The error of a step: whether it stops the run, is retried, or waits.

use jiff::Timestamp;
use relay_cloud::ledger::LedgerError;
use relay_cloud::{CloudError, LookupError};
use relay_connectors::{PushError, Retry};
use relay_delivery::batch::FrameError;
use relay_delivery::snapshot::SnapshotError;
use relay_model::catalog::CatalogError;
use relay_model::run::StopCode;

/// Says why a step did not finish.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum StageError {
    /// A permanent error: the run ends with this failure, and a person has to act.
    #[error("{text}")]
    Stop {
        /// The stable code.
        code: StopCode,
        /// What is wrong, and how to correct it.
        text: String,
    },
    /// A transient error: the step is retried.
    #[error("{text}")]
    Again {
        /// The stable code.
        code: StopCode,
        /// What happened.
        text: String,
    },
    /// A wait for a known time: the step continues then without a person's action.
    #[error("{text}")]
    Pause {
        /// When the step continues.
        until: Timestamp,
        /// The stable code.
        code: StopCode,
        /// Why the step waits.
        text: String,
    },
}

impl StageError {
    /// Creates a permanent error.
    pub fn stop(code: StopCode, text: impl Into<String>) -> Self {
        Self::Stop { code, text: text.into() }
    }

    /// Creates a transient error.
    pub fn again(code: StopCode, text: impl Into<String>) -> Self {
        Self::Again { code, text: text.into() }
    }

    /// Returns the stable code.
    #[must_use]
    pub const fn code(&self) -> StopCode {
        match self {
            Self::Stop { code, .. } | Self::Again { code, .. } | Self::Pause { code, .. } => *code,
        }
    }
}

impl From<CloudError> for StageError {
    fn from(error: CloudError) -> Self {
        match error.code.as_str() {
            "NoSuchKey" => Self::stop(StopCode::ObjectMissing, error.to_string()),
            _ => Self::again(StopCode::CloudUnavailable, error.to_string()),
        }
    }
}

impl From<LedgerError> for StageError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Damaged { .. } => Self::stop(StopCode::LedgerDamaged, error.to_string()),
            other => Self::again(StopCode::LedgerUnavailable, other.to_string()),
        }
    }
}

impl From<CatalogError> for StageError {
    fn from(error: CatalogError) -> Self {
        Self::stop(error.stop_code(), error.to_string())
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
            SnapshotError::Unreadable(_) => Self::again(StopCode::SnapshotUnreadable, error.to_string()),
            SnapshotError::Damaged(_) | SnapshotError::OutOfOrder => {
                Self::stop(StopCode::SnapshotDamaged, error.to_string())
            }
        }
    }
}

impl From<FrameError> for StageError {
    fn from(error: FrameError) -> Self {
        Self::stop(StopCode::BatchDamaged, error.to_string())
    }
}

impl From<std::io::Error> for StageError {
    fn from(error: std::io::Error) -> Self {
        Self::again(StopCode::Disk, error.to_string())
    }
}

impl From<PushError> for StageError {
    fn from(error: PushError) -> Self {
        match error.retry {
            Retry::Never => Self::stop(error.kind.stop_code(), error.to_string()),
            Retry::Backoff | Retry::After(_) | Retry::Wait(_) => {
                Self::again(error.kind.stop_code(), error.to_string())
            }
            Retry::Pause(until) => {
                Self::Pause { until, code: error.kind.stop_code(), text: error.to_string() }
            }
        }
    }
}
