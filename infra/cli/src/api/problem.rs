//! Errors of the API, worded for the terminal.

use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

/// Problem details (RFC 9457). Missing fields stay empty, because a proxy in front of the API may answer
/// too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    /// The stable error code.
    pub(crate) code: String,
    /// The short title of the problem type.
    pub(crate) title: String,
    /// What is wrong in this case and how to fix it.
    pub(crate) detail: String,
    /// The errors of single fields.
    pub(crate) errors: Vec<FieldProblem>,
}

/// The error of one field of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct FieldProblem {
    /// A JSON Pointer: `/segments/0/segment`.
    pub(crate) field: String,
    /// What is wrong and what would be right.
    pub(crate) problem: String,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The API refused the request.
    #[error("{}", refusal(doing, *status, problem))]
    Refused {
        /// What the request was for.
        doing: String,
        /// The HTTP status.
        status: u16,
        /// The problem details of the response.
        problem: Box<Problem>,
    },
    /// The token has expired and cannot be renewed.
    #[error("cannot {doing}: the access token has expired (401) and cannot be renewed: {why}")]
    NoToken {
        /// What the request was for.
        doing: String,
        /// Why there is no new token.
        why: String,
    },
    /// The request timed out. Whether it was carried out is unknown.
    #[error(
        "cannot {doing}: {host} did not answer in time; the change may have been made, so check before you retry"
    )]
    NoAnswer {
        /// What the request was for.
        doing: String,
        /// The host that did not answer.
        host: String,
    },
    /// The connection could not be established.
    #[error("cannot {doing}: no connection to {host} ({why})")]
    NoConnection {
        /// What the request was for.
        doing: String,
        /// The host.
        host: String,
        /// The error of the operating system.
        why: String,
    },
    /// The response violates the API's contract.
    #[error(
        "cannot {doing}: unexpected response ({what}); check that the address is that of Segment Relay's API and that the versions match"
    )]
    Unexpected {
        /// What the request was for.
        doing: String,
        /// What is unexpected in the response.
        what: String,
    },
}

impl ApiError {
    /// Returns the HTTP status of a refusal.
    pub(crate) const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Formats the error as JSON.
    pub(crate) fn figures(&self) -> Value {
        match self {
            Self::Refused { status, problem, .. } => {
                let field = |error: &FieldProblem| json!({ "field": error.field, "problem": error.problem });
                let errors: Vec<Value> = problem.errors.iter().map(field).collect();
                json!({
                    "message": self.to_string(), "status": status, "code": problem.code,
                    "detail": problem.detail, "errors": errors,
                })
            }
            _ => json!({ "message": self.to_string() }),
        }
    }
}

fn refusal(doing: &str, status: u16, problem: &Problem) -> String {
    let said = [&problem.detail, &problem.title].into_iter().find(|text| !text.is_empty());
    let said = said.map_or_else(|| format!("HTTP {status}"), Clone::clone);
    // The detail often repeats the only field error; it is then printed once.
    let (detail, errors) = match problem.errors.as_slice() {
        [error] if problem.detail.contains(&error.problem) => (Fault(error).to_string(), &[][..]),
        errors => (said, errors),
    };
    let mut text = match status {
        401 => format!(
            "cannot {doing}: the access token is missing, invalid or expired (401). Get a new one and put \
             it into SEGMENT_RELAY_TOKEN, or a command that prints one into SEGMENT_RELAY_TOKEN_COMMAND"
        ),
        403 => format!(
            "cannot {doing}: your role does not allow it (403): {detail}. To see what it allows: segment-relay whoami"
        ),
        404 => format!("cannot {doing}: not found (404): {detail}"),
        409 => format!("cannot {doing}: conflict (409): {detail}"),
        412 => format!(
            "cannot {doing}: it was changed in the meantime (412), and nothing was overwritten. Read the current \
             version and try again"
        ),
        428 => format!(
            "cannot {doing}: the API requires the version to change (428): {detail}. This tool did not send it; \
             it may be older than the API"
        ),
        429 => format!("cannot {doing}: too many requests, even after waiting (429). Try again in a minute"),
        503 => format!("cannot {doing}: the API is temporarily unavailable (503): {detail}"),
        _ => format!("cannot {doing} ({status}): {detail}"),
    };
    for error in errors {
        text = format!("{text}\n  {}", Fault(error));
    }
    text
}

/// Formats a field error with the field in dotted notation (`segments[0].segment`).
struct Fault<'a>(&'a FieldProblem);

impl fmt::Display for Fault<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FieldProblem { field, problem } = self.0;
        let mut path = String::new();
        for part in field.split('/').skip(usize::from(field.starts_with('/'))) {
            let part = part.replace("~1", "/").replace("~0", "~");
            if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) && !path.is_empty() {
                path = format!("{path}[{part}]");
            } else if path.is_empty() {
                path = part;
            } else {
                path = format!("{path}.{part}");
            }
        }
        if path.is_empty() {
            return formatter.write_str(problem);
        }
        write!(formatter, "{path}: {problem}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, expected: &str) {
        let problem = Problem { detail: "the reason".to_owned(), ..Problem::default() };
        let message = refusal("change export \"a\"", status, &problem);
        assert!(message.starts_with("cannot change export \"a\""), "{message}");
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn each_refusal_has_its_own_words() {
        check(400, "(400): the reason");
        check(401, "the access token is missing, invalid or expired");
        check(
            403,
            "your role does not allow it (403): the reason. To see what it allows: segment-relay whoami",
        );
        check(404, "not found (404): the reason");
        check(409, "conflict (409): the reason");
        check(412, "it was changed in the meantime (412), and nothing was overwritten");
        check(428, "the API requires the version to change (428)");
        check(429, "too many requests, even after waiting (429)");
        check(503, "temporarily unavailable (503): the reason");
    }

    #[test]
    fn fields_stand_as_people_write_them() {
        let check = |field: &str, expected: &str| {
            let problem = FieldProblem { field: field.to_owned(), problem: "is not there".to_owned() };
            assert_eq!(Fault(&problem).to_string(), expected);
        };
        check("/segments/0/segment", "segments[0].segment: is not there");
        check("/options/a~1b/2026", "options.a/b[2026]: is not there");
        check("guard", "guard: is not there");
        check("", "is not there");
    }
}
