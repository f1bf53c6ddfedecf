//! Cancellations of runs.

use crate::{ConnectionId, Reason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const NOT_SENT: Reason = Reason::new(
    "run_canceled",
    "the run was canceled before the destination acknowledged the row; the next run sends the row again",
);

/// The cancellation of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancellation {
    /// The caller, as the API identifies them.
    pub by: String,
    /// The time.
    pub at: Timestamp,
    /// The reason.
    pub reason: CancelReason,
}

/// Why a run was canceled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// A user requested it.
    Asked,
    /// Its connection was removed.
    ConnectionRemoved(ConnectionId),
}

impl Cancellation {
    /// Returns why a row was not sent.
    #[must_use]
    pub const fn not_sent() -> Reason {
        NOT_SENT
    }

    /// Formats the notice in the run's report.
    #[must_use]
    pub fn notice(&self) -> String {
        let Self { by, at, reason } = self;
        match reason {
            CancelReason::Asked => format!("canceled by {by} at {at}"),
            CancelReason::ConnectionRemoved(connection) => {
                format!("canceled at {at}, because {by} removed connection \"{connection}\"")
            }
        }
    }
}

/// Formats the report's notice about jobs that a destination had accepted when the run was canceled.
#[must_use]
pub fn accepted_notice(jobs: u64, rows: u64) -> Option<String> {
    (jobs > 0).then(|| {
        format!(
            "{jobs} jobs with {rows} rows had been accepted by the destination and not answered when the run was \
             canceled; it may still carry them out, and the next run brings their rows again"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reason: CancelReason, expected: &str) {
        let cancellation = Cancellation { by: "jane".to_owned(), at: Timestamp::UNIX_EPOCH, reason };
        assert_eq!(cancellation.notice(), expected);
        let json = serde_json::to_string(&cancellation).unwrap();
        assert_eq!(serde_json::from_str::<Cancellation>(&json).unwrap(), cancellation);
    }

    #[test]
    fn a_notice_says_who_and_why() {
        check(CancelReason::Asked, "canceled by jane at 1970-01-01T00:00:00Z");
        let connection = ConnectionId::try_from("marketo".to_owned()).unwrap();
        check(
            CancelReason::ConnectionRemoved(connection),
            "canceled at 1970-01-01T00:00:00Z, because jane removed connection \"marketo\"",
        );
        assert_eq!(accepted_notice(0, 0), None);
        assert!(accepted_notice(2, 600).unwrap().starts_with("2 jobs with 600 rows had been accepted"));
    }
}
