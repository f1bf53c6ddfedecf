//! Errors of destinations: what happened, and whether to retry.

use jiff::Timestamp;
use relay_model::run::StopCode;
use relay_model::{CredentialError, Destination};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt;
use std::time::Duration;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The export's or the connection's settings are invalid.
    Settings,
    /// The credentials are not accepted, or cannot be read.
    Authentication,
    /// The credentials lack a right.
    Permission,
    /// The target list does not exist or belongs to another account.
    ListMissing,
    /// Too many calls in too short a time.
    RateLimited,
    /// The daily quota is spent.
    QuotaSpent,
    /// The destination is busy with work that has to finish first.
    Busy,
    /// The request is larger than the destination accepts.
    TooLarge,
    /// The destination refuses the request, and no row of it is the cause.
    InvalidRequest,
    /// No response in time.
    Timeout,
    /// The destination is unavailable.
    Unavailable,
    /// A response that is not documented.
    Protocol,
}

impl ErrorKind {
    /// Returns the stable code for runs, reports and logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.stop_code().as_str()
    }

    /// Returns the typed code for this error.
    #[must_use]
    pub const fn stop_code(self) -> StopCode {
        match self {
            Self::Settings => StopCode::SettingsInvalid,
            Self::Authentication => StopCode::AuthenticationFailed,
            Self::Permission => StopCode::PermissionMissing,
            Self::ListMissing => StopCode::ListMissing,
            Self::RateLimited => StopCode::RateLimited,
            Self::QuotaSpent => StopCode::QuotaSpent,
            Self::Busy => StopCode::DestinationBusy,
            Self::TooLarge => StopCode::RequestTooLarge,
            Self::InvalidRequest => StopCode::RequestInvalid,
            Self::Timeout => StopCode::Timeout,
            Self::Unavailable => StopCode::DestinationUnavailable,
            Self::Protocol => StopCode::AnswerUnknown,
        }
    }
}

/// Whether to retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Never: a person has to act.
    Never,
    /// Retry, with a longer wait each time.
    Backoff,
    /// Retry after this long, as the destination asks.
    After(Duration),
    /// Retry after this long, as often as needed: nothing failed, but a slot is not free yet.
    Wait(Duration),
    /// Make no call over this connection before this time.
    Pause(Timestamp),
}

/// Why a call to a destination failed. Its text names no person and no credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushError {
    /// What happened.
    pub kind: ErrorKind,
    /// Whether to retry.
    pub retry: Retry,
    /// The destination.
    pub destination: Destination,
    /// The operation: "import subscribers".
    pub operation: &'static str,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// The destination's own code, if it gave one.
    pub code: Option<i64>,
    /// What happened and, if a person can act, what to do.
    pub message: String,
}

/// Why settings or options are invalid. Names the field; it is about configuration, never about people.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct OptionsError(pub(super) String);

impl OptionsError {
    /// Parses settings or options. `what` names them in the error: "settings".
    pub(super) fn parse<T: DeserializeOwned>(what: &str, values: &Map<String, Value>) -> Result<T, Self> {
        serde_json::from_value(Value::Object(values.clone()))
            .map_err(|error| Self(format!("{what}: {error}")))
    }

    /// Returns the error of an operation that needs the settings or options.
    pub(super) fn push_error(&self, destination: Destination, operation: &'static str) -> PushError {
        PushError::permanent(destination, operation, ErrorKind::Settings, self.to_string())
    }
}

impl PushError {
    /// Returns a permanent error that is not a response of the destination.
    pub(super) fn permanent(
        destination: Destination,
        operation: &'static str,
        kind: ErrorKind,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            retry: Retry::Never,
            destination,
            operation,
            status: None,
            code: None,
            message: message.into(),
        }
    }
}

impl PushError {
    /// Returns the error of a call whose credentials cannot be read or stored.
    pub(super) fn credentials(destination: Destination, error: &CredentialError) -> Self {
        const OPERATION: &str = "read the connection's secret";
        match error {
            CredentialError::Unavailable { .. } => {
                let permanent =
                    Self::permanent(destination, OPERATION, ErrorKind::Unavailable, error.to_string());
                Self { retry: Retry::Backoff, ..permanent }
            }
            CredentialError::Missing { .. }
            | CredentialError::Forbidden { .. }
            | CredentialError::Malformed { .. } => {
                Self::permanent(destination, OPERATION, ErrorKind::Authentication, error.to_string())
            }
        }
    }
}

impl fmt::Display for PushError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} could not {}: {}", self.destination, self.operation, self.message)?;
        match (self.status, self.code) {
            (Some(status), Some(code)) => write!(formatter, " (HTTP {status}, code {code})"),
            (Some(status), None) => write!(formatter, " (HTTP {status})"),
            (None, Some(code)) => write!(formatter, " (code {code})"),
            (None, None) => Ok(()),
        }
    }
}

impl std::error::Error for PushError {}
