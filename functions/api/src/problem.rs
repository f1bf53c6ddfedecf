//! Errors as problem details (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use relay::catalog::CatalogError;
use relay::ledger::LedgerError;
use relay::model::IdError;
use relay::stages::{StageError, StartError};
use serde_json::json;

/// One problem, as the caller sees it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    code: String,
    detail: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), detail: detail.into() }
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
            StartError::RunMissing(_) => (StatusCode::NOT_FOUND, "run_missing"),
            StartError::NothingToCancel { .. } => (StatusCode::CONFLICT, "nothing_to_cancel"),
            StartError::NotOver { .. } => (StatusCode::CONFLICT, "run_not_over"),
            StartError::NothingToRetry(_) => (StatusCode::CONFLICT, "nothing_to_retry"),
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
        let body = json!({
            "type": format!("urn:segment-relay:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let mut response = (self.status, body.to_string()).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
