//! What happens at the destination without us: strangers on the list, people who unsubscribe, mail that bounces.

use fastrand::Rng;
use sandbox::campaign_monitor::{Change, ListId, Sandbox, SeedSubscriber, SubscriberState};

use super::People;
use crate::Error;

fn answer(error: impl std::fmt::Display) -> Error {
    Error::Answer(error.to_string())
}

/// Before the first run: strangers who are none of our business, and customers who have a history there.
pub(super) fn history(
    sandbox: &Sandbox,
    list: &ListId,
    people: &People,
    rng: &mut Rng,
) -> Result<usize, Error> {
    let mut seeded = 0;
    let mut seed = |subscriber: SeedSubscriber| {
        seeded += 1;
        sandbox.seed_subscriber(list, subscriber).map_err(answer)
    };
    for number in 0..50 {
        seed(SeedSubscriber::new(
            format!("stranger{number}@elsewhere.example.org"),
            SubscriberState::Active,
        ))?;
    }
    let states = [SubscriberState::Unsubscribed, SubscriberState::Bounced, SubscriberState::Deleted];
    let known: Vec<String> = people.persons.iter().filter_map(super::verify::address).collect();
    let mut taken = std::collections::BTreeSet::new();
    for number in 0..60_usize.min(known.len() / 10) {
        let Some(email) = rng.choice(&known).filter(|email| taken.insert((*email).clone())) else { continue };
        let state = states.get(number % states.len()).copied().unwrap_or(SubscriberState::Bounced);
        seed(SeedSubscriber::new(email.clone(), state))?;
    }
    Ok(seeded)
}

/// While time passes: some of those whom we put on the list unsubscribe, bounce, are suppressed or are deleted by
/// an administrator.
pub(super) fn time_passes(sandbox: &Sandbox, list: &ListId, rng: &mut Rng) -> Result<usize, Error> {
    let mut active: Vec<String> = sandbox
        .dump(list)
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
        sandbox.change_subscriber(list, email, change).map_err(answer)?;
    }
    Ok(count)
}
