//! What is answered to a call.

use super::errors::ApiError;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

const JSON: &str = "application/json; charset=utf-8";
const XML: &str = "application/xml; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// Status and body, with the error code that the body carries.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) code: Option<u16>,
    pub(super) body: Vec<u8>,
    content_type: &'static str,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorBody<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    result_data: Option<T>,
    code: u16,
    message: &'static str,
}

impl Answer {
    fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, code: None, body, content_type, headers: Vec::new() }
    }

    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self::new(status, JSON, body),
            Err(_) => Self::from(super::errors::server_error(500)),
        }
    }

    /// Status 200 and no body.
    pub(super) fn empty() -> Self {
        Self::new(200, JSON, Vec::new())
    }

    pub(super) fn raw_json(status: u16, body: String) -> Self {
        Self::new(status, JSON, body.into_bytes())
    }

    pub(super) fn error_with(error: ApiError, result_data: impl Serialize) -> Self {
        Self::error_body(error, Some(result_data))
    }

    fn error_body(error: ApiError, result_data: Option<impl Serialize>) -> Self {
        let ApiError { status, code, message } = error;
        let body = serde_json::to_vec(&ErrorBody { result_data, code, message });
        Self { code: Some(code), ..Self::new(status, JSON, body.unwrap_or_default()) }
    }

    /// The answer to a path without `.json`.
    pub(super) fn xml_not_found() -> Self {
        let body = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
                    <Result><Code>404</Code><Message>Not Found</Message></Result>";
        Self::new(404, XML, body.as_bytes().to_vec())
    }

    pub(super) fn too_large() -> Self {
        Self::html(413, "Request Entity Too Large")
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

impl From<ApiError> for Answer {
    fn from(error: ApiError) -> Self {
        Self::error_body(error, None::<()>)
    }
}

impl From<Result<Self, ApiError>> for Answer {
    fn from(result: Result<Self, ApiError>) -> Self {
        result.unwrap_or_else(Self::from)
    }
}
