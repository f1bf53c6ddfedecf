//! A contact as the API shows it.

use super::clock;
use super::contact::{Channel, Contact};
use super::dialect::Dialect;
use super::segments;
use super::world::Brand;
use serde_json::{Map, Value, json};

/// The whole contact.
pub(super) fn contact(brand: &Brand, number: u32, contact: &Contact, dialect: Dialect) -> Value {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set(dialect.contact_id(), brand.contacts.id(number).into());
    set("identifiers", identifiers(contact, dialect));
    for (field, text) in contact.profile.iter() {
        set(field.name(), text.into());
    }
    set("tags", contact.tags.iter().map(|tag| brand.tags.name(tag.number)).collect());
    let properties = contact.properties.iter();
    let properties: Map<String, Value> = properties
        .map(|(number, property)| (brand.properties.name(*number).to_owned(), property.value.clone()))
        .collect();
    set("customProperties", Value::Object(properties));
    set("createdAt", clock::show(contact.created_at).into());
    if dialect == Dialect::V2026 {
        if let Some(email) = &contact.email {
            set("email", email.as_ref().into());
            set("status", contact.email_channel.status.name().into());
        }
        set("phone", contact.phones().iter().map(|phone| phone.number.as_ref()).collect());
        set("statuses", statuses(contact, dialect));
        set("consents", json!(contact.consents()));
        set("optIns", json!([]));
        set("segments", segments::of_contact(brand, contact));
        set("updatedAt", clock::show(contact.updated_at).into());
    }
    Value::Object(body)
}

/// What v5 answers to a write, and what a batch says of an item that was applied.
pub(super) fn brief(brand: &Brand, number: u32, dialect: Dialect) -> Value {
    let mut body = Map::new();
    body.insert(dialect.contact_id().to_owned(), brand.contacts.id(number).into());
    if let Some(email) = brand.contacts.get(number).and_then(|contact| contact.email.as_deref()) {
        body.insert("email".to_owned(), email.into());
    }
    Value::Object(body)
}

fn identifiers(contact: &Contact, dialect: Dialect) -> Value {
    let email = contact.email.as_ref().map(|email| {
        let channels = json!({ "email": channel(contact.email_channel, dialect) });
        json!({ "type": "email", "id": email.as_ref(), "channels": channels })
    });
    let phones = contact.phones().iter().map(|phone| {
        let channels = json!({ "sms": channel(phone.channel, dialect) });
        json!({ "type": "phone", "id": phone.number, "channels": channels })
    });
    email.into_iter().chain(phones).collect()
}

fn channel(channel: Channel, dialect: Dialect) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("status".to_owned(), channel.status.name().into());
    body.insert(dialect.status_date().to_owned(), clock::show(channel.changed_at).into());
    body
}

fn statuses(contact: &Contact, dialect: Dialect) -> Value {
    let email = contact.email.as_ref().map(|_| ("email", contact.email_channel));
    let phones = contact.phones().iter().map(|phone| ("sms", phone.channel));
    email
        .into_iter()
        .chain(phones)
        .map(|(name, state)| {
            let mut body = channel(state, dialect);
            body.insert("channel".to_owned(), name.into());
            Value::Object(body)
        })
        .collect()
}
