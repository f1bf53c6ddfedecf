//! What is answered to a call.

use super::dialect::Dialect;
use super::errors::{ApiError, Place};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// Status and body, with the kind of the problem that the body tells.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) problem: Option<&'static str>,
    body: Vec<u8>,
    content_type: &'static str,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Answer {
    fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, problem: None, body, content_type, headers: Vec::new() }
    }

    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self::new(status, JSON, body),
            Err(_) => Self::html(500, "Internal Server Error"),
        }
    }

    /// No body at all.
    pub(super) fn empty(status: u16) -> Self {
        Self::new(status, JSON, Vec::new())
    }

    pub(super) fn raw_json(status: u16, body: String) -> Self {
        Self::new(status, JSON, body.into_bytes())
    }

    pub(super) fn error(error: &ApiError, dialect: Dialect) -> Self {
        let answer = Self::json(error.status, &error.body(dialect, Place::Call));
        Self { problem: Some(error.problem), ..answer }
    }

    pub(super) fn html(status: u16, title: &str) -> Self {
        let body = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
        Self::new(status, HTML, body.into_bytes())
    }

    #[must_use]
    pub(super) fn with_header(mut self, name: &'static str, value: u64) -> Self {
        self.headers.push((HeaderName::from_static(name), HeaderValue::from(value)));
        self
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
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.extend(self.headers);
        response
    }
}
