//! Campaign Monitor in the demo: changes on its lists by others, and their verification.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use sandbox::campaign_monitor::{
    Change, ListId, ListedSubscriber, Origin, Sandbox, SeedSubscriber, SubscriberState,
};

use super::findings::{Findings, Owner, Shown, address, first_wrong, reachable};
use super::{People, Person};
use crate::Error;
use crate::world::World;

/// The minimum that a big spender has spent, in cents.
const BIG_SPENDER_CENTS: u64 = 50_000;
/// The maximum length of the destination's custom fields, in characters.
const FIELD_CHARACTERS: usize = 250;

/// The demo's two lists.
#[derive(Clone, Debug)]
pub struct Lists {
    /// Everyone who asked for the newsletter.
    pub newsletter: ListId,
    /// The newsletter subscribers who have spent much.
    pub spenders: ListId,
}

impl Lists {
    /// Creates them.
    pub(super) fn create(world: &World) -> Result<Self, Error> {
        Ok(Self {
            newsletter: world.create_list("Newsletter")?,
            spenders: world.create_list("Big spenders")?,
        })
    }
}

fn answer(error: impl std::fmt::Display) -> Error {
    Error::Answer(error.to_string())
}

/// Sets up the state before the first run: unrelated subscribers, and customers with a history.
pub(super) fn history(
    sandbox: &Sandbox,
    lists: &Lists,
    people: &People,
    rng: &mut Rng,
) -> Result<usize, Error> {
    let mut seeded = 0;
    let mut seed = |subscriber: SeedSubscriber| {
        seeded += 1;
        sandbox.seed_subscriber(&lists.newsletter, subscriber).map_err(answer)
    };
    for number in 0..50 {
        seed(SeedSubscriber::new(
            format!("stranger{number}@elsewhere.example.org"),
            SubscriberState::Active,
        ))?;
    }
    let states = [SubscriberState::Unsubscribed, SubscriberState::Bounced, SubscriberState::Deleted];
    let known: Vec<String> = people.persons.iter().filter_map(address).collect();
    let mut taken = BTreeSet::new();
    for number in 0..60_usize.min(known.len() / 10) {
        let Some(email) = rng.choice(&known).filter(|email| taken.insert((*email).clone())) else { continue };
        let state = states.get(number % states.len()).copied().unwrap_or(SubscriberState::Bounced);
        seed(SeedSubscriber::new(email.clone(), state))?;
    }
    Ok(seeded)
}

/// Simulates changes over time: some of the exported subscribers unsubscribe, bounce, are suppressed or are
/// deleted by an administrator.
pub(super) fn time_passes(sandbox: &Sandbox, lists: &Lists, rng: &mut Rng) -> Result<usize, Error> {
    let mut active: Vec<String> = sandbox
        .dump(&lists.newsletter)
        .map_err(answer)?
        .into_iter()
        .filter(|subscriber| subscriber.state == SubscriberState::Active)
        .map(|subscriber| subscriber.email)
        .filter(|email| !email.starts_with("stranger"))
        .collect();
    active.sort();
    rng.shuffle(&mut active);
    let changes =
        [Change::Unsubscribe, Change::Unsubscribe, Change::Bounce, Change::Suppress, Change::Delete];
    let count = (active.len() / 50).min(100);
    for (number, email) in active.iter().take(count).enumerate() {
        let change = changes.get(number % changes.len()).copied().unwrap_or(Change::Unsubscribe);
        sandbox.change_subscriber(&lists.newsletter, email, change).map_err(answer)?;
    }
    Ok(count)
}

/// Verifies both lists, and the actions that no export may take.
pub(super) fn verify(sandbox: &Sandbox, lists: &Lists, people: &People) -> Result<Vec<Findings>, Error> {
    let spent = people.spent_cents();
    let is_big_spender =
        |person: &&Person| spent.get(person.id.as_str()).is_some_and(|cents| *cents >= BIG_SPENDER_CENTS);
    let mut newsletter = one(sandbox, "newsletter", &lists.newsletter, people.subscribers())?;
    let spenders = people.subscribers().filter(is_big_spender);
    let spenders = one(sandbox, "big spenders", &lists.spenders, spenders)?;
    let seen = sandbox.report();
    newsletter.mismatch("inactive subscribers deleted", seen.foreign_deletes);
    newsletter.mismatch("other subscribers deleted", seen.deletes_of_seeded);
    sandbox.reset_report();
    Ok(vec![newsletter, spenders])
}

fn one<'a>(
    sandbox: &Sandbox,
    name: &'static str,
    list: &ListId,
    members: impl Iterator<Item = &'a Person>,
) -> Result<Findings, Error> {
    let listed = sandbox.dump(list).map_err(answer)?;
    let listed: BTreeMap<String, ListedSubscriber> =
        listed.into_iter().map(|subscriber| (subscriber.email.to_lowercase(), subscriber)).collect();
    let show = |email: &String, person: &Person| match listed.get(email) {
        Some(subscriber) if subscriber.state == SubscriberState::Active => values(subscriber, person),
        Some(subscriber) => Shown::Exception(exception(subscriber)),
        None if !email.is_ascii() => Shown::Exception("address refused by the destination"),
        None => Shown::Wrong("missing".to_owned()),
    };
    let active = listed.iter().filter(|(_, subscriber)| subscriber.state == SubscriberState::Active);
    let owner = |subscriber: &ListedSubscriber| match subscriber.origin {
        Origin::Import => Owner::Export,
        _ => Owner::Stranger,
    };
    let active = active.map(|(email, subscriber)| (email.clone(), owner(subscriber)));
    Ok(Findings::of(name, reachable(members), active, show))
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

fn values(subscriber: &ListedSubscriber, person: &Person) -> Shown {
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
    first_wrong([
        ("name", subscriber.name != person.name),
        ("address", !address.is_empty() && field("address") != address),
        ("city", !person.city.is_empty() && field("city") != person.city),
        ("points", field("points") != points),
    ])
}
