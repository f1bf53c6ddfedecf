//! What a destination's own list shows, held against the people without asking anything of Segment Relay.

use std::collections::{BTreeMap, BTreeSet};

use super::Person;

/// What was found on one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// What the table calls the list.
    pub(super) list: &'static str,
    /// People who should be on it.
    pub(super) expected: usize,
    /// People who should be and are, with the right values.
    pub(super) present: usize,
    /// People who should be and are not, for a reason of the destination's, by reason.
    pub(super) exceptions: BTreeMap<&'static str, usize>,
    /// People on it who are none of ours.
    pub(super) strangers: usize,
    /// What is wrong, without anybody's address: "missing", "left over", "wrong value of …".
    pub(super) mismatches: BTreeMap<String, usize>,
}

/// What the destination shows of one person who should be on a list.
pub(super) enum Shown {
    /// On the list, as it should be.
    Present,
    /// Not on the list, for a reason of the destination's.
    Exception(&'static str),
    /// Something that must not be.
    Wrong(String),
}

/// On whose behalf somebody is on a list.
pub(super) enum Owner {
    /// An export has put them there.
    Export,
    /// Somebody else has.
    Stranger,
}

impl Findings {
    /// Looks for everybody who should be on a list, once for each key, and then at everybody who is on it.
    pub(super) fn of<'a, K: Ord + Clone>(
        list: &'static str,
        members: impl Iterator<Item = (K, &'a Person)>,
        listed: impl Iterator<Item = (K, Owner)>,
        show: impl Fn(&K, &Person) -> Shown,
    ) -> Self {
        let mut findings = Self { list, ..Self::default() };
        let mut expected = BTreeSet::new();
        for (key, person) in members {
            if !expected.insert(key.clone()) {
                continue;
            }
            findings.expected += 1;
            match show(&key, person) {
                Shown::Present => findings.present += 1,
                Shown::Exception(reason) => *findings.exceptions.entry(reason).or_insert(0) += 1,
                Shown::Wrong(what) => findings.mismatch(what, 1),
            }
        }
        for (key, owner) in listed {
            match owner {
                Owner::Stranger => findings.strangers += 1,
                Owner::Export if !expected.contains(&key) => findings.mismatch("left over", 1),
                Owner::Export => {}
            }
        }
        findings
    }

    /// How much is not as it should be.
    pub(super) fn mismatch_count(&self) -> usize {
        self.mismatches.values().sum()
    }

    /// Counts something that may never happen.
    pub(super) fn mismatch(&mut self, what: impl Into<String>, count: usize) {
        if count > 0 {
            *self.mismatches.entry(what.into()).or_insert(0) += count;
        }
    }
}

/// The first of some values that is wrong.
pub(super) fn first_wrong<const N: usize>(values: [(&str, bool); N]) -> Shown {
    match values.iter().find(|(_, is_wrong)| *is_wrong) {
        None => Shown::Present,
        Some((name, _)) => Shown::Wrong(format!("wrong value of {name}")),
    }
}

/// The address that a person can be reached at, if any: the demo's own opinion.
pub(super) fn address(person: &Person) -> Option<String> {
    let email = person.email.as_ref()?.trim().to_lowercase();
    let (local, domain) = email.split_once('@')?;
    let is_plain = !local.is_empty() && !local.contains(' ') && domain.contains('.');
    is_plain.then_some(email)
}

/// Everybody of a segment who can be reached, with the address.
pub(super) fn reachable<'a>(
    members: impl Iterator<Item = &'a Person>,
) -> impl Iterator<Item = (String, &'a Person)> {
    members.filter_map(|person| Some((address(person)?, person)))
}
