//! Methods that prepare the sandbox, inspect it and change its state without the API.

use super::Sandbox;
use super::auth::Key;
use super::batches::Batches;
use super::clock;
use super::contact::{Channel, Contact, ContactTag, Origin, Phone, Property};
use super::contacts::Contacts;
use super::control_types::{
    BatchView, BrandKey, Change, ContactPage, ContactsQuery, ControlError, Counts, ListedContact, NewBrand,
    NewKey, Pace, PhoneNumber, SeedContact,
};
use super::dialect::Dialect;
use super::ids::BrandId;
use super::limits::Meter;
use super::orders::{FailItems, StopBatches};
use super::profile::{Field, Profile};
use super::report::{Report, TagReport};
use super::segments::Segments;
use super::tags::{self, Names};
use super::world::{Brand, World};
use crate::kit::random::hexadecimal_id;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

impl Sandbox {
    /// Makes a brand with a key that may do everything.
    #[must_use]
    pub fn create_brand(&self, brand: NewBrand) -> BrandKey {
        let brand_id = BrandId::random();
        let api_key = brand.api_key.unwrap_or_else(|| api_key(&brand_id));
        let mut world = self.world();
        let key = Key { brand: brand_id.clone(), permissions: None };
        world.keys.insert(api_key.clone(), key);
        let email_case = world.options.email_case;
        let brand = Brand {
            id: brand_id.clone(),
            name: brand.name,
            welcome_workflow: brand.welcome_workflow,
            contacts: Contacts::new(email_case),
            tags: Names::default(),
            properties: Names::default(),
            batches: Batches::new(),
            segments: Segments::new(),
            meter: Meter::default(),
            pending_taggings: 0,
        };
        world.brands.insert(brand_id.clone(), brand);
        BrandKey { brand_id, api_key }
    }

    /// Makes a further key of a brand.
    pub fn create_key(&self, brand: &BrandId, key: NewKey) -> Result<String, ControlError> {
        let brand = brand.as_str();
        let mut world = self.world();
        let brand = known(&mut world, brand)?.id.clone();
        let api_key = key.api_key.unwrap_or_else(|| api_key(&brand));
        world.keys.insert(api_key.clone(), Key { brand, permissions: key.permissions });
        Ok(api_key)
    }

    /// From now on the key is unknown.
    pub fn revoke_key(&self, api_key: &str) -> Result<(), ControlError> {
        self.world().keys.remove(api_key).map(drop).ok_or(ControlError::Unknown("key"))
    }

    /// From now on the dialect is retired.
    pub fn retire(&self, dialect: Dialect) {
        self.world().options.retired.insert(dialect);
    }

    /// Makes contacts. Those before one that cannot be made are there.
    pub fn seed_contacts(&self, brand: &BrandId, seeds: Vec<SeedContact>) -> Result<(), ControlError> {
        let brand = brand.as_str();
        let now = clock::now();
        let mut world = self.world();
        let brand = known(&mut world, brand)?;
        seeds.into_iter().try_for_each(|seed| self::seed(brand, seed, now))
    }

    /// Something happens to the contact of an address.
    pub fn change_contact(&self, brand: &BrandId, email: &str, change: Change) -> Result<(), ControlError> {
        let brand = brand.as_str();
        let now = clock::now();
        let mut world = self.world();
        let brand = known(&mut world, brand)?;
        let unknown = ControlError::Unknown("contact");
        let number = brand.contacts.by_email(email).ok_or(unknown.clone())?;
        let contact = brand.contacts.get_mut(number).ok_or(unknown)?;
        contact.updated_at = now;
        // What happens without the API is no business of its report.
        let mut unseen = TagReport::default();
        match change {
            Change::Status(status) => contact.email_channel = Channel { status, changed_at: now },
            Change::AddTag(tag) => {
                tags::add(contact, &[brand.tags.number(&tag)], Origin::Seeded, &mut unseen);
            }
            Change::RemoveTag(tag) => {
                let number = brand.tags.number(&tag);
                tags::remove(contact, &brand.tags, &[number], &mut unseen);
            }
            Change::Delete => brand.contacts.delete(number),
        }
        Ok(())
    }

