//! What happened at a destination, apart from whether to try again.

use jiff::Timestamp;
use relay_model::Destination;
use relay_model::run::StopCode;
use std::fmt;
use std::time::Duration;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The export's or the connection's settings cannot be right.
    Settings,
    /// The credentials are not accepted, or cannot be had.
    Authentication,
    /// The credentials lack a right.
    Permission,
    /// The target list is not there or belongs to somebody else.
    ListMissing,
    /// Too many calls in too short a time.
    RateLimited,
    /// The day's calls are spent.
    QuotaSpent,
    /// The destination is busy with something that must end first.
    Busy,
    /// The request is larger than the destination takes.
    TooLarge,
    /// The destination does not take the request, and no row of it is to blame.
    InvalidRequest,
    /// No answer in time.
    Timeout,
    /// The destination cannot answer now.
    Unavailable,
    /// An answer that its documents do not know.
    Protocol,
}

impl ErrorKind {
    /// The stable word for runs, reports and logs.
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

/// Whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Trying again cannot help; somebody has to act.
    Never,
    /// Try again, later each time.
    Backoff,
    /// Try again after this long, for the destination says so.
    After(Duration),
    /// Try again after this long, as often as it takes: nothing went wrong, it is only not our turn yet.
    Wait(Duration),
    /// Nothing more can be done over this connection before then.
    Pause(Timestamp),
}

/// Why a call to a destination did not do what it should. Its text names no person and no credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushError {
    /// What happened.
    pub kind: ErrorKind,
    /// Whether to try again.
    pub retry: Retry,
    /// Where.
    pub destination: Destination,
    /// Doing what, in words: "import subscribers".
    pub operation: &'static str,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The destination's own code, where it gave one.
    pub code: Option<i64>,
    /// What it means and, where somebody can act, the mend.
    pub message: String,
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
