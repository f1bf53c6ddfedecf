//! Compares a destination's own list with the people, independently of Segment Relay.

use std::collections::{BTreeMap, BTreeSet};

use super::Person;

/// The findings on one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// The list's name in the table.
    pub(super) list: &'static str,
    /// The number of people who should be on it.
    pub(super) expected: usize,
    /// The number of expected people who are on it, with the right values.
    pub(super) present: usize,
    /// The number of expected people who are not on it, by the destination's reason.
    pub(super) exceptions: BTreeMap<&'static str, usize>,
    /// The number of other people on it.
    pub(super) strangers: usize,
    /// The mismatches, without any address: "missing", "left over", "wrong value of …".
    pub(super) mismatches: BTreeMap<String, usize>,
}

/// The state of one expected person at the destination.
pub(super) enum Shown {
    /// On the list, with the right values.
    Present,
    /// Not on the list, for a reason of the destination's.
    Exception(&'static str),
    /// An error.
    Wrong(String),
}

/// Who added a person to a list.
#[derive(Clone, Copy)]
pub(super) enum Owner {
    /// An export.
    Export,
    /// Another user of the destination.
    Stranger,
}

impl Findings {
    /// Checks everyone who should be on a list, once for each key, and then everyone who is on it.
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

    /// Returns the number of mismatches.
    pub(super) fn mismatch_count(&self) -> usize {
        self.mismatches.values().sum()
    }

    /// Counts a violation.
    pub(super) fn mismatch(&mut self, what: impl Into<String>, count: usize) {
        if count > 0 {
            *self.mismatches.entry(what.into()).or_insert(0) += count;
        }
    }
}

/// Returns the first wrong value.
pub(super) fn first_wrong<const N: usize>(values: [(&str, bool); N]) -> Shown {
    match values.iter().find(|(_, is_wrong)| *is_wrong) {
        None => Shown::Present,
        Some((name, _)) => Shown::Wrong(format!("wrong value of {name}")),
    }
}

/// Returns a person's valid address, if any, independently of Segment Relay.
pub(super) fn address(person: &Person) -> Option<String> {
    let email = person.email.as_ref()?.trim().to_lowercase();
    let (local, domain) = email.split_once('@')?;
    let is_plain = !local.is_empty() && !local.contains(' ') && domain.contains('.');
    is_plain.then_some(email)
}

/// Returns everyone of a segment with a valid address.
pub(super) fn reachable<'a>(
    members: impl Iterator<Item = &'a Person>,
) -> impl Iterator<Item = (String, &'a Person)> {
    members.filter_map(|person| Some((address(person)?, person)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::People;
    use fastrand::Rng;

    /// Checks two people with a given state on a list with some keys.
    #[track_caller]
    fn check(listed: &[(usize, Owner)], show: fn() -> Shown, expected: (usize, usize, &[(&str, usize)])) {
        let people = People::new(3, &mut Rng::with_seed(1));
        // The last one is a second profile of the first.
        let members = people.persons.iter().enumerate().map(|(number, person)| (number % 2, person));
        let findings = Findings::of("list", members, listed.iter().copied(), |_, _| show());
        let mismatches: Vec<(&str, usize)> =
            findings.mismatches.iter().map(|(what, count)| (what.as_str(), *count)).collect();
        assert_eq!(findings.expected, 2);
        assert_eq!((findings.present, findings.strangers, mismatches.as_slice()), expected);
        assert_eq!(findings.mismatch_count(), mismatches.iter().map(|(_, count)| count).sum::<usize>());
    }

    #[test]
    fn what_is_wrong_is_counted_and_what_is_excused_is_not() {
        let both = [(0, Owner::Export), (1, Owner::Export)];
        check(&both, || Shown::Present, (2, 0, &[]));
        check(&[], || Shown::Exception("unsubscribed"), (0, 0, &[]));
        check(&[], || Shown::Wrong("missing".to_owned()), (0, 0, &[("missing", 2)]));
        check(&[(7, Owner::Export)], || Shown::Present, (2, 0, &[("left over", 1)]));
        check(&[(7, Owner::Stranger)], || Shown::Present, (2, 1, &[]));
        let wrong = || first_wrong([("name", false), ("city", true), ("points", true)]);
        check(&both, wrong, (0, 0, &[("wrong value of city", 2)]));
    }

    #[test]
    fn what_may_never_happen_counts_if_it_happened() {
        let mut findings = Findings::default();
        findings.mismatch("people deleted", 0);
        assert_eq!(findings, Findings::default());
        findings.mismatch("people deleted", 2);
        findings.mismatch("people deleted", 1);
        assert_eq!(findings.mismatch_count(), 3);
    }
}
