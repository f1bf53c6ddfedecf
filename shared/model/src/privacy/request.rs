//! What is asked for one person.

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
    /// The request of a caller's key: the same for the same key.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        let mut bytes = [0_u8; 16];
        blake3::Hasher::new().update(key.as_bytes()).finalize_xof().fill(&mut bytes);
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// The object that says who is meant. It is deleted when the request is over.
    #[must_use]
    pub fn request_key(self) -> String {
        format!("people/{self}/request.json")
    }

    /// The object that says how far the request is. It holds nothing of the person.
    #[must_use]
    pub fn state_key(self) -> String {
        format!("people/{self}/state.json")
    }

    /// The object by which it is known whether the same is asked for again.
    #[must_use]
    pub fn digest_key(self) -> String {
        format!("people/{self}/digest")
    }

    /// The object that holds what an export has found.
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

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonRequestKind {
    /// Everything that is kept about the person is to be found.
    Export,
    /// The person is to be taken off every list, kept out from then on, and forgotten.
    Erasure,
}

impl PersonRequestKind {
    /// Its name in definitions and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Erasure => "erasure",
        }
    }
}

/// Who is meant. Personal data, so it has neither `Debug` nor `Display`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Person {
    /// The member of this key.
    MemberKey(MemberKey),
    /// Everybody who has this match key at a destination, or in an upload.
    MatchKey(MatchKey),
}

/// A request as it stands in the data bucket until it is over.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonRequest {
    /// What is asked for.
    pub kind: PersonRequestKind,
    /// Who is meant.
    pub person: Person,
    /// Who asks: what stands for them in the audit too.
    pub by: String,
    /// When.
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
