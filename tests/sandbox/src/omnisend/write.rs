//! Applying a checked contact: a new one, or what the brand has under its identifiers.

use super::contact::{Channel, Consent, Contact, Origin, Phone, Property, Status};
use super::dialect::Dialect;
use super::errors::{self, ApiError};
use super::identifiers::{ChannelWrite, Identifier};
use super::options::{
    AutomaticTags, MissingWelcome, OlderStatuses, OnWrite, Options, TagCharacters, WelcomeMessages,
};
use super::report::{Report, StatusChange};
use super::request::ContactRequest;
use super::tags;
use super::world::{Brand, Target};
use std::sync::Arc;

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Created(u32),
    Updated(u32),
}

/// Who writes, how and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) dialect: Dialect,
    pub(super) now: i64,
}

/// Makes the contact, or changes the one that has its address.
pub(super) fn upsert(
    target: &mut Target<'_>,
    request: ContactRequest,
    moment: Moment,
) -> Result<Written, ApiError> {
    let Target { brand, report, options } = target;
    let sent_tags = known_tags(brand, options, request.tags.as_deref())?;
    let found = request.email.as_ref().and_then(|email| brand.contacts.by_email(&email.id));
    if let Some(number) = found {
        change(target, number, request, sent_tags.as_deref(), moment);
        return Ok(Written::Updated(number));
    }
    let taken = |phone: &Identifier| brand.contacts.by_phone(&phone.id).is_some();
    if request.email.is_none() && request.phones.iter().all(taken) {
        return Err(errors::invalid("identifiers", "taken", "The identifier belongs to another contact"));
    }
    let mut contact = Contact::new(Origin::Api, moment.now);
    contact.email = request.email.as_ref().map(|email| Arc::from(email.id.as_str()));
    let number = brand.contacts.add(contact);
    report.contacts.created += 1;
    let tags = sent_tags.unwrap_or_default();
    let is_source = |number: &u32| brand.tags.name(*number).starts_with("source: ");
    let needs_source = options.automatic_tags == AutomaticTags::Added && !tags.iter().any(is_source);
    let automatic = needs_source.then(|| brand.tags.number("source: api"));
    let tags: Vec<u32> = tags.into_iter().chain(automatic).collect();
    apply(target, number, request, Some(&tags), moment, Origin::Api);
    Ok(Written::Created(number))
}

/// Changes a contact that the call names.
pub(super) fn patch(
    target: &mut Target<'_>,
    number: u32,
    request: ContactRequest,
    moment: Moment,
) -> Result<(), ApiError> {
    let brand = &mut *target.brand;
    if let Some(email) = &request.email {
        let current = brand.contacts.get(number).and_then(|contact| contact.email.clone());
        match (brand.contacts.by_email(&email.id), current) {
            (Some(owner), _) if owner == number => {}
            (Some(_), _) => return Err(errors::conflict("Contact identifier already exists")),
            (None, Some(_)) => {
                let message = "The e-mail address of a contact cannot be changed";
                return Err(errors::invalid("identifiers", "not_allowed", message));
            }
            (None, None) => {
                brand.contacts.claim_email(&email.id, number);
                if let Some(contact) = brand.contacts.get_mut(number) {
                    contact.email = Some(Arc::from(email.id.as_str()));
                }
            }
        }
    }
    if moment.dialect == Dialect::V2026 {
        let others =
            |phone: &Identifier| brand.contacts.by_phone(&phone.id).is_some_and(|owner| owner != number);
        if request.phones.iter().any(others) {
            return Err(errors::conflict("Contact identifier already exists"));
        }
    }
    let sent_tags = known_tags(brand, target.options, request.tags.as_deref())?;
    change(target, number, request, sent_tags.as_deref(), moment);
    Ok(())
}

fn change(
    target: &mut Target<'_>,
    number: u32,
    request: ContactRequest,
    tags: Option<&[u32]>,
    moment: Moment,
) {
    target.report.contacts.updated += 1;
    // What an existing contact had is its own: only what is new comes from the API.
    apply(target, number, request, tags, moment, Origin::Seeded);
}

/// The numbers of the tags. Characters are checked in those that the brand does not have yet.
pub(super) fn known_tags(
    brand: &mut Brand,
    options: &Options,
    sent: Option<&[String]>,
) -> Result<Option<Vec<u32>>, ApiError> {
    let Some(sent) = sent else {
        return Ok(None);
    };
    let is_plain = |tag: &str| tag.chars().all(|char| char.is_ascii_alphanumeric() || "_-: ".contains(char));
    for (position, tag) in sent.iter().enumerate() {
        if options.tag_characters == TagCharacters::Plain && !is_plain(tag) && brand.tags.find(tag).is_none()
        {
            let message = "Must be letters, digits, spaces and any of _ - :";
            return Err(errors::invalid(format!("tags.{position}"), "invalid_format", message));
        }
    }
    Ok(Some(sent.iter().map(|tag| brand.tags.number(tag)).collect()))
}

