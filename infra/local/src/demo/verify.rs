//! Holds the destination's own lists against the people, without asking anything of Segment Relay.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::campaign_monitor::{ListId, ListedSubscriber, Origin, Sandbox, SubscriberState};

use super::{People, Person};
use crate::Error;

/// Big spenders have spent as much, in cents.
const BIG_SPENDER_CENTS: u64 = 50_000;
/// The destination's custom fields hold as many characters.
const FIELD_CHARACTERS: usize = 250;

/// The demo's two lists.
#[derive(Clone, Debug)]
pub struct Lists {
    /// Everybody who asked for the newsletter.
    pub newsletter: ListId,
    /// Those of them who have spent much.
    pub spenders: ListId,
}

/// What was found on one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// People who should be on it.
    pub expected: usize,
    /// People who should be and are, with the right values.
    pub present: usize,
    /// People who should be and are not, for a reason of the destination's, by reason.
    pub exceptions: BTreeMap<&'static str, usize>,
    /// People on it who are none of ours.
    pub strangers: usize,
    /// What is wrong, without anybody's address: "missing", "left over", "wrong value of …".
    pub mismatches: BTreeMap<String, usize>,
}

impl Findings {
    /// How many people are not as they should be.
    #[must_use]
    pub fn mismatch_count(&self) -> usize {
        self.mismatches.values().sum()
    }

    fn mismatch(&mut self, what: impl Into<String>) {
        *self.mismatches.entry(what.into()).or_insert(0) += 1;
    }
}

/// The address that a person can be reached at, if any: the demo's own opinion.
pub(super) fn address(person: &Person) -> Option<String> {
    let email = person.email.as_ref()?.trim().to_lowercase();
    let (local, domain) = email.split_once('@')?;
    let is_plain = !local.is_empty() && !local.contains(' ') && domain.contains('.');
    is_plain.then_some(email)
}

/// Checks both lists.
pub fn verify(sandbox: &Sandbox, lists: &Lists, people: &People) -> Result<[Findings; 2], Error> {
    let spent = people.spent_cents();
    let is_big_spender =
        |person: &Person| spent.get(person.id.as_str()).is_some_and(|cents| *cents >= BIG_SPENDER_CENTS);
    let newsletter =
        one(sandbox, &lists.newsletter, people.persons.iter().filter(|person| person.newsletter))?;
    let spenders = people.persons.iter().filter(|person| person.newsletter && is_big_spender(person));
    Ok([newsletter, one(sandbox, &lists.spenders, spenders)?])
}

fn one<'a>(
    sandbox: &Sandbox,
    list: &ListId,
    members: impl Iterator<Item = &'a Person>,
) -> Result<Findings, Error> {
    let listed = sandbox.dump(list).map_err(|error| Error::Answer(error.to_string()))?;
    let listed: BTreeMap<String, ListedSubscriber> =
        listed.into_iter().map(|subscriber| (subscriber.email.to_lowercase(), subscriber)).collect();
    let mut findings = Findings::default();
    let mut expected = BTreeSet::new();
    for person in members {
        let Some(email) = address(person) else { continue };
        if !expected.insert(email.clone()) {
            continue;
        }
        findings.expected += 1;
        match listed.get(&email) {
            Some(subscriber) if subscriber.state == SubscriberState::Active => {
                match wrong_value(subscriber, person) {
                    None => findings.present += 1,
                    Some(field) => findings.mismatch(format!("wrong value of {field}")),
                }
            }
            Some(subscriber) => *findings.exceptions.entry(exception(subscriber)).or_insert(0) += 1,
            None if !email.is_ascii() => {
                *findings.exceptions.entry("address refused by the destination").or_insert(0) += 1;
            }
            None => findings.mismatch("missing"),
        }
    }
    for (email, subscriber) in &listed {
        if subscriber.state != SubscriberState::Active || expected.contains(email) {
            continue;
        }
        if subscriber.origin == Origin::Import {
            findings.mismatch("left over");
        } else {
            findings.strangers += 1;
        }
    }
    Ok(findings)
}

const fn exception(subscriber: &ListedSubscriber) -> &'static str {
    match subscriber.state {
        _ if subscriber.suppressed => "suppressed",
        SubscriberState::Unsubscribed => "unsubscribed",
        SubscriberState::Bounced => "bounced",
        SubscriberState::Deleted => "deleted by an administrator",
        SubscriberState::Unconfirmed => "not yet confirmed",
        SubscriberState::Active => "active",
    }
}

fn wrong_value(subscriber: &ListedSubscriber, person: &Person) -> Option<&'static str> {
    let field = |name: &str| {
        let plain = |key: &str| key.trim_matches(['[', ']']).to_lowercase();
        subscriber
            .custom_fields
            .iter()
            .find(|field| plain(&field.key) == name)
            .map_or("", |field| field.value.as_str())
    };
    let address: String = person.address.chars().take(FIELD_CHARACTERS).collect();
    let points = person.points.map(|points| points.to_string()).unwrap_or_default();
    let is_wrong = [
        ("name", subscriber.name != person.name),
        ("address", !address.is_empty() && field("address") != address),
        ("city", !person.city.is_empty() && field("city") != person.city),
        ("points", field("points") != points),
    ];
    is_wrong.into_iter().find(|(_, wrong)| *wrong).map(|(name, _)| name)
}
