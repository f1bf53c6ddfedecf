//! Identifiers as the API hands them out.

use crate::kit::random::hexadecimal_id;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;

/// A brand: a store with contacts, keys and rate limits of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BrandId(String);

impl BrandId {
    pub(super) fn random() -> Self {
        Self(object_id())
    }

    /// The id as the API spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for BrandId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl Borrow<str> for BrandId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BrandId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Twenty-four hexadecimal digits, the form of most of the vendor's ids.
pub(super) fn object_id() -> String {
    hexadecimal_id().chars().take(24).collect()
}

/// Ids that say their number to whoever knows the series: a million of them take no memory.
#[derive(Debug)]
pub(super) struct IdSeries(String);

impl IdSeries {
    pub(super) fn random() -> Self {
        Self(hexadecimal_id().chars().take(16).collect())
    }

    pub(super) fn id(&self, number: u32) -> String {
        format!("{}{number:08x}", self.0)
    }

    pub(super) fn number(&self, id: &str) -> Option<u32> {
        let digits = id.strip_prefix(self.0.as_str()).filter(|digits| digits.len() == 8)?;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_series_are_found_again() {
        let series = IdSeries::random();
        assert_eq!(series.number(&series.id(77)), Some(77));
        assert_eq!(series.id(77).len(), 24);
        assert_eq!(series.number(&IdSeries::random().id(77)), None);
        assert_eq!(series.number("1"), None);
    }
}
