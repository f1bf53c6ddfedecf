//! What the control methods and the control routes show.

use super::clock;
use super::contact::{Contact, Origin};
use super::control_actions::known;
use super::control_types::{
    BatchView, ContactPage, ContactsQuery, ControlError, Counts, ListedContact, PhoneNumber,
};
use super::server::Shared;
use super::world::Brand;
use std::collections::{BTreeMap, HashMap};

impl Shared {
    pub(super) fn contacts(&self, brand: &str, query: &ContactsQuery) -> Result<ContactPage, ControlError> {
        let mut world = self.world();
        let brand = known(&mut world, brand)?;
        let tag = query.tag.as_deref().map(|tag| brand.tags.find(tag));
        let has_tag = |contact: &&Contact| tag.is_none_or(|tag| tag.is_some_and(|tag| contact.has_tag(tag)));
        let mut page = ContactPage::default();
        for number in query.from..brand.contacts.end() {
            let Some(contact) = brand.contacts.get(number).filter(has_tag) else {
                continue;
            };
            if page.contacts.len() == query.limit {
                page.next = Some(number);
                break;
            }
            page.contacts.push(listed(brand, number, contact));
        }
        Ok(page)
    }

    pub(super) fn contact(&self, brand: &str, email: &str) -> Result<ListedContact, ControlError> {
        let mut world = self.world();
        let brand = known(&mut world, brand)?;
        let found = brand.contacts.by_email(email);
        let contact = found.and_then(|number| Some((number, brand.contacts.get(number)?)));
        let (number, contact) = contact.ok_or(ControlError::Unknown("contact"))?;
        Ok(listed(brand, number, contact))
    }

    pub(super) fn counts(&self, brand: &str) -> Result<Counts, ControlError> {
        let mut world = self.world();
        let brand = known(&mut world, brand)?;
        let mut counts = Counts {
            contacts: brand.contacts.len(),
            unfinished_batches: brand.batches.unfinished,
            pending_taggings: brand.pending_taggings,
            ..Counts::default()
        };
        let mut by_tag: HashMap<u32, usize> = HashMap::new();
        for contact in brand.contacts.iter() {
            counts.made_by_api += usize::from(contact.origin == Origin::Api);
            *counts.by_status.entry(contact.email_channel.status).or_default() += 1;
            for tag in &contact.tags {
                *by_tag.entry(tag.number).or_default() += 1;
            }
        }
        let by_name = by_tag.into_iter().map(|(number, count)| (brand.tags.name(number).to_owned(), count));
        counts.by_tag = by_name.collect::<BTreeMap<_, _>>();
        Ok(counts)
    }

    pub(super) fn batches(&self, brand: &str) -> Result<Vec<BatchView>, ControlError> {
        let mut world = self.world();
        let brand = known(&mut world, brand)?;
        let view = |(batch_id, batch): (String, &super::batch::Batch)| BatchView {
            batch_id,
            status: batch.status,
            items: batch.total,
            processed: batch.outcomes.len(),
            errors: batch.errors,
        };
        Ok(brand.batches.iter().map(view).collect())
    }

    pub(super) fn segments(&self, brand: &str) -> Result<Vec<(String, String)>, ControlError> {
        let mut world = self.world();
        let brand = known(&mut world, brand)?;
        Ok(brand.segments.names().map(|(id, name)| (id, name.to_owned())).collect())
    }
}

fn listed(brand: &Brand, number: u32, contact: &Contact) -> ListedContact {
    let phones = contact.phones().iter();
    let properties = contact.properties.iter();
    ListedContact {
        id: brand.contacts.id(number),
        email: contact.email.as_deref().map(str::to_owned),
        status: contact.email_channel.status,
        status_changed_at: clock::show(contact.email_channel.changed_at),
        phones: phones
            .map(|phone| PhoneNumber { number: phone.number.to_string(), status: phone.channel.status })
            .collect(),
        fields: contact
            .profile
            .iter()
            .map(|(field, text)| (field.name().to_owned(), text.to_owned()))
            .collect(),
        tags: contact.tags.iter().map(|tag| brand.tags.name(tag.number).to_owned()).collect(),
        custom_properties: properties
            .map(|(number, property)| (brand.properties.name(*number).to_owned(), property.value.clone()))
            .collect(),
        origin: contact.origin,
    }
}
