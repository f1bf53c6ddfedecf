//! Dynamics 365 Sales in the demo: changes of contacts by others, and the verification of the marketing
//! list.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use sandbox::dynamics365_sales::{ContactChange, ContactState, Guid, NewContact, Origin, Sandbox};

use super::findings::{Findings, Owner, Shown};
use super::{People, Person};
use crate::Error;

/// The first number of contacts that are not in the lake.
const FIRST_STRANGER: u64 = 10_000_000;
const STRANGERS: u64 = 50;

/// Changes by others that an export must not undo.
#[derive(Default)]
pub(super) struct Elsewhere {
    /// The number of customers whose contacts are known to exist or not.
    known_persons: usize,
    unknown: BTreeSet<Guid>,
    inactive: BTreeSet<Guid>,
    deleted: BTreeSet<Guid>,
}

fn answer(error: impl std::fmt::Display) -> Error {
    Error::Answer(error.to_string())
}

/// Returns the contact that a person's id refers to, if any, independently of Segment Relay.
fn contact_id(person: &Person) -> Option<Guid> {
    let id = person.contact_id.as_deref()?.trim();
    let inner = id.strip_prefix('{').and_then(|id| id.strip_suffix('}'));
    Guid::parse(inner.unwrap_or(id))
}

fn strangers() -> Vec<Guid> {
    (FIRST_STRANGER..FIRST_STRANGER + STRANGERS).map(Guid::numbered).collect()
}

impl Elsewhere {
    /// Creates contacts for new customers: most active, some inactive, some missing.
    pub(super) fn people_come(&mut self, sandbox: &Sandbox, people: &People, rng: &mut Rng) -> usize {
        let mut contacts = Vec::new();
        if self.known_persons == 0 {
            let stranger = |contact_id| NewContact { contact_id, state: ContactState::Active, email: None };
            contacts.extend(strangers().into_iter().map(stranger));
        }
        let mut seen: BTreeSet<Guid> =
            people.persons.iter().take(self.known_persons).filter_map(contact_id).collect();
        for contact_id in people.persons.iter().skip(self.known_persons).filter_map(contact_id) {
            if !seen.insert(contact_id) {
                continue;
            }
            let state = match rng.u8(0..100) {
                0..=2 => {
                    self.unknown.insert(contact_id);
                    continue;
                }
                3..=5 => {
                    self.inactive.insert(contact_id);
                    ContactState::Inactive
                }
                _ => ContactState::Active,
            };
            contacts.push(NewContact { contact_id, state, email: None });
        }
        self.known_persons = people.persons.len();
        let count = contacts.len();
        sandbox.seed_contacts(contacts);
        count
    }

    /// Simulates changes over time: salespeople add others to the list, and deactivate or delete some
    /// exported contacts.
    pub(super) fn time_passes(&mut self, sandbox: &Sandbox, rng: &mut Rng) -> Result<usize, Error> {
        let list = list(sandbox)?;
        let mut members: Vec<Guid> = members(sandbox, list)?.into_keys().collect();
        sandbox.seed_members(list, &strangers()).map_err(answer)?;
        rng.shuffle(&mut members);
        let count = (members.len() / 50).min(100);
        for (number, contact) in members.into_iter().take(count).enumerate() {
            let (change, others) = match number % 2 {
                0 => (ContactChange::Deactivate, &mut self.inactive),
                _ => (ContactChange::Delete, &mut self.deleted),
            };
            others.insert(contact);
            sandbox.change_contact(contact, change).map_err(answer)?;
        }
        Ok(count + strangers().len())
    }

    /// Verifies the list, and the actions that no export may take.
    pub(super) fn verify(&self, sandbox: &Sandbox, people: &People) -> Result<Vec<Findings>, Error> {
        let listed = members(sandbox, list(sandbox)?)?;
        let show = |contact: &Guid, _: &Person| match contact {
            // Contacts that become inactive stay on their lists.
            _ if listed.contains_key(contact) => Shown::Present,
            _ if self.unknown.contains(contact) => Shown::Exception("not in Sales"),
            _ if self.deleted.contains(contact) => Shown::Exception("deleted there"),
            _ if self.inactive.contains(contact) => Shown::Exception("inactive there"),
            _ => Shown::Wrong("missing".to_owned()),
        };
        let owner = |origin: &Origin| match origin {
            Origin::Api => Owner::Export,
            Origin::Seeded => Owner::Stranger,
        };
        let expected = people.subscribers().filter_map(|person| Some((contact_id(person)?, person)));
        let all = listed.iter().map(|(contact, origin)| (*contact, owner(origin)));
        let mut findings = Findings::of("marketing list", expected, all, show);
        let seen = sandbox.report();
        findings.mismatch("contacts created", seen.contacts_created);
        findings.mismatch("contacts changed", seen.contacts_changed);
        findings.mismatch("other members removed", seen.members.foreign_removed);
        findings.mismatch("lists deleted", seen.lists_deleted);
        findings.mismatch("calls with a cookie", seen.calls_with_cookies);
        sandbox.reset_report();
        Ok(vec![findings])
    }
}

fn list(sandbox: &Sandbox) -> Result<Guid, Error> {
    let lists = sandbox.lists();
    let list = lists.first().ok_or_else(|| Error::Missing("the run created no marketing list".to_owned()))?;
    Ok(list.list_id)
}

fn members(sandbox: &Sandbox, list: Guid) -> Result<BTreeMap<Guid, Origin>, Error> {
    let members = sandbox.members(list).map_err(answer)?;
    Ok(members.into_iter().map(|member| (member.contact_id, member.origin)).collect())
}
