//! Personal data found for an access request.

use super::{EndsByItself, Person, PersonRequestId, Place};
use crate::{MatchKey, MemberKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The person to search for: members by their keys, and everyone with a match key.
#[derive(Clone)]
pub struct Wanted {
    /// The members.
    pub members: BTreeSet<MemberKey>,
    /// The digest of the match key.
    match_key: Option<u128>,
}

impl Wanted {
    /// Creates the search for a request. For a match key, the members are still to be found.
    #[must_use]
    pub fn new(person: &Person) -> Self {
        match person {
            Person::MemberKey(key) => Self { members: BTreeSet::from([key.clone()]), match_key: None },
            Person::MatchKey(key) => {
                let trimmed = MatchKey(key.0.trim().to_owned());
                Self { members: BTreeSet::new(), match_key: Some(trimmed.digest()) }
            }
        }
    }

    /// Returns whether the members are still to be found.
    #[must_use]
    pub const fn is_by_match_key(&self) -> bool {
        self.match_key.is_some()
    }

    /// Returns whether this match key is searched for, ignoring case and surrounding spaces.
    #[must_use]
    pub fn has_match_key(&self, match_key: &str) -> bool {
        self.match_key.is_some_and(|wanted| MatchKey(match_key.trim().to_owned()).digest() == wanted)
    }

    /// Returns whether a record of this member, with this match key, is about the person.
    #[must_use]
    pub fn has(&self, member_key: &str, match_key: &str) -> bool {
        self.has_member(member_key) || self.has_match_key(match_key)
    }

    /// Returns whether this member is searched for.
    #[must_use]
    pub fn has_member(&self, member_key: &str) -> bool {
        // A match key may select thousands of members, and every record is compared with them.
        self.members.contains(&MemberKey(member_key.to_owned()))
    }
}

/// The data found in one place.
#[derive(Clone, Serialize, Deserialize)]
pub struct FoundPlace {
    /// The place.
    #[serde(flatten)]
    pub place: Place,
    /// Each record, by field name.
    pub kept: Vec<Map<String, Value>>,
}

/// All data found about a person. It is personal data, so the type has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Found {
    /// The request.
    pub request_id: PersonRequestId,
    /// When the search was made.
    pub made_at: Timestamp,
    /// The members that the person is known as.
    pub members: BTreeSet<MemberKey>,
    /// The places and their data.
    pub places: Vec<FoundPlace>,
    /// The objects that were not searched, because they expire.
    pub ends_by_itself: Vec<EndsByItself>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(person: &Person, member_key: &str, match_key: &str, is_found: bool) {
        assert_eq!(Wanted::new(person).has(member_key, match_key), is_found, "{member_key} {match_key}");
    }

    #[test]
    fn people_are_found_by_either_key() {
        let member = Person::MemberKey(MemberKey("a@b.c".to_owned()));
        check(&member, "a@b.c", "x@y.z", true);
        check(&member, "A@b.c", "a@b.c", false);
        let address = Person::MatchKey(MatchKey(" Ann@Example.com ".to_owned()));
        check(&address, "c1", "ann@example.com", true);
        check(&address, "c1", "ANN@example.com\n", true);
        check(&address, "ann@example.com", "bob@example.com", false);
        check(&address, "c1", "", false);
    }
}
