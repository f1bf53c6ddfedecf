//! The request to the API.

use relay_model::catalog::Kind;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;

use super::ApiError;

/// One request. Its body may hold credentials, so the type has no `Debug`.
pub(crate) struct Call<'a> {
    /// The method.
    pub(crate) method: Method,
    /// What the request does, worded to follow "cannot".
    pub(crate) doing: &'a str,
    /// The path segments after the API's base address.
    pub(crate) path: &'a [&'a str],
    /// The query parameters.
    pub(crate) query: Vec<(&'a str, String)>,
    /// The JSON body.
    pub(crate) body: Option<SecretString>,
    /// The precondition of the request.
    pub(crate) condition: Option<Condition>,
    /// The idempotency key.
    pub(crate) key: String,
}

/// The precondition of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// The resource must not exist yet (`If-None-Match: *`).
    IsNew,
    /// The resource must have this version (`If-Match`).
    IsVersion(u64),
}

/// Whether the API validates an export against the destination, and a segment against the query engine,
/// before it saves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checking {
    /// Validate before saving.
    Enabled,
    /// Save without validating; the next run reports problems.
    Skipped,
}

impl Checking {
    /// Converts the flag `--no-check`.
    pub(crate) const fn unless(is_unwanted: bool) -> Self {
        if is_unwanted { Self::Skipped } else { Self::Enabled }
    }

    /// Returns the query parameters for saving a document of this kind. Sources and connections are not
    /// checked.
    pub(crate) fn query(self, kind: Kind) -> Vec<(&'static str, String)> {
        match (self, kind) {
            (Self::Skipped, Kind::Segment | Kind::Export) => vec![("check", "none".to_owned())],
            _ => Vec::new(),
        }
    }
}

impl<'a> Call<'a> {
    /// Creates a request without a body.
    pub(crate) fn new(method: Method, doing: &'a str, path: &'a [&'a str]) -> Self {
        let key = uuid::Uuid::now_v7().to_string();
        Self { method, doing, path, query: Vec::new(), body: None, condition: None, key }
    }

    /// Adds a JSON body.
    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = Some(body.to_string().into());
        self
    }

    /// Adds a precondition.
    pub(crate) const fn only_if(mut self, condition: Condition) -> Self {
        self.condition = Some(condition);
        self
    }

    /// Returns whether the request changes nothing.
    pub(crate) fn is_reading(&self) -> bool {
        self.method == Method::GET
    }

    /// Creates the error for a response that violates the contract.
    pub(crate) fn unexpected(&self, what: &str) -> ApiError {
        ApiError::Unexpected { doing: self.doing.to_owned(), what: what.to_owned() }
    }
}
