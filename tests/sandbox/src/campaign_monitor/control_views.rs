//! What the control methods and the control routes show.

use super::control_actions::list;
use super::control_types::{ControlError, Counts, CustomField, ListedSubscriber, Suppressed};
use super::email;
use super::server::Shared;
use super::subscriber::Subscriber;
use super::world::{Suppression, Target};

impl Shared {
    /// Everybody on a list, or the one of this address.
    pub(super) fn dump(
        &self,
        id: &str,
        address: Option<&str>,
    ) -> Result<Vec<ListedSubscriber>, ControlError> {
        let mut world = self.world();
        let target = list(&mut world, id)?;
        let members = &target.list.members;
        Ok(match address {
            Some(address) => {
                members.get(&email::key(address)).map(|person| listed(&target, person)).into_iter().collect()
            }
            None => members.iter().map(|person| listed(&target, person)).collect(),
        })
    }

    pub(super) fn counts(&self, id: &str) -> Result<Counts, ControlError> {
        let mut world = self.world();
        let Target { list, client, .. } = list(&mut world, id)?;
        let mut counts = Counts { total: list.members.len(), ..Counts::default() };
        for person in list.members.iter() {
            *counts.by_state.entry(person.state).or_default() += 1;
        }
        counts.suppressed = client.suppressed.keys().filter(|key| list.members.get(key).is_some()).count();
        Ok(counts)
    }

    pub(super) fn suppression_list(&self, client_id: &str) -> Result<Vec<Suppressed>, ControlError> {
        let world = self.world();
        let client = world.clients.get(client_id).ok_or(ControlError::Unknown("client"))?;
        let entry =
            |entry: &Suppression| Suppressed { email: entry.email.clone(), reason: entry.reason.to_owned() };
        Ok(client.suppressed.values().map(entry).collect())
    }
}

fn listed(target: &Target<'_>, person: &Subscriber) -> ListedSubscriber {
    let key = email::key(&person.email);
    let field = |(number, value): &(usize, Box<str>)| {
        let key = target.list.fields.key(*number)?.to_owned();
        Some(CustomField { key, value: value.to_string() })
    };
    ListedSubscriber {
        email: person.email.to_string(),
        name: person.name.to_string(),
        state: person.state,
        suppressed: target.client.suppressed.contains_key(&key),
        consent_to_track: target.client.consent_to_track(&key).to_owned(),
        mobile: person.mobile.as_deref().map(str::to_owned),
        sms_consent: person.sms_consent,
        origin: person.origin,
        custom_fields: person.values.iter().filter_map(field).collect(),
    }
}
