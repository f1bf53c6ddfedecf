//! Requests concerning one person.

use crate::{MatchKey, MemberKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;
use uuid::Uuid;

/// Names one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct PersonRequestId(pub Uuid);

impl PersonRequestId {
    /// Derives the id from a caller's idempotency key; the same key gives the same id.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        let mut bytes = [0_u8; 16];
        blake3::Hasher::new().update(key.as_bytes()).finalize_xof().fill(&mut bytes);
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// Returns the key of the object that identifies the person. It is deleted when the request ends.
    #[must_use]
    pub fn request_key(self) -> String {
        format!("people/{self}/request.json")
    }

    /// Returns the key of the object with the request's progress. It contains no personal data.
    #[must_use]
    pub fn state_key(self) -> String {
        format!("people/{self}/state.json")
    }

    /// Returns the key of the object that detects a repeated request.
    #[must_use]
    pub fn digest_key(self) -> String {
        format!("people/{self}/digest")
    }

    /// Returns the key of the object with the result of an export.
    #[must_use]
    pub fn found_key(self) -> String {
        format!("people/{self}/found.json")
    }
}

impl fmt::Display for PersonRequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::str::FromStr for PersonRequestId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}

/// The kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonRequestKind {
    /// Find all data that is stored about the person.
    Export,
    /// Remove the person from every list, exclude them from future runs and erase their data.
    Erasure,
}

impl PersonRequestKind {
    /// Returns the name in definitions and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Erasure => "erasure",
        }
    }
}

/// The person of a request. It is personal data, so it has neither `Debug` nor `Display`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Person {
    /// The member with this key.
    MemberKey(MemberKey),
    /// Everyone with this match key at a destination or in an upload.
    MatchKey(MatchKey),
}

/// A request, as stored in the data bucket until it ends.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonRequest {
    /// The kind of request.
    pub kind: PersonRequestKind,
    /// The person.
    pub person: Person,
    /// The caller, with the same identifier as in the audit.
    pub by: String,
    /// The time of the request.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_one_request() {
        assert_eq!(PersonRequestId::of_key("ann/1"), PersonRequestId::of_key("ann/1"));
        assert_ne!(PersonRequestId::of_key("ann/1"), PersonRequestId::of_key("bob/1"));
    }

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let check = |person: Person, expected: &str| {
            let request = PersonRequest {
                kind: PersonRequestKind::Erasure,
                person,
                by: "ann".into(),
                at: Timestamp::UNIX_EPOCH,
            };
            let text = serde_json::to_string(&request).unwrap();
            assert!(text.contains(expected), "{text}");
            assert!(serde_json::from_str::<PersonRequest>(&text).unwrap() == request);
        };
        check(Person::MemberKey(MemberKey("c1".into())), r#""person":{"member_key":"c1"}"#);
        check(Person::MatchKey(MatchKey("a@b.c".into())), r#""person":{"match_key":"a@b.c"}"#);
    }
}
