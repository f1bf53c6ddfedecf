//! Omnisend in the demo: changes of the brand's contacts by others, and the verification of the segment's
//! tag.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use fastrand::Rng;
use sandbox::omnisend::{BrandId, Change, ContactsQuery, ListedContact, Sandbox, SeedContact, Status};
use serde_json::Value;

use super::findings::{Findings, Owner, Shown, address, first_wrong, reachable};
use super::{People, Person};
use crate::Error;

/// The tag in the export's options.
const TAG: &str = "Newsletter";
/// A tag given by others, which must be kept.
const FOREIGN_TAG: &str = "vip";
/// Tags change asynchronously, a moment after the call.
const TAGS_SETTLE_WITHIN: Duration = Duration::from_secs(20);

/// Changes by others that an export must not undo.
#[derive(Default)]
pub(super) struct Elsewhere {
    /// The subscription statuses that contacts chose themselves.
    statuses: BTreeMap<String, Status>,
    foreign_tags: BTreeSet<String>,
    untagged: BTreeSet<String>,
    deleted: BTreeSet<String>,
}

fn answer(error: impl std::fmt::Display) -> Error {
    Error::Answer(error.to_string())
}

impl Elsewhere {
    /// Sets up the state before the first run: unrelated people with the tag, and customers who are
    /// contacts already.
    pub(super) fn history(
        &mut self,
        sandbox: &Sandbox,
        brand: &BrandId,
        people: &People,
        rng: &mut Rng,
    ) -> Result<usize, Error> {
        let stranger = |number| format!("stranger{number}@elsewhere.example.org");
        let mut contacts: Vec<SeedContact> = (0..50)
            .map(|number| SeedContact::new(stranger(number), Status::Subscribed).tagged(&[TAG]))
            .collect();
        let mut customers: Vec<String> =
            people.persons.iter().filter_map(address).filter(|email| email.is_ascii()).collect();
        customers.sort();
        customers.dedup();
        rng.shuffle(&mut customers);
        customers.truncate(60.min(customers.len() / 10));
        let statuses = [Status::Subscribed, Status::Unsubscribed, Status::NonSubscribed];
        for (email, status) in customers.into_iter().zip(statuses.into_iter().cycle()) {
            contacts.push(SeedContact::new(&email, status).tagged(&[FOREIGN_TAG]));
            self.foreign_tags.insert(email.clone());
            self.statuses.insert(email, status);
        }
        let count = contacts.len();
        sandbox.seed_contacts(brand, contacts).map_err(answer)?;
        Ok(count)
    }

    /// Simulates changes over time: some people with the tag unsubscribe, lose the tag or are deleted.
    pub(super) fn time_passes(
        &mut self,
        sandbox: &Sandbox,
        brand: &BrandId,
        rng: &mut Rng,
    ) -> Result<usize, Error> {
        let emails = tagged(sandbox, brand)?.into_keys().filter(|email| !is_stranger(email));
        let mut emails: Vec<String> = emails.collect();
        rng.shuffle(&mut emails);
        let count = (emails.len() / 50).min(100);
        for (number, email) in emails.into_iter().take(count).enumerate() {
            let change = match number % 3 {
                0 => Change::Status(Status::Unsubscribed),
                1 => Change::RemoveTag(TAG.to_owned()),
                _ => Change::Delete,
            };
            sandbox.change_contact(brand, &email, change.clone()).map_err(answer)?;
            match change {
                Change::Status(status) => drop(self.statuses.insert(email, status)),
                Change::Delete => {
                    self.statuses.remove(&email);
                    self.foreign_tags.remove(&email);
                    self.deleted.insert(email);
                }
                _ => drop(self.untagged.insert(email)),
            }
        }
        Ok(count)
    }

