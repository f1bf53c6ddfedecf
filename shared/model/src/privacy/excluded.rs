//! Persons excluded from every segment after an erasure, identified by a keyed digest only.

use super::PersonRequestId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use utoipa::ToSchema;

/// The object that holds the key of all digests.
pub const EXCLUSION_KEY: &str = "exclusions/key";
/// The maximum number of exclusions. Each evaluation of a segment holds all of them in memory, at 16 bytes
/// each.
pub const MAX_EXCLUSIONS: usize = 100_000;

/// Identifies an excluded person: a digest of the member key that requires the key in the data bucket. It
/// is a pseudonym, and has to be kept so that a lake that still has the person does not export them again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, examples("0123456789abcdef0123456789abcdef"))]
pub struct ExclusionId(u128);

/// The text is not an exclusion id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an exclusion id has 32 hexadecimal digits")]
pub struct NoExclusionId;

impl fmt::Display for ExclusionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl std::str::FromStr for ExclusionId {
    type Err = NoExclusionId;

    fn from_str(text: &str) -> Result<Self, NoExclusionId> {
        let is_plain = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let digest = u128::from_str_radix(text, 16).ok().filter(|_| is_plain);
        digest.map(Self).ok_or(NoExclusionId)
    }
}

impl TryFrom<String> for ExclusionId {
    type Error = NoExclusionId;

    fn try_from(text: String) -> Result<Self, NoExclusionId> {
        text.parse()
    }
}

impl From<ExclusionId> for String {
    fn from(id: ExclusionId) -> Self {
        id.to_string()
    }
}

/// An excluded person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Exclusion {
    /// The pseudonym of the person.
    pub id: ExclusionId,
    /// When the person was excluded.
    pub at: Timestamp,
    /// Who requested the erasure.
    pub by: String,
    /// The request.
    pub request_id: PersonRequestId,
}

/// The key of all digests. It allows testing whether a known member key is excluded, so it has no `Debug`
/// and is readable by functions only.
#[derive(Clone, PartialEq, Eq)]
pub struct ExclusionKey([u8; 32]);

impl ExclusionKey {
    /// Creates a key of stored or random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes to store.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the exclusion id of a member.
    #[must_use]
    pub fn id(&self, member_key: &str) -> ExclusionId {
        let mut bytes = [0_u8; 16];
        blake3::Hasher::new_keyed(&self.0).update(member_key.as_bytes()).finalize_xof().fill(&mut bytes);
        ExclusionId(u128::from_be_bytes(bytes))
    }
}

/// All exclusions, to check members against.
#[derive(Clone, Default)]
pub struct Exclusions(Option<(ExclusionKey, HashSet<ExclusionId>)>);

impl fmt::Debug for Exclusions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let people = self.0.as_ref().map_or(0, |(_, ids)| ids.len());
        formatter.debug_struct("Exclusions").field("people", &people).finish()
    }
}

impl Exclusions {
    /// Creates the set of these ids.
    #[must_use]
    pub fn new(key: ExclusionKey, ids: HashSet<ExclusionId>) -> Self {
        Self((!ids.is_empty()).then_some((key, ids)))
    }

    /// Returns whether there are no exclusions.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns whether a member is excluded.
    #[must_use]
    pub fn has(&self, member_key: &str) -> bool {
        self.0.as_ref().is_some_and(|(key, ids)| ids.contains(&key.id(member_key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_depends_on_the_key() {
        let (one, other) = (ExclusionKey::new([1; 32]), ExclusionKey::new([2; 32]));
        assert_eq!(one.id("c1"), one.id("c1"));
        assert_ne!(one.id("c1"), other.id("c1"));
        assert_ne!(one.id("c1"), one.id("C1"));
    }

    #[track_caller]
    fn check(text: &str, is_id: bool) {
        assert_eq!(text.parse::<ExclusionId>().is_ok(), is_id, "{text}");
    }

    #[test]
    fn ids_are_written_in_one_way() {
        let id = ExclusionKey::new([0; 32]).id("c1");
        assert_eq!(id.to_string().parse(), Ok(id));
        check("0123456789abcdef0123456789abcdef", true);
        check("0123456789ABCDEF0123456789abcdef", false);
        check("+123456789abcdef0123456789abcdef", false);
        check("0123456789abcdef", false);
        check("", false);
    }

    proptest! {
        #[test]
        fn exactly_those_are_kept_out(out in proptest::collection::hash_set("[a-c]{0,3}", 0..6), key in "[a-c]{0,3}") {
            let secret = ExclusionKey::new([7; 32]);
            let ids = out.iter().map(|member| secret.id(member)).collect();
            let exclusions = Exclusions::new(secret, ids);
            prop_assert_eq!(exclusions.has(&key), out.contains(&key));
            prop_assert_eq!(exclusions.is_empty(), out.is_empty());
        }
    }
}
