//! What a call of the API is made of.

use relay_model::catalog::Kind;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;

use super::ApiError;

/// One call. Its body may hold credentials, so it has no `Debug`.
pub(crate) struct Call<'a> {
    /// The method.
    pub(crate) method: Method,
    /// What it is for, in words that follow "cannot".
    pub(crate) doing: &'a str,
    /// The parts of the address behind the API's own.
    pub(crate) path: &'a [&'a str],
    /// What stands behind the question mark.
    pub(crate) query: Vec<(&'a str, String)>,
    /// JSON.
    pub(crate) body: Option<SecretString>,
    /// What must be there for the call to be carried out.
    pub(crate) condition: Option<Condition>,
    /// Makes a change that comes twice one.
    pub(crate) key: String,
}

/// What must be there for a change to be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nothing: the change creates.
    IsNew,
    /// This version.
    IsVersion(u64),
}

/// Whether the API asks the destination before it saves an export, and the query engine before it saves a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checking {
    /// What cannot work is not saved.
    Whoever,
    /// It is saved whatever they have; the next run tells.
    Nobody,
}

impl Checking {
    /// By the flag `--no-check`.
    pub(crate) const fn unless(is_unwanted: bool) -> Self {
        if is_unwanted { Self::Nobody } else { Self::Whoever }
    }

    /// What stands behind the question mark when a document of this kind is saved: sources and connections are not checked.
    pub(crate) fn query(self, kind: Kind) -> Vec<(&'static str, String)> {
        match (self, kind) {
            (Self::Nobody, Kind::Segment | Kind::Export) => vec![("check", "none".to_owned())],
            _ => Vec::new(),
        }
    }
}

impl<'a> Call<'a> {
    /// A call without a body.
    pub(crate) fn new(method: Method, doing: &'a str, path: &'a [&'a str]) -> Self {
        let key = uuid::Uuid::now_v7().to_string();
        Self { method, doing, path, query: Vec::new(), body: None, condition: None, key }
    }

    /// With a body.
    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = Some(body.to_string().into());
        self
    }

    /// Carried out only where this holds.
    pub(crate) const fn only_if(mut self, condition: Condition) -> Self {
        self.condition = Some(condition);
        self
    }

    /// Whether it changes nothing.
    pub(crate) fn is_reading(&self) -> bool {
        self.method == Method::GET
    }

    /// For an answer that makes no sense.
    pub(crate) fn strange(&self, what: &str) -> ApiError {
        ApiError::Strange { doing: self.doing.to_owned(), what: what.to_owned() }
    }
}
