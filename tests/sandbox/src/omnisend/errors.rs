//! Omnisend's errors: problems by RFC 9457 in version 2026-03-15, `error` and `fields` in v5.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/responses> and <https://api-docs.omnisend.com/v5/reference/responses>

use super::dialect::Dialect;
use crate::kit::random::hexadecimal_id;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// A refused call or batch item.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    pub(super) status: u16,
    /// The last part of the problem's type.
    pub(super) problem: &'static str,
    title: &'static str,
    detail: Option<Cow<'static, str>>,
    errors: Vec<FieldError>,
    pub(super) retry_after_seconds: Option<u64>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FieldError {
    /// The field's path, with points: `identifiers.0.id`.
    pub(super) field: String,
    pub(super) code: Cow<'static, str>,
    pub(super) message: String,
}

impl FieldError {
    pub(super) fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into() }
    }

    /// `identifiers[0].id: Must be …`, as v5 says it.
    fn legacy(&self) -> String {
        let mut path = String::new();
        for part in self.field.split('.') {
            if part.parse::<usize>().is_ok() {
                path.push('[');
                path.push_str(part);
                path.push(']');
            } else {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(part);
            }
        }
        format!("{path}: {}", self.message)
    }
}

/// Whether an error is a call's or a batch item's: v5 writes the fields of the two differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Call,
    Item,
}

const fn error(status: u16, problem: &'static str, title: &'static str) -> ApiError {
    ApiError { status, problem, title, detail: None, errors: Vec::new(), retry_after_seconds: None }
}

impl ApiError {
    fn with_detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// The body in the words of a dialect.
    pub(super) fn body(&self, dialect: Dialect, place: Place) -> Value {
        match dialect {
            Dialect::V2026 => self.problem(),
            Dialect::V5 => self.legacy(place),
        }
    }

    fn problem(&self) -> Value {
        let mut body = Map::new();
        body.insert("type".to_owned(), format!("https://problems.omnisend.com/{}", self.problem).into());
        body.insert("title".to_owned(), self.title.into());
        body.insert("status".to_owned(), self.status.into());
        if let Some(detail) = &self.detail {
            body.insert("detail".to_owned(), detail.as_ref().into());
        }
        // The published examples of these two come without an instance.
        if !matches!(self.status, 401 | 429) {
            let instance = format!("urn:omnisend:request:{}", hexadecimal_id());
            body.insert("instance".to_owned(), instance.into());
        }
        if !self.errors.is_empty() {
            body.insert("errors".to_owned(), json!(self.errors));
        }
        if let Some(seconds) = self.retry_after_seconds {
            body.insert("retryAfter".to_owned(), seconds.into());
        }
        Value::Object(body)
    }

    fn legacy(&self, place: Place) -> Value {
        if self.errors.is_empty() {
            let text = self.detail.as_deref().unwrap_or(self.title);
            return json!({ "error": text });
        }
        let lines: Vec<String> = self.errors.iter().map(FieldError::legacy).collect();
        let text = format!("{} error(s) found. Check 'fields' array for details.", lines.len());
        match place {
            Place::Call => json!({ "error": text, "fields": [lines] }),
            Place::Item => json!({ "error": text, "fields": { "0": lines } }),
        }
    }
}

pub(super) fn validation(errors: Vec<FieldError>) -> ApiError {
    ApiError { errors, ..error(400, "validation-failed", "Validation failed") }
}

pub(super) fn invalid(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> ApiError {
    validation(vec![FieldError::new(field, code, message)])
}

/// A body that is no JSON, or not of the right form at all.
pub(super) fn malformed() -> ApiError {
    error(400, "problem", "Bad request").with_detail("The request body is not valid JSON")
}

/// v5 tells a missing key from a wrong one.
pub(super) fn no_key() -> ApiError {
    error(400, "problem", "Bad request").with_detail("API key or access token not provided")
}

pub(super) fn unauthorized() -> ApiError {
    error(401, "unauthorized", "Unauthorized")
}

pub(super) fn forbidden() -> ApiError {
    error(403, "forbidden", "Forbidden").with_detail("Insufficient permissions for this operation")
}

pub(super) fn not_found(what: &'static str) -> ApiError {
    error(404, "not-found", "Not found").with_detail(format!("{what} not found"))
}

pub(super) fn conflict(detail: &'static str) -> ApiError {
    error(409, "problem", "Conflict").with_detail(detail)
}

pub(super) fn retired() -> ApiError {
    error(410, "problem", "Gone").with_detail("API version has been retired")
}

pub(super) fn too_large() -> ApiError {
    error(413, "problem", "Request entity too large")
}

pub(super) fn too_many_requests(retry_after_seconds: Option<u64>) -> ApiError {
    ApiError { retry_after_seconds, ..error(429, "rate-limit-exceeded", "Rate limit exceeded") }
}

/// The vendor's error of a chosen status, for faults.
pub(super) fn with_status(status: u16) -> ApiError {
    match status {
        401 => unauthorized(),
        403 => forbidden(),
        404 => not_found("Resource"),
        410 => retired(),
        413 => too_large(),
        429 => too_many_requests(None),
        408 => error(408, "problem", "Request timeout"),
        422 => error(422, "problem", "Unprocessable entity"),
        503 => error(503, "problem", "Service unavailable"),
        500.. => error(status, "problem", "Internal server error"),
        _ => error(status, "problem", "Problem"),
    }
}
