//! Extractors: the JSON document, the precondition, the idempotency key and the page of a request.

use crate::problem::{FieldProblem, Problem};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use relay_cloud::{Expected, MAX_DOCUMENT_BYTES};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use uuid::Uuid;

/// The longest accepted idempotency key.
const MAX_KEY_CHARACTERS: usize = 128;
/// The default number of items on a page.
const DEFAULT_LIMIT: u32 = 50;
/// The maximum number of items on a page.
const MAX_LIMIT: u32 = 100;
/// The longest accepted cursor. A cursor is an id.
const MAX_CURSOR_CHARACTERS: usize = 64;

/// A JSON body. Errors name the field that cannot be parsed.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = request.headers().get(header::CONTENT_TYPE).is_none_or(|kind| {
            let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")
        });
        if !is_json {
            let detail = "send the document as JSON with the header Content-Type: application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
        }
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.ok().filter(|bytes| bytes.len() <= MAX_DOCUMENT_BYTES).ok_or_else(|| {
            let detail = format!("the document must have at most {MAX_DOCUMENT_BYTES} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "document_too_large", detail)
        })?;
        read(&bytes).map(Self)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let document = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = pointer(error.path());
        let problem = error.into_inner().to_string();
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "document_malformed", "the document cannot be parsed")
            .with_errors(vec![FieldProblem { field, problem }])
    })?;
    reader.end().map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "document_malformed", error.to_string())
    })?;
    Ok(document)
}

/// Converts a path to a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |mut pointer, segment| {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => pointer.push_str(variant),
            Segment::Unknown => pointer.push('?'),
        }
        pointer
    })
}

/// The version that the caller has read: `If-None-Match: *` creates a definition, `If-Match: "7"` replaces version 7.
pub(crate) struct Precondition(pub(crate) Expected);

impl<S: Send + Sync> FromRequestParts<S> for Precondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let headers = &parts.headers;
        match (text(headers, header::IF_MATCH)?, text(headers, header::IF_NONE_MATCH)?) {
            (None, Some("*")) => Ok(Self(Expected::Absent)),
            (Some(tag), None) => version(tag).map(|version| Self(Expected::Version(version))),
            (None, None) => {
                let detail = "the request needs a precondition: If-None-Match: * to create a definition, or If-Match \
                              with the ETag of the version that you have read";
                Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "precondition_required", detail))
            }
            _ => Err(malformed("send either If-None-Match: * or If-Match with one ETag")),
        }
    }
}

/// A [`Precondition`] that requires an existing version.
pub(crate) struct Seen(pub(crate) u64);

impl<S: Send + Sync> FromRequestParts<S> for Seen {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Precondition::from_request_parts(parts, state).await?.0 {
            Expected::Version(version) => Ok(Self(version)),
            Expected::Absent => {
                Err(malformed("the request needs If-Match with the ETag of the version that you have read"))
            }
        }
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Result<Option<&str>, Problem> {
    let value = headers.get(name).map(|value| value.to_str());
    value.transpose().map_err(|_| malformed("an ETag must be plain ASCII text"))
}

fn version(tag: &str) -> Result<u64, Problem> {
    let number = tag.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    number
        .filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| malformed("If-Match must be one ETag from a response, such as \"7\" with its quotes"))
}

fn malformed(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "precondition_malformed", detail)
}

/// The idempotency key. Requests with the same key are carried out once.
pub(crate) struct RequestKey(pub(crate) Option<String>);

impl RequestKey {
    /// Returns the key, or a new unique one.
    pub(crate) fn or_new(self) -> String {
        self.0.unwrap_or_else(|| Uuid::now_v7().to_string())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Some(header) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let key = header.to_str().unwrap_or_default();
        let is_plain = !key.is_empty()
            && key.len() <= MAX_KEY_CHARACTERS
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'));
        if is_plain {
            return Ok(Self(Some(key.to_owned())));
        }
        let detail = "header Idempotency-Key must be 1 to 128 letters, digits, '-', '_', '.' or ':'";
        Err(Problem::new(StatusCode::BAD_REQUEST, "idempotency_key_malformed", detail))
    }
}

/// The requested page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    /// Maximum number of items. Default: 50.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the previous page.
    #[param(max_length = 64)]
    cursor: Option<String>,
}

/// The requested page of a list, validated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: i32,
    pub(crate) cursor: Option<String>,
}

impl IntoParams for Page {
    fn into_params(
        place: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
    ) -> Vec<utoipa::openapi::path::Parameter> {
        PageQuery::into_params(place)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<PageQuery>::from_request_parts(parts, state).await;
        let PageQuery { limit, cursor } = query.map_err(|error| page_malformed(error.body_text()))?.0;
        Self::checked(limit, cursor)
    }
}

fn page_malformed(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "page_malformed", detail)
}

impl Page {
    /// Validates the page of a query that may have other parameters.
    pub(crate) fn checked(limit: Option<u32>, cursor: Option<String>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(page_malformed(format!("limit: must be 1 to {MAX_LIMIT}")));
        }
        let is_cursor = |cursor: &String| {
            !cursor.is_empty()
                && cursor.len() <= MAX_CURSOR_CHARACTERS
                && cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if cursor.as_ref().is_some_and(|cursor| !is_cursor(cursor)) {
            return Err(page_malformed("cursor: must be the next_cursor of the previous page".to_owned()));
        }
        Ok(Self { limit: i32::try_from(limit).unwrap_or(i32::MAX), cursor })
    }
}

#[cfg(test)]
#[path = "extract_tests.rs"]
mod tests;
