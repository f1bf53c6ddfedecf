//! Marketo Engage in the demo: changes in the account by others, and the verification of the static list.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use sandbox::marketo::{LeadId, ListId, Sandbox, SeedLead, ShownLead};
use serde_json::{Map, Value, json};

use super::findings::{Findings, Owner, Shown, address, first_wrong, reachable};
use super::{People, Person};
use crate::Error;

/// The maximum length of a text field, in characters.
const FIELD_CHARACTERS: usize = 255;
/// A field that no export of the demo maps: values of others must be kept.
const FOREIGN_FIELD: &str = "leadSource";
const FOREIGN_VALUE: &str = "Trade fair";
const LEADS_A_LOOK: usize = 10_000;

/// Changes by others that an export must not undo.
#[derive(Default)]
pub(super) struct Elsewhere {
    twice: BTreeSet<String>,
    known_before: BTreeSet<String>,
    strangers: BTreeSet<String>,
    taken_off: BTreeSet<String>,
    deleted: BTreeSet<String>,
}

fn answer(error: impl std::fmt::Display) -> Error {
    Error::Answer(error.to_string())
}

fn lead(email: &str) -> SeedLead {
    let fields = json!({ "email": email, FOREIGN_FIELD: FOREIGN_VALUE });
    SeedLead { fields: fields.as_object().cloned().unwrap_or_default(), ..SeedLead::default() }
}

impl Elsewhere {
    /// Sets up the state before the first run: unrelated people, customers who already exist, and some who
    /// exist twice.
    pub(super) fn history(
        &mut self,
        sandbox: &Sandbox,
        people: &People,
        rng: &mut Rng,
    ) -> Result<usize, Error> {
        self.strangers = (0..50).map(|number| format!("stranger{number}@elsewhere.example.org")).collect();
        let mut customers: Vec<String> =
            people.subscribers().filter_map(address).filter(|email| email.is_ascii()).collect();
        customers.sort();
        customers.dedup();
        rng.shuffle(&mut customers);
        let count = 60.min(customers.len() / 10);
        self.known_before = customers.iter().take(count).cloned().collect();
        self.twice = customers.iter().take(count / 3).cloned().collect();
        let all = self.strangers.iter().chain(&self.known_before).chain(&self.twice);
        Ok(sandbox.seed_leads(all.map(|email| lead(email)).collect()).map_err(answer)?.len())
    }

    /// Simulates changes over time: colleagues add unrelated people to the list, remove some exported ones,
    /// and delete others.
    pub(super) fn time_passes(&mut self, sandbox: &Sandbox, rng: &mut Rng) -> Result<usize, Error> {
        let list = list(sandbox)?;
        let mut members = sandbox.member_emails(list).map_err(answer)?;
        let mut strangers = Vec::new();
        for email in self.strangers.iter().take(25) {
            strangers.extend(leads(sandbox, email)?);
        }
        sandbox.seed_members(list, &strangers).map_err(answer)?;
        rng.shuffle(&mut members);
        let count = (members.len() / 50).min(100);
        for (number, email) in members.iter().take(count).enumerate() {
            let ids = leads(sandbox, email)?;
            let key = email.to_lowercase();
            if number % 2 == 0 {
                sandbox.remove_members(list, &ids).map_err(answer)?;
                self.taken_off.insert(key);
                continue;
            }
            for id in ids {
                sandbox.delete_lead(id).map_err(answer)?;
            }
            self.known_before.remove(&key);
            self.deleted.insert(key);
        }
        Ok(count + strangers.len())
    }

    /// Verifies the list, and the actions that no export may take.
    pub(super) fn verify(&self, sandbox: &Sandbox, people: &People) -> Result<Vec<Findings>, Error> {
        let members: BTreeSet<String> = sandbox
            .member_emails(list(sandbox)?)
            .map_err(answer)?
            .into_iter()
            .map(|email| email.to_lowercase())
            .collect();
        let leads = all_leads(sandbox);
        let show = |email: &String, person: &Person| {
            if let (true, Some(lead)) = (members.contains(email), leads.get(email)) {
                return values(&lead.fields, person);
            }
            match email {
                _ if self.twice.contains(email) => Shown::Exception("twice in the database"),
                _ if self.deleted.contains(email) => Shown::Exception("deleted by an administrator"),
                _ if self.taken_off.contains(email) => Shown::Exception("removed by an administrator"),
                _ if !email.is_ascii() => Shown::Exception("address refused by the destination"),
                _ => Shown::Wrong("missing".to_owned()),
            }
        };
        let owner =
            |email: &String| if self.strangers.contains(email) { Owner::Stranger } else { Owner::Export };
        let listed = members.iter().map(|email| (email.clone(), owner(email)));
        let mut findings = Findings::of("static list", reachable(people.subscribers()), listed, show);
        let has_lost = |email: &&String| {
            let lead = leads.get(*email);
            lead.is_none_or(|lead| lead.fields.get(FOREIGN_FIELD) != Some(&json!(FOREIGN_VALUE)))
        };
        findings.mismatch("foreign values lost", self.known_before.iter().filter(has_lost).count());
        let seen = sandbox.report();
        findings.mismatch("duplicates created", seen.duplicate_leads);
        findings.mismatch("people deleted", seen.leads_deleted);
        findings.mismatch("other members removed", seen.removals_of_seeded);
        for violation in &seen.specification_violations {
            findings.mismatch(format!("specification violated: {violation}"), 1);
        }
        sandbox.reset_report();
        Ok(vec![findings])
    }
}

fn list(sandbox: &Sandbox) -> Result<ListId, Error> {
    let lists = sandbox.lists();
    let list = lists.first().ok_or_else(|| Error::Missing("the run created no static list".to_owned()))?;
    Ok(list.id)
}

fn leads(sandbox: &Sandbox, email: &str) -> Result<Vec<LeadId>, Error> {
    let found = sandbox.leads_by("email", email).map_err(answer)?;
    Ok(found.into_iter().map(|lead| lead.id).collect())
}

fn all_leads(sandbox: &Sandbox) -> BTreeMap<String, ShownLead> {
    let mut all = BTreeMap::new();
    let mut last = LeadId::default();
    loop {
        let page = sandbox.leads(last, LEADS_A_LOOK);
        let Some(end) = page.last() else { return all };
        last = end.id;
        for lead in page {
            if let Some(email) = lead.fields.get("email").and_then(Value::as_str) {
                all.insert(email.to_lowercase(), lead);
            }
        }
    }
}

fn values(fields: &Map<String, Value>, person: &Person) -> Shown {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let points = fields.get("loyaltyPoints").and_then(Value::as_i64);
    let address: String = person.address.chars().take(FIELD_CHARACTERS).collect();
    let birthday = person.birthday.map(|day| day.to_string());
    first_wrong([
        ("name", text("firstName") != person.name),
        ("address", !address.is_empty() && text("address") != address),
        ("city", !person.city.is_empty() && text("city") != person.city),
        ("points", points != person.points),
        ("birthday", birthday.is_some_and(|day| text("dateOfBirth") != day)),
    ])
}
