//! What is answered to a call.

use super::errors::{self, ApiError};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use serde_json::json;

const JSON: &str = "application/json; odata.metadata=minimal";
const XML: &str = "application/xml";
const TEXT: &str = "text/plain";
const HTML: &str = "text/html; charset=utf-8";

/// Status, headers and body, with the error code that the body carries.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) code: Option<u32>,
    pub(super) body: Vec<u8>,
    /// How many rows were read for it.
    pub(super) rows: usize,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Answer {
    fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Self { status, code: None, body, rows: 0, headers }
    }

    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self::new(status, JSON, body),
            Err(_) => Self::from(errors::server_error(500)),
        }
    }

    /// Status 204.
    pub(super) fn nothing() -> Self {
        Self::empty(204)
    }

    /// No body and no type of one.
    pub(super) fn empty(status: u16) -> Self {
        Self { headers: Vec::new(), ..Self::new(status, TEXT, Vec::new()) }
    }

    pub(super) fn raw_json(status: u16, body: String) -> Self {
        Self::new(status, JSON, body.into_bytes())
    }

    pub(super) fn xml(body: String) -> Self {
        Self::new(200, XML, body.into_bytes())
    }

    /// A bare number, as `$count` answers it, behind the mark of its encoding.
    pub(super) fn number(number: usize) -> Self {
        Self::new(200, TEXT, format!("\u{feff}{number}").into_bytes())
    }

    pub(super) fn multipart(boundary: &str, body: Vec<u8>) -> Self {
        let mut answer = Self::empty(200);
        answer.body = body;
        answer.with_text("content-type", &format!("multipart/mixed; boundary={boundary}"))
    }

    pub(super) fn html(status: u16, title: &str) -> Self {
        let body = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
        Self::new(status, HTML, body.into_bytes())
    }

    #[must_use]
    pub(super) fn with_number(mut self, name: &'static str, value: u64) -> Self {
        self.headers.push((HeaderName::from_static(name), HeaderValue::from(value)));
        self
    }

    /// Leaves the header out where the text cannot be one.
    #[must_use]
    pub(super) fn with_text(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    #[must_use]
    pub(super) fn with_rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }

    /// The same answer with half of its body.
    #[must_use]
    pub(super) fn truncated(mut self) -> Self {
        self.body.truncate(self.body.len() / 2);
        self
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().extend(self.headers);
        response
    }
}

/// A code as bodies have it: eight hexadecimal digits.
pub(super) fn hexadecimal(code: u32) -> String {
    format!("0x{code:08x}")
}

impl From<ApiError> for Answer {
    fn from(error: ApiError) -> Self {
        let code = error.code.map(hexadecimal).unwrap_or_default();
        let body = json!({ "error": { "code": code, "message": error.message } });
        Self { code: error.code, ..Self::json(error.status, &body) }
    }
}

impl From<Result<Self, ApiError>> for Answer {
    fn from(result: Result<Self, ApiError>) -> Self {
        result.unwrap_or_else(Self::from)
    }
}
