//! What is answered to a call: the envelope around results and errors.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes>

use super::errors::ApiError;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};

const JSON: &str = "application/json;charset=UTF-8";
const CSV: &str = "text/csv;charset=UTF-8";
const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

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
#[serde(rename_all = "camelCase")]
struct Envelope<'a, T> {
    request_id: String,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a [T]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a [ApiError]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<&'a [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// `e42b#14272d07d78`: looks like the vendor's, and is different for each answer.
fn request_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0x1000);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{:x}#{:x}", number & 0xffff, number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20)
}

impl Answer {
    fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, code: None, body, content_type, headers: Vec::new() }
    }

    /// Plain JSON without the envelope: the identity endpoint's and the control routes'.
    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self::new(status, JSON, body),
            Err(_) => Self::html(500, "Internal Server Error"),
        }
    }

    fn envelope<T: Serialize>(
        result: Option<&[T]>,
        errors: Option<&[ApiError]>,
        warnings: Option<&[&'static str]>,
        next_page_token: Option<String>,
    ) -> Self {
        let success = errors.is_none_or(<[ApiError]>::is_empty);
        let request_id = request_id();
        Self::json(200, &Envelope { request_id, success, result, errors, warnings, next_page_token })
    }

    /// A success of the lead database.
    pub(super) fn result<T: Serialize>(rows: &[T]) -> Self {
        Self::envelope(Some(rows), None, None, None)
    }

    /// A page of a success of the lead database.
    pub(super) fn page<T: Serialize>(rows: &[T], next_page_token: Option<String>) -> Self {
        Self::envelope(Some(rows), None, None, next_page_token)
    }

    /// A success of the asset API: with lists of errors and warnings, both empty.
    pub(super) fn asset<T: Serialize>(rows: &[T]) -> Self {
        if rows.is_empty() {
            return Self::no_asset();
        }
        Self::envelope(Some(rows), Some(&[]), Some(&[]), None)
    }

    /// A search of the asset API that found nothing is a success without a result.
    pub(super) fn no_asset() -> Self {
        let warnings = ["No assets found for the given search criteria."];
        Self::envelope::<()>(None, Some(&[]), Some(&warnings), None)
    }

    /// The error of a call, in the envelope of its part of the API.
    pub(super) fn refusal(error: &ApiError, is_asset: bool) -> Self {
        let warnings: Option<&[&str]> = is_asset.then_some(&[]);
        let answer = Self::envelope::<()>(None, Some(std::slice::from_ref(error)), warnings, None);
        Self { code: Some(error.code), ..answer }
    }

    pub(super) fn csv(body: Vec<u8>) -> Self {
        Self::new(200, CSV, body)
    }

    pub(super) fn text(status: u16, text: &str) -> Self {
        Self::new(status, TEXT, text.as_bytes().to_vec())
    }

    pub(super) fn raw_json(status: u16, body: String) -> Self {
        Self::new(status, JSON, body.into_bytes())
    }

    /// What a gateway in front of the vendor says.
    pub(super) fn html(status: u16, title: &str) -> Self {
        let body = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
        Self::new(status, HTML, body.into_bytes())
    }

    /// No body; for a connection that is cut anyway.
    pub(super) fn nothing() -> Self {
        Self::new(200, JSON, Vec::new())
    }

    #[must_use]
    pub(super) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    #[must_use]
    pub(super) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
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