    /// Some of the contacts, in the order in which they came.
    pub fn contacts(&self, brand: &BrandId, query: &ContactsQuery) -> Result<ContactPage, ControlError> {
        let mut world = self.world();
        let brand = known(&mut world, brand.as_str())?;
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

    /// The contact of an address.
    pub fn contact(&self, brand: &BrandId, email: &str) -> Result<ListedContact, ControlError> {
        let mut world = self.world();
        let brand = known(&mut world, brand.as_str())?;
        let found = brand.contacts.by_email(email);
        let contact = found.and_then(|number| Some((number, brand.contacts.get(number)?)));
        let (number, contact) = contact.ok_or(ControlError::Unknown("contact"))?;
        Ok(listed(brand, number, contact))
    }

    /// How many contacts of each kind there are, and what is still going on.
    pub fn counts(&self, brand: &BrandId) -> Result<Counts, ControlError> {
        counts(&mut self.world(), brand.as_str())
    }

    /// All batches, in the order in which they came.
    pub fn batches(&self, brand: &BrandId) -> Result<Vec<BatchView>, ControlError> {
        let mut world = self.world();
        let brand = known(&mut world, brand.as_str())?;
        let view = |(batch_id, batch): (String, &super::batch::Batch)| BatchView {
            batch_id,
            status: batch.status,
            items: batch.total,
            processed: batch.outcomes.len(),
            errors: batch.errors,
        };
        Ok(brand.batches.iter().map(view).collect())
    }

    /// The names of all segments, by id.
    pub fn segments(&self, brand: &BrandId) -> Result<Vec<(String, String)>, ControlError> {
        let mut world = self.world();
        let brand = known(&mut world, brand.as_str())?;
        Ok(brand.segments.names().map(|(id, name)| (id, name.to_owned())).collect())
    }

    /// The next batches that begin stop before their end.
    pub fn stop_batches(&self, order: StopBatches) {
        self.world().orders.stop(order);
    }

    /// Items of batches fail from now on.
    pub fn fail_items(&self, order: FailItems) {
        self.world().orders.fail(order);
    }

    /// Forgets what batches and items were told to do wrong.
    pub fn clear_orders(&self) {
        self.world().orders.clear();
    }

    /// What was seen since the start or the last reset.
    #[must_use]
    pub fn report(&self) -> Report {
        self.world().report.clone()
    }

    /// Sets all of the report's figures to zero.
    pub fn reset_report(&self) {
        self.world().report = Report::default();
    }

    /// Changes speed, latency and rate limits.
    pub fn set_pace(&self, pace: Pace) {
        let options = &mut self.world().options;
        options.time_scale = pace.time_scale;
        options.latency_ms = pace.latency_ms;
        options.limits = pace.limits;
    }
}

pub(super) fn counts(world: &mut World, brand: &str) -> Result<Counts, ControlError> {
    let brand = known(world, brand)?;
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

/// A key as the vendor writes it: brand, a dash, and the secret.
fn api_key(brand: &BrandId) -> String {
    format!("{brand}-{}", hexadecimal_id())
}

pub(super) fn known<'a>(world: &'a mut World, brand: &str) -> Result<&'a mut Brand, ControlError> {
    world.brands.get_mut(brand).ok_or(ControlError::Unknown("brand"))
}

fn seed(brand: &mut Brand, seed: SeedContact, now: i64) -> Result<(), ControlError> {
    let mut contact = Contact::new(Origin::Seeded, now);
    if seed.email.as_deref().is_some_and(|email| brand.contacts.by_email(email).is_some()) {
        return Err(ControlError::Refused("somebody has this address already"));
    }
    let changed_at = match &seed.status_changed_at {
        Some(text) => clock::parse(text).ok_or(ControlError::Refused("the moment is not one by RFC 3339"))?,
        None => now,
    };
    contact.email = seed.email.map(Arc::from);
    contact.email_channel = Channel { status: seed.status, changed_at };
    for PhoneNumber { number, status } in seed.phones {
        if brand.contacts.by_phone(&number).is_some() {
            return Err(ControlError::Refused("somebody has this phone number already"));
        }
        let channel = Channel { status, changed_at: now };
        contact.extra().phones.push(Phone { number: number.into_boxed_str(), channel });
    }
    let fields = seed.fields.into_iter().map(|(name, text)| {
        let field = Field::of_name(&name).ok_or(ControlError::Unknown("field"))?;
        Ok((field, text))
    });
    contact.profile = Profile::default().with(&fields.collect::<Result<Vec<_>, ControlError>>()?);
    let tags = seed.tags.iter();
    contact.tags =
        tags.map(|tag| ContactTag { number: brand.tags.number(tag), origin: Origin::Seeded }).collect();
    let properties = seed.custom_properties.into_iter();
    contact.properties = properties
        .map(|(name, value)| (brand.properties.number(&name), Property { value, origin: Origin::Seeded }))
        .collect();
    brand.contacts.add(contact);
    Ok(())
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
