//! What is kept about a person, as an export hands it out.

use super::{EndsByItself, Person, PersonRequestId, Place};
use crate::{MatchKey, MemberKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Who is looked for: members by their keys, and whoever has a match key.
#[derive(Clone)]
pub struct Wanted {
    /// The members.
    pub members: BTreeSet<MemberKey>,
    /// Digest of the match key.
    match_key: Option<u128>,
}

impl Wanted {
    /// Whom a request is about. Of a match key, the members are still to be found.
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

    /// Whether members are still to be found.
    #[must_use]
    pub const fn is_by_match_key(&self) -> bool {
        self.match_key.is_some()
    }

    /// Whether somebody with this match key is meant. Case makes no difference, nor do spaces around it.
    #[must_use]
    pub fn has_match_key(&self, match_key: &str) -> bool {
        self.match_key.is_some_and(|wanted| MatchKey(match_key.trim().to_owned()).digest() == wanted)
    }

    /// Whether a record of this member, with this match key, is about somebody who is meant.
    #[must_use]
    pub fn has(&self, member_key: &str, match_key: &str) -> bool {
        self.has_member(member_key) || self.has_match_key(match_key)
    }

    /// Whether this member is meant.
    #[must_use]
    pub fn has_member(&self, member_key: &str) -> bool {
        // A match key may stand for thousands of members, and each record of every place is held against them.
        self.members.contains(&MemberKey(member_key.to_owned()))
    }
}

/// What is kept in one place.
#[derive(Clone, Serialize, Deserialize)]
pub struct FoundPlace {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// Each record, by the names of its fields.
    pub kept: Vec<Map<String, Value>>,
}

/// Everything that is kept about a person. Personal data, so it has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Found {
    /// The request.
    pub request_id: PersonRequestId,
    /// When it was looked for.
    pub made_at: Timestamp,
    /// The members that the person is.
    pub members: BTreeSet<MemberKey>,
    /// Where something is kept, and what.
    pub places: Vec<FoundPlace>,
    /// What was not searched, because it ends by itself.
    pub ends_by_itself: Vec<EndsByItself>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(person: &Person, member_key: &str, match_key: &str, is_meant: bool) {
        assert_eq!(Wanted::new(person).has(member_key, match_key), is_meant, "{member_key} {match_key}");
    }

    #[test]
    fn people_are_meant_by_either_key() {
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