/// `before` says whose contact it was: a new contact's statuses are no changes.
fn apply(
    target: &mut Target<'_>,
    number: u32,
    request: ContactRequest,
    tags: Option<&[u32]>,
    moment: Moment,
    before: Origin,
) {
    let Target { brand, report, options } = target;
    let contact_id = brand.contacts.id(number);
    let is_new = before == Origin::Api;
    let mut free_phones = Vec::new();
    for phone in request.phones {
        match brand.contacts.by_phone(&phone.id) {
            Some(owner) if owner != number => report.contacts.identifiers_ignored += 1,
            Some(_) => free_phones.push(phone),
            None => {
                brand.contacts.claim_phone(&phone.id, number);
                free_phones.push(phone);
            }
        }
    }
    let welcome_workflow = brand.welcome_workflow;
    let Some(contact) = brand.contacts.get_mut(number) else {
        return;
    };
    let mut writer = Writer { report, options, moment, is_new, welcome_workflow, contact_id: &contact_id };
    contact.updated_at = moment.now;
    if let Some(email) = request.email {
        writer.channel(&mut contact.email_channel, "email", &email);
        add_consent(contact, email.consent);
    }
    for phone in free_phones {
        let phones = &mut contact.extra().phones;
        if !phones.iter().any(|known| *known.number == *phone.id) {
            let channel = Channel { status: Status::NonSubscribed, changed_at: moment.now };
            phones.push(Phone { number: phone.id.as_str().into(), channel });
        }
        if let Some(known) = phones.iter_mut().find(|known| *known.number == *phone.id) {
            writer.channel(&mut known.channel, "sms", &phone);
        }
        add_consent(contact, phone.consent);
    }
    if !request.fields.is_empty() {
        contact.profile = contact.profile.with(&request.fields);
    }
    if let Some(numbers) = tags {
        tags::write(contact, &brand.tags, numbers, options.tags_on_write, &mut report.tags);
    }
    if let Some(sent) = request.properties {
        let sent = sent.into_iter().map(|(name, value)| (brand.properties.number(&name), value)).collect();
        write_properties(contact, sent, options.properties_on_write, report);
    }
}

/// The same consent told twice is one.
fn add_consent(contact: &mut Contact, consent: Option<Consent>) {
    if let Some(consent) = consent.filter(|consent| !contact.consents().contains(consent)) {
        contact.extra().consents.push(consent);
    }
}

fn write_properties(
    contact: &mut Contact,
    sent: Vec<(u32, serde_json::Value)>,
    how: OnWrite,
    report: &mut Report,
) {
    let mut properties = std::mem::take(&mut contact.properties).into_vec();
    properties.retain(|(number, property)| {
        let is_sent = sent.iter().any(|(other, _)| other == number);
        if !is_sent && how == OnWrite::Replace && property.origin == Origin::Seeded {
            report.foreign_properties_lost += 1;
        }
        !is_sent && how == OnWrite::Merge
    });
    for (number, value) in sent {
        properties.push((number, Property { value, origin: Origin::Api }));
    }
    contact.properties = properties.into_boxed_slice();
}

/// What writing a channel goes by.
struct Writer<'a> {
    report: &'a mut Report,
    options: &'a Options,
    moment: Moment,
    is_new: bool,
    welcome_workflow: bool,
    contact_id: &'a str,
}

impl Writer<'_> {
    fn channel(&mut self, channel: &mut Channel, name: &str, sent: &Identifier) {
        let before = channel.status;
        if let Some(write) = sent.channel {
            self.write(channel, name, write);
        }
        let sends = sent.send_welcome_message.unwrap_or(
            self.moment.dialect == Dialect::V2026 || self.options.missing_welcome == MissingWelcome::Sent,
        );
        let becomes_subscribed =
            channel.status == Status::Subscribed && (self.is_new || before != Status::Subscribed);
        let is_greeted = match self.options.welcome_messages {
            WelcomeMessages::EveryWrite => true,
            WelcomeMessages::NewContacts => self.is_new,
            WelcomeMessages::NewSubscribers => becomes_subscribed,
        };
        if sends && is_greeted && self.welcome_workflow {
            self.report.welcome_messages += 1;
        }
    }

    fn write(&mut self, channel: &mut Channel, name: &str, write: ChannelWrite) {
        let statuses = &mut self.report.statuses;
        statuses.sent += 1;
        let changed_at = write.changed_at.unwrap_or(self.moment.now);
        if self.is_new {
            statuses.created_subscribed += usize::from(write.status == Status::Subscribed);
            *channel = Channel { status: write.status, changed_at };
            return;
        }
        let ignores_older =
            self.moment.dialect == Dialect::V5 || self.options.older_statuses == OlderStatuses::Ignored;
        if ignores_older && changed_at < channel.changed_at {
            statuses.older_ignored += 1;
            return;
        }
        statuses.count(StatusChange {
            contact_id: self.contact_id.to_owned(),
            channel: name.to_owned(),
            before: channel.status,
            after: write.status,
        });
        *channel = Channel { status: write.status, changed_at };
    }
}