    /// Verifies the tag, and the actions that no export may take.
    pub(super) async fn verify(
        &self,
        sandbox: &Sandbox,
        brand: &BrandId,
        people: &People,
    ) -> Result<Vec<Findings>, Error> {
        settle(sandbox, brand).await?;
        let tagged = tagged(sandbox, brand)?;
        let show = |email: &String, person: &Person| match tagged.get(email) {
            Some(contact) => self.contact(email, contact, person),
            None if self.deleted.contains(email) => Shown::Exception("deleted by an administrator"),
            None if self.untagged.contains(email) => Shown::Exception("tag removed by an administrator"),
            None if !email.is_ascii() => Shown::Exception("address refused by the destination"),
            None => Shown::Wrong("missing".to_owned()),
        };
        let owner = |email: &str| if is_stranger(email) { Owner::Stranger } else { Owner::Export };
        let listed = tagged.keys().map(|email| (email.clone(), owner(email)));
        let mut findings = Findings::of("tag", reachable(people.subscribers()), listed, show);
        self.check_foreign(sandbox, brand, &mut findings)?;
        let seen = sandbox.report();
        let tags_lost = seen.tags.foreign_lost_by_writes + seen.tags.foreign_lost_by_removals;
        findings.mismatch("subscriptions raised", seen.statuses.raised);
        findings.mismatch("subscriptions lowered", seen.statuses.lowered);
        findings.mismatch("people subscribed", seen.statuses.created_subscribed);
        findings.mismatch("welcome messages", seen.welcome_messages);
        findings.mismatch("foreign tags lost", tags_lost);
        findings.mismatch("foreign properties lost", seen.foreign_properties_lost);
        sandbox.reset_report();
        Ok(vec![findings])
    }

    fn contact(&self, email: &str, contact: &ListedContact, person: &Person) -> Shown {
        let text = |name: &str| contact.fields.get(name).map_or("", String::as_str);
        let points = contact.custom_properties.get("points").and_then(Value::as_f64);
        let expected_points = person.points.map(|points| points.to_string().parse());
        let birthday = person.birthday.map(|day| day.to_string());
        let status = self.statuses.get(email).copied().unwrap_or_default();
        first_wrong([
            ("name", text("firstName") != person.name),
            ("address", !person.address.is_empty() && text("address") != person.address),
            ("city", !person.city.is_empty() && text("city") != person.city),
            // The vendor documents no way to clear a property, so an old number may remain.
            ("points", expected_points.is_some_and(|expected| expected.ok() != points)),
            ("birthday", birthday.is_some_and(|day| text("birthdate") != day)),
            ("subscription", contact.status != status),
        ])
    }

    /// Verifies that changes by others are kept, for members and other contacts.
    fn check_foreign(
        &self,
        sandbox: &Sandbox,
        brand: &BrandId,
        findings: &mut Findings,
    ) -> Result<(), Error> {
        for email in &self.foreign_tags {
            let contact = sandbox.contact(brand, email).map_err(answer)?;
            let has_tag = contact.tags.iter().any(|tag| tag == FOREIGN_TAG);
            findings.mismatch("tags of others lost", usize::from(!has_tag));
        }
        for (email, status) in &self.statuses {
            let contact = sandbox.contact(brand, email).map_err(answer)?;
            findings.mismatch("subscriptions of others changed", usize::from(contact.status != *status));
        }
        Ok(())
    }
}

fn is_stranger(email: &str) -> bool {
    email.starts_with("stranger")
}

/// Waits until pending calls about tags are done.
async fn settle(sandbox: &Sandbox, brand: &BrandId) -> Result<(), Error> {
    let began = Instant::now();
    while sandbox.counts(brand).map_err(answer)?.pending_taggings > 0 {
        if began.elapsed() > TAGS_SETTLE_WITHIN {
            return Err(Error::Missing("tags are still changing at Omnisend".to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

fn tagged(sandbox: &Sandbox, brand: &BrandId) -> Result<BTreeMap<String, ListedContact>, Error> {
    let mut all = BTreeMap::new();
    let mut query = ContactsQuery { tag: Some(TAG.to_owned()), ..ContactsQuery::default() };
    loop {
        let page = sandbox.contacts(brand, &query).map_err(answer)?;
        for contact in page.contacts {
            if let Some(email) = contact.email.clone() {
                all.insert(email.to_lowercase(), contact);
            }
        }
        match page.next {
            Some(next) => query.from = next,
            None => return Ok(all),
        }
    }
}
