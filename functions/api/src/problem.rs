//! Errors as problem details (RFC 9457).

use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use relay_cloud::ledger::LedgerError;
use relay_cloud::{ChangeError, CloudError, LookupError};
use relay_model::IdError;
use relay_model::catalog::{CatalogError, json_pointer};
use relay_pipeline::{StageError, StartError};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{IntoResponses, ToSchema};

/// An error response.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: String,
    detail: String,
    errors: Vec<FieldProblem>,
}

/// An error in one field of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The field, as a JSON pointer into the document.
    #[schema(examples("/segments/0/segment"))]
    pub field: String,
    /// What is wrong and what is allowed.
    pub problem: String,
}

/// Problem details (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemDetails {
    /// A stable URI of the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The reason phrase of the status.
    title: String,
    /// The HTTP status.
    status: u16,
    /// A stable code of the kind of problem.
    code: String,
    /// What is wrong and how to fix it.
    detail: String,
    /// The fields that are wrong, if they are known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

/// The errors that any operation can return.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes responses and is never constructed")]
pub(crate) enum Problems {
    /// The request is malformed.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(#[to_schema] ProblemDetails),
    /// There is no valid token. API Gateway sends this response itself.
    #[response(status = 401)]
    Unauthorized,
    /// The token's role does not permit this operation.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemDetails),
    /// The resource does not exist.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemDetails),
    /// The path, as the gateway passes it on, belongs to a route that does not support this method.
    #[response(status = 405, content_type = "application/problem+json")]
    MethodNotAllowed(#[to_schema] ProblemDetails),
    /// The current state does not permit this operation.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemDetails),
    /// The resource has changed since it was read, or already exists.
    #[response(status = 412, content_type = "application/problem+json")]
    PreconditionFailed(#[to_schema] ProblemDetails),
    /// The document is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] ProblemDetails),
    /// The document is not JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(#[to_schema] ProblemDetails),
    /// A field of the document is invalid.
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(#[to_schema] ProblemDetails),
    /// The request has no precondition (`If-Match` or `If-None-Match`).
    #[response(status = 428, content_type = "application/problem+json")]
    PreconditionRequired(#[to_schema] ProblemDetails),
    /// There are too many requests. API Gateway sends this response itself.
    #[response(status = 429)]
    TooMany,
    /// The operation is not available now; retry it.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] ProblemDetails),
}

impl Problem {
    /// Creates a problem with a stable code.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), detail: detail.into(), errors: Vec::new() }
    }

    /// Creates a problem with one field of the document.
    pub(crate) fn field(code: &str, field: impl Into<String>, problem: impl Into<String>) -> Self {
        let (field, problem) = (field.into(), problem.into());
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, format!("{field}: {problem}"))
            .with_errors(vec![FieldProblem { field, problem }])
    }

    /// Creates a problem with a malformed query.
    pub(crate) fn query(error: &QueryRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "query_malformed", error.body_text())
    }

    /// Adds the fields that are wrong.
    #[must_use]
    pub fn with_errors(self, errors: Vec<FieldProblem>) -> Self {
        Self { errors, ..self }
    }

    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns what is wrong and how to fix it.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns the body of the response.
    pub(crate) fn body(&self) -> Value {
        json!(ProblemDetails {
            kind: format!("urn:segment-relay:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            code: self.code.clone(),
            detail: self.detail.clone(),
            errors: self.errors.clone(),
        })
    }

    /// Returns the HTTP status of the response.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    #[cfg(test)]
    pub(crate) fn fields(&self) -> &[FieldProblem] {
        &self.errors
    }
}

impl From<IdError> for Problem {
    fn from(error: IdError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "id_malformed", error.to_string())
    }
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        let code = error.code();
        match error {
            CatalogError::Missing { .. } => Self::new(StatusCode::NOT_FOUND, code, error.to_string()),
            CatalogError::Field { field, problem, .. } => Self::field(code, json_pointer(&field), problem),
            CatalogError::Malformed { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.to_string())
            }
        }
    }
}

impl From<CloudError> for Problem {
    fn from(error: CloudError) -> Self {
        StageError::from(error).into()
    }
}

impl From<LookupError> for Problem {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Catalog(error) => error.into(),
            LookupError::Cloud(error) => error.into(),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        let code = match &error {
            ChangeError::Exists { .. } => "exists_already",
            ChangeError::Changed { .. } => "changed_in_the_meantime",
            ChangeError::NeedGone { .. } => {
                return Self::new(StatusCode::CONFLICT, "need_gone", error.to_string());
            }
            ChangeError::Lookup(_) => "",
        };
        match error {
            ChangeError::Lookup(error) => error.into(),
            other => Self::new(StatusCode::PRECONDITION_FAILED, code, other.to_string()),
        }
    }
}

impl From<StageError> for Problem {
    fn from(error: StageError) -> Self {
        StartError::Cloud(error).into()
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
            StartError::NothingToCancel { .. } => (StatusCode::CONFLICT, "nothing_to_cancel"),
            StartError::NotOver { .. } => (StatusCode::CONFLICT, "run_not_over"),
            StartError::NothingToRetry(_) => (StatusCode::CONFLICT, "nothing_to_retry"),
            StartError::RunMissing(_) => (StatusCode::NOT_FOUND, "run_missing"),
            StartError::Cloud(_) => (StatusCode::SERVICE_UNAVAILABLE, "try_again"),
        };
        // Internal errors are logged; the caller can only retry.
        let detail = match &error {
            StartError::Cloud(_) => "the request could not be carried out now; retry it".to_owned(),
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
        let mut response = (self.status, axum::Json(self.body())).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        assert_eq!(json_pointer(path), expected);
    }

    #[test]
    fn places_are_json_pointers() {
        check("query", "/query");
        check("segments[0].target_list", "/segments/0/target_list");
    }
}
