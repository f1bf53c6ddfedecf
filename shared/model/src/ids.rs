//! Identifiers as newtypes, so that one kind of id cannot be passed for another.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// Why a text is not an identifier of the catalog.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IdError {
    /// The text is empty, too long, or has a character that is not allowed in keys and URLs.
    #[error(
        "{kind} id \"{text}\" must be 1 to 64 characters of a-z, 0-9, '-' and '_', and begin with a letter or a digit"
    )]
    Malformed {
        /// The kind of identifier.
        kind: &'static str,
        /// The text, cut to a bounded length.
        text: String,
    },
    /// A source's id is a table name in queries and must be a plain SQL identifier.
    #[error(
        "source id \"{text}\" is the table's name in queries: a letter a-z, then letters, digits and '_', 64 at most"
    )]
    NotATableName {
        /// The text, cut to a bounded length.
        text: String,
    },
    /// The text is not a UUID.
    #[error("run id \"{text}\" is not a UUID")]
    NotAUuid {
        /// The text, cut to a bounded length.
        text: String,
    },
}

fn bounded(text: &str) -> String {
    text.chars().take(80).collect()
}

fn is_slug(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

macro_rules! pattern_schema {
    ($name:ident, $pattern:literal) => {
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).pattern(Some($pattern)).into()
            }
        }

        impl ToSchema for $name {}
    };
}

macro_rules! slug_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Returns the identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                if is_slug(&text) { Ok(Self(text)) } else { Err(IdError::Malformed { kind: $kind, text: bounded(&text) }) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        pattern_schema!($name, "^[a-z0-9][a-z0-9_-]{0,63}$");
    };
}

slug_id!(
    /// Names a connection of the catalog.
    ConnectionId,
    "connection"
);
slug_id!(
    /// Names an export of the catalog.
    ExportId,
    "export"
);
slug_id!(
    /// Names a policy of the catalog.
    PolicyId,
    "policy"
);
slug_id!(
    /// Names a segment of the catalog.
    SegmentId,
    "segment"
);

/// Names a source of the catalog. It is the table name in queries of segments.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceId(String);

pattern_schema!(SourceId, "^[a-z][a-z0-9_]{0,63}$");

impl SourceId {
    /// Returns the identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SourceId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        let is_table_name = text.len() <= 64
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if is_table_name { Ok(Self(text)) } else { Err(IdError::NotATableName { text: bounded(&text) }) }
    }
}

impl From<SourceId> for String {
    fn from(id: SourceId) -> Self {
        id.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Names one run of an export. Time-ordered (UUID version 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct RunId(pub Uuid);

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::str::FromStr for RunId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Uuid::parse_str(text).map(Self).map_err(|_| IdError::NotAUuid { text: bounded(text) })
    }
}

/// The destination's identifier of a target list. The connector defines its format.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ListId(pub String);

impl fmt::Display for ListId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The customer id of one member, stable across snapshots. Snapshots are sorted by it, bytewise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemberKey(pub String);

impl MemberKey {
    /// Returns a 128-bit digest of the key, to track members without storing their keys.
    #[must_use]
    pub fn digest(&self) -> u128 {
        let mut bytes = [0_u8; 16];
        blake3::Hasher::new().update(self.0.as_bytes()).finalize_xof().fill(&mut bytes);
        u128::from_le_bytes(bytes)
    }
}

/// The normalised attribute that identifies the person in the destination. It is personal data, so it has
/// no `Display`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MatchKey(pub String);

impl MatchKey {
    /// Returns a 128-bit digest of the key, to detect duplicates and assign lanes without storing the key.
    /// Keys that differ only in case have the same digest, because destinations treat them as one person.
    #[must_use]
    pub fn digest(&self) -> u128 {
        let mut bytes = [0_u8; 16];
        let is_folded = !self.0.chars().any(char::is_uppercase);
        let folded = if is_folded { Cow::Borrowed(&self.0) } else { Cow::Owned(self.0.to_lowercase()) };
        blake3::Hasher::new().update(folded.as_bytes()).finalize_xof().fill(&mut bytes);
        u128::from_le_bytes(bytes)
    }

    /// Returns the lane of every write for this person, out of `lanes` (at least 1).
    #[must_use]
    pub fn lane(&self, lanes: u16) -> Lane {
        let lane = self.digest() % u128::from(lanes.max(1));
        Lane(u16::try_from(lane).unwrap_or_default())
    }
}

/// One serial stream of batches of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lane(pub u16);

/// A digest of what is sent for a row: 16 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RowHash(pub [u8; 16]);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, slug: bool, table_name: bool) {
        assert_eq!(SegmentId::try_from(text.to_owned()).is_ok(), slug, "segment id {text:?}");
        assert_eq!(SourceId::try_from(text.to_owned()).is_ok(), table_name, "source id {text:?}");
    }

    #[test]
    fn only_plain_words_are_ids() {
        check("newsletter", true, true);
        check("big-spenders", true, false);
        check("2026", true, false);
        check("order_lines", true, true);
        check("", false, false);
        check("../up", false, false);
        check("Größe", false, false);
        check("UPPER", false, false);
        check(&"x".repeat(65), false, false);
    }

    #[test]
    fn a_person_is_always_in_the_same_lane() {
        let key = MatchKey("someone@example.com".to_owned());
        assert_eq!(key.lane(4), key.lane(4));
        assert!((0..200).map(|n| MatchKey(format!("p{n}@example.com")).lane(4).0).all(|lane| lane < 4));
        assert_eq!(key.lane(0), Lane(0));
    }
}
