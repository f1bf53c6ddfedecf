//! A request's parameters and body.

use super::errors::{self, ApiError};
use serde_json::Value;
use url::form_urlencoded;

/// Parameters of a query or a form, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    pub(super) fn joined(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The first value of this name that is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// As [`Parameters::get`]; an error if there is none.
    pub(super) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| errors::missing(name))
    }

    /// All values of this name: repeated or with commas between them.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.0.iter().filter(|(key, _)| key == name);
        values.flat_map(|(_, value)| value.split(',')).filter(|value| !value.is_empty()).collect()
    }

    /// A whole number; an error if it is something else.
    pub(super) fn number(&self, name: &str) -> Result<Option<usize>, ApiError> {
        self.get(name).map(|text| text.parse().map_err(|_| errors::wrong_type(name, "integer"))).transpose()
    }
}

/// A request's body, read.
#[derive(Clone, Debug)]
pub(super) enum Payload {
    Nothing,
    Json(Value),
    /// Sent as JSON and not JSON.
    BadJson,
    Form(Parameters),
    /// With the boundary.
    Multipart(String, Vec<u8>),
    /// Of another content type.
    Other,
}

impl Payload {
    pub(super) fn read(content_type: Option<&str>, body: &[u8]) -> Self {
        let (kind, rest) = content_type
            .unwrap_or_default()
            .split_once(';')
            .map_or_else(|| (content_type.unwrap_or_default(), ""), |(kind, rest)| (kind, rest));
        match kind.trim().to_ascii_lowercase().as_str() {
            _ if body.is_empty() => Self::Nothing,
            "application/json" => serde_json::from_slice(body).map_or(Self::BadJson, Self::Json),
            "application/x-www-form-urlencoded" => Self::Form(Parameters::parse(body)),
            "multipart/form-data" => {
                let boundary = rest.split(';').find_map(|part| part.trim().strip_prefix("boundary="));
                let boundary = boundary.unwrap_or_default().trim_matches('"').to_owned();
                Self::Multipart(boundary, body.to_vec())
            }
            _ => Self::Other,
        }
    }

    pub(super) fn form(&self) -> Parameters {
        match self {
            Self::Form(parameters) => parameters.clone(),
            _ => Parameters::default(),
        }
    }

    /// The body of a call that has to bring JSON.
    pub(super) fn json(&self) -> Result<&Value, ApiError> {
        match self {
            Self::Json(value) => Ok(value),
            Self::BadJson | Self::Nothing => Err(errors::INVALID_JSON),
            Self::Form(_) | Self::Multipart(..) | Self::Other => Err(errors::CONTENT_TYPE),
        }
    }

    /// The body of a call that has to bring a form.
    pub(super) fn required_form(&self) -> Result<Parameters, ApiError> {
        match self {
            Self::Form(parameters) => Ok(parameters.clone()),
            Self::Nothing => Ok(Parameters::default()),
            Self::Json(_) | Self::BadJson | Self::Multipart(..) | Self::Other => Err(errors::CONTENT_TYPE),
        }
    }
}
