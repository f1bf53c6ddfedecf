//! GUIDs, as the Web API spells them: lower case with hyphens.

use crate::kit::random::hexadecimal_id;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// The key of a row: a list, a contact, a list member, a user, an application or a tenant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guid(u128);

impl Guid {
    /// A new one that nobody can guess.
    #[must_use]
    pub fn random() -> Self {
        Self(u128::from_str_radix(&hexadecimal_id(), 16).unwrap_or_default())
    }

    /// The one of this number: tests and seeds count with it.
    #[must_use]
    pub const fn from_number(number: u128) -> Self {
        Self(number)
    }

    /// The id of the contact of this number among those that are seeded by their number: the same every time, and
    /// spread over all ids as random ones are.
    #[must_use]
    pub fn numbered(number: u64) -> Self {
        Self(u128::from(number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
    }

    /// Reads 8-4-4-4-12 hexadecimal digits in either case, and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut number: u128 = 0;
        for (position, character) in text.chars().enumerate() {
            if matches!(position, 8 | 13 | 18 | 23) {
                if character != '-' {
                    return None;
                }
            } else {
                number = (number << 4) | u128::from(character.to_digit(16)?);
            }
        }
        (text.len() == 36).then_some(Self(number))
    }

    /// The same with braces around it allowed, as values of the query function `In` may have them.
    pub(super) fn parse_in_braces(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        Self::parse(inner.unwrap_or(text))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |shift: u32, bits: u32| (self.0 >> shift) & ((1 << bits) - 1);
        let (first, second, third) = (part(96, 32), part(80, 16), part(64, 16));
        write!(formatter, "{first:08x}-{second:04x}-{third:04x}-{:04x}-{:012x}", part(48, 16), part(0, 48))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("a GUID is 8-4-4-4-12 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(Guid::parse(text).map(|id| id.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn one_spelling_is_read_in_either_case() {
        let canonical = "49b0be2e-d01c-ed11-b83e-000d3a572421";
        check(canonical, Some(canonical));
        check(&canonical.to_uppercase(), Some(canonical));
        check("49b0be2ed01ced11b83e000d3a572421", None);
        check("{49b0be2e-d01c-ed11-b83e-000d3a572421}", None);
        check("49b0be2e-d01c-ed11-b83e-000d3a57242", None);
        check("49b0be2e-d01c-ed11-b83e-000d3a57242g", None);
        check("49b0be2e-d01c-ed11-b83e-000d3a5724211", None);
        assert_eq!(Guid::parse_in_braces(&format!("{{{canonical}}}")), Guid::parse(canonical));
    }

    #[test]
    fn random_ones_differ_and_survive_their_text() {
        let id = Guid::random();
        assert_ne!(id, Guid::random());
        assert_eq!(Guid::parse(&id.to_string()), Some(id));
        assert_ne!(Guid::numbered(0), Guid::numbered(1));
    }
}
