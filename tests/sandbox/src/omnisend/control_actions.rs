//! What the control methods and the control routes do; `control_views` has what they show.

use super::auth::Key;
use super::batches::Batches;
use super::clock;
use super::contact::{Channel, Contact, ContactTag, Origin, Phone, Property};
use super::contacts::Contacts;
use super::control_types::{
    BrandKey, Change, ControlError, NewBrand, NewKey, Pace, PhoneNumber, SeedContact,
};
use super::ids::BrandId;
use super::limits::Meter;
use super::profile::{Field, Profile};
use super::report::TagReport;
use super::segments::Segments;
use super::server::Shared;
use super::tags::{self, Names};
use super::world::{Brand, World};
use crate::random::hexadecimal_id;
use std::sync::Arc;

impl Shared {
    pub(super) fn create_brand(&self, brand: NewBrand) -> BrandKey {
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

    pub(super) fn create_key(&self, brand: &str, key: NewKey) -> Result<String, ControlError> {
        let mut world = self.world();
        let brand = known(&mut world, brand)?.id.clone();
        let api_key = key.api_key.unwrap_or_else(|| api_key(&brand));
        world.keys.insert(api_key.clone(), Key { brand, permissions: key.permissions });
        Ok(api_key)
    }

    pub(super) fn revoke_key(&self, api_key: &str) -> Result<(), ControlError> {
        self.world().keys.remove(api_key).map(drop).ok_or(ControlError::Unknown("key"))
    }

    pub(super) fn seed_contacts(&self, brand: &str, seeds: Vec<SeedContact>) -> Result<(), ControlError> {
        let now = clock::now();
        let mut world = self.world();
        let brand = known(&mut world, brand)?;
        seeds.into_iter().try_for_each(|seed| self::seed(brand, seed, now))
    }

    pub(super) fn change_contact(
        &self,
        brand: &str,
        email: &str,
        change: Change,
    ) -> Result<(), ControlError> {
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

    pub(super) fn set_pace(&self, pace: Pace) {
        let options = &mut self.world().options;
        options.time_scale = pace.time_scale;
        options.latency_ms = pace.latency_ms;
        options.limits = pace.limits;
    }
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
