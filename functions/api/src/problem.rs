//! Errors as problem details (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use relay::catalog::CatalogError;
use relay::ledger::LedgerError;
use relay::model::IdError;
use relay::stages::{StageError, StartError};
use serde::Serialize;
use serde_json::{Value, json};

/// One problem, as the caller sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: String,
    detail: String,
    errors: Vec<FieldProblem>,
}

/// What is wrong with one field of a request's document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The field as a JSON pointer (RFC 6901), such as `/segments/0/segment`; empty for the document as a whole.
    pub field: String,
    /// What is wrong with it, as a sentence without the value.
    pub problem: String,
}

impl Problem {
    /// A problem with a status, a code for programs and a sentence for people.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), detail: detail.into(), errors: Vec::new() }
    }

    /// The same with the fields that it is about.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldProblem>) -> Self {
        self.errors = errors;
        self
    }

    /// The HTTP status that it is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its code, for programs.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn body(&self) -> Value {
        let mut body = json!({
            "type": format!("urn:segment-relay:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some(fields) = body.as_object_mut()
            && !self.errors.is_empty()
        {
            fields.insert("errors".to_owned(), json!(self.errors));
        }
        body
    }
}

impl From<IdError> for Problem {
    fn from(error: IdError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "id_malformed", error.to_string())
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        let (status, code) = match &error {
            StartError::Catalog(error @ CatalogError::Missing { .. }) => {
                (StatusCode::NOT_FOUND, error.code())
            }
            StartError::Catalog(error) => (StatusCode::CONFLICT, error.code()),
            StartError::Disabled(_) => (StatusCode::CONFLICT, "export_disabled"),
            StartError::NoConsent(_) => (StatusCode::CONFLICT, "consent_missing"),
            StartError::NotHeld { .. } => (StatusCode::CONFLICT, "run_not_held"),
            StartError::Cloud(_) => (StatusCode::SERVICE_UNAVAILABLE, "try_again"),
        };
        // What went wrong inside is for the log; the caller can only try again.
        let detail = match &error {
            StartError::Cloud(_) => "the request could not be carried out now, try again".to_owned(),
            other => other.to_string(),
        };
        if status.is_server_error() {
            tracing::error!(%error, "request failed");
        }
        Self::new(status, code, detail)
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::RunMissing(_) => Self::new(StatusCode::NOT_FOUND, "run_missing", error.to_string()),
            other => StartError::Cloud(StageError::from(other)).into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body().to_string()).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
