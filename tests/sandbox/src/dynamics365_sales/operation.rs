//! A request as the API handles it, by itself or within a batch.

use super::query::Preferences;
use axum::http::{HeaderMap, header};

#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) path: String,
    /// As it was sent.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Operation {
    pub(super) fn preferences(&self) -> Preferences {
        Preferences::read(&self.headers)
    }

    /// The path with the query, in bytes.
    pub(super) fn address_bytes(&self) -> usize {
        self.path.len() + if self.query.is_empty() { 0 } else { self.query.len() + 1 }
    }

    pub(super) fn content_type(&self) -> &str {
        self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The kind of the body, without parameters.
    pub(super) fn media_type(&self) -> &str {
        self.content_type().split(';').next().unwrap_or_default().trim()
    }
}
