//! The parameters behind the `?`. Parameters that a call does not have are refused, as the vendor documents.

use super::errors::{self, ApiError, FieldError};
use std::ops::RangeInclusive;
use url::form_urlencoded;

/// The parameters, unescaped.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// An unescaped `+` is a space here, as in every form: addresses have to be escaped.
    pub(super) fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Refuses parameters that are not among these, and those that come twice.
    pub(super) fn check(&self, known: &[&str]) -> Result<(), ApiError> {
        let mut errors = Vec::new();
        for (position, (name, _)) in self.0.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                errors.push(FieldError::new(name, "unknown_parameter", "Unknown query parameter"));
            } else if self.0.iter().take(position).any(|(earlier, _)| earlier == name) {
                errors.push(FieldError::new(name, "duplicate", "Must be given once"));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors::validation(errors)) }
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &self,
        name: &str,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> Result<usize, ApiError> {
        let Some(text) = self.get(name) else {
            return Ok(default);
        };
        text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
            let message = format!("Must be from {} to {}", range.start(), range.end());
            errors::invalid(name, "out_of_range", message)
        })
    }

    /// One of a few words; the first is the default.
    pub(super) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)], default: T) -> Result<T, ApiError> {
        let Some(text) = self.get(name) else {
            return Ok(default);
        };
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.ok_or_else(|| errors::invalid(name, "invalid_value", "Not one of the allowed values"))
    }
}
