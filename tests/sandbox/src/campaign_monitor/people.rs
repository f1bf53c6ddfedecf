//! The calls about one subscriber.
//!
//! <https://www.campaignmonitor.com/api/v3-3/subscribers/>

use super::answer::Answer;
use super::auth::Caller;
use super::email;
use super::endpoint::Query;
use super::errors::{self, ApiError};
use super::fields::Fields;
use super::paging::wants_tracking;
use super::subscriber::{Origin, Subscriber, SubscriberState};
use super::upsert::{self, SentSubscriber, Terms};
use super::world::{Client, World};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ShownSubscriber<'a> {
    email_address: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile_number: Option<&'a str>,
    date: String,
    list_joined_date: String,
    state: SubscriberState,
    custom_fields: Vec<ShownValue<'a>>,
    reads_email_with: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent_to_track: Option<&'static str>,
}

/// A value under its field's name: not the key that the list of fields gives.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownValue<'a> {
    key: &'a str,
    value: &'a str,
}

/// A subscriber as the API shows them.
pub(super) fn show<'a>(
    person: &'a Subscriber,
    fields: &'a Fields,
    client: &Client,
    tracking: bool,
) -> ShownSubscriber<'a> {
    let value =
        |(number, value): &'a (usize, Box<str>)| Some(ShownValue { key: fields.name(*number)?, value });
    ShownSubscriber {
        email_address: &person.email,
        name: &person.name,
        mobile_number: person.mobile.as_deref(),
        date: client.zone.show(person.changed_at),
        list_joined_date: client.zone.show(person.joined_at),
        state: person.state,
        custom_fields: person.values.iter().filter_map(value).collect(),
        reads_email_with: "",
        consent_to_track: tracking.then(|| client.consent_to_track(&email::key(&person.email))),
    }
}

/// The address that a call names, in the form for comparing.
fn asked(query: &Query) -> Result<String, ApiError> {
    let address = query.get("email").unwrap_or_default();
    if email::is_valid(address) { Ok(email::key(address)) } else { Err(errors::INVALID_EMAIL) }
}

pub(super) fn details(
    world: &mut World,
    caller: &Caller,
    id: &str,
    query: &Query,
) -> Result<Answer, ApiError> {
    let target = world.list(caller, id)?;
    let person = target.list.members.get(&asked(query)?).ok_or(errors::NOT_IN_LIST)?;
    Ok(Answer::json(200, &show(person, &target.list.fields, target.client, wants_tracking(query))))
}

/// What was done with the mails that a subscriber got: nothing, since no campaign is ever sent here.
pub(super) fn history(
    world: &mut World,
    caller: &Caller,
    id: &str,
    query: &Query,
) -> Result<Answer, ApiError> {
    let target = world.list(caller, id)?;
    target.list.members.get(&asked(query)?).ok_or(errors::NOT_IN_LIST)?;
    Ok(Answer::json(200, &[(); 0]))
}

/// A subscriber who is added or updated alone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SentAlone {
    #[serde(flatten)]
    subscriber: SentSubscriber,
    #[serde(default)]
    resubscribe: bool,
}

/// Somebody who is accepted and waits in the processing queue.
#[derive(Debug)]
pub(super) struct Queued {
    list_id: String,
    sent: SentAlone,
}

/// Checks a subscriber to add; whoever is accepted is put on the list by [`add_queued`] later.
pub(super) fn accept(
    world: &mut World,
    caller: &Caller,
    id: &str,
    body: &[u8],
) -> Result<(Answer, Queued), ApiError> {
    let target = world.list(caller, id)?;
    let sent: SentAlone = serde_json::from_slice(body).map_err(|_| errors::MALFORMED)?;
    upsert::check_addresses(&sent.subscriber)?;
    upsert::consent_to_track(&sent.subscriber)?;
    let key = email::key(sent.subscriber.address());
    upsert::check_state(&target, &key, sent.resubscribe)?;
    let answer = Answer::json(201, &sent.subscriber.address());
    Ok((answer, Queued { list_id: id.to_owned(), sent }))
}

/// Puts somebody on the list whose turn in the queue it is.
pub(super) fn add_queued(world: &mut World, queued: Queued, now: i64) {
    let Queued { list_id, sent: SentAlone { subscriber, resubscribe } } = queued;
    let Some(mut target) = world.any_list(&list_id) else {
        return;
    };
    let terms = Terms { resubscribe, origin: Origin::SingleAdd, now };
    // Whoever may no longer be added, because something happened while they waited, is lost without a word.
    upsert::upsert(&mut target, email::key(subscriber.address()), subscriber, terms).ok();
}

/// Updates a subscriber, their address too.
pub(super) fn update(
    world: &mut World,
    caller: &Caller,
    id: &str,
    query: &Query,
    body: &[u8],
    now: i64,
) -> Result<Answer, ApiError> {
    let mut target = world.list(caller, id)?;
    let sent: SentAlone = serde_json::from_slice(body).map_err(|_| errors::MALFORMED)?;
    let SentAlone { mut subscriber, resubscribe } = sent;
    let old_key = asked(query)?;
    upsert::consent_to_track(&subscriber)?;
    let old = target.list.members.get(&old_key).ok_or(errors::NOT_IN_LIST)?;
    let new_address = subscriber.email_address.get_or_insert_with(|| old.email.to_string()).clone();
    if !email::is_valid(&new_address) {
        return Err(errors::INVALID_NEW_EMAIL);
    }
    let new_key = email::key(&new_address);
    if new_key != old_key && target.list.members.get(&new_key).is_some() {
        return Err(errors::ALREADY_SUBSCRIBED);
    }
    upsert::check_addresses(&subscriber)?;
    upsert::check_state(&target, &old_key, resubscribe)?;
    target.list.members.rename(&old_key, &new_address);
    let terms = Terms { resubscribe, origin: Origin::SingleAdd, now };
    upsert::upsert(&mut target, new_key, subscriber, terms)?;
    Ok(Answer::empty())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SentAddress {
    email_address: Option<String>,
}

/// Unsubscribes somebody who gets the list's mail.
pub(super) fn unsubscribe(
    world: &mut World,
    caller: &Caller,
    id: &str,
    body: &[u8],
    now: i64,
) -> Result<Answer, ApiError> {
    let target = world.list(caller, id)?;
    let sent: SentAddress = serde_json::from_slice(body).map_err(|_| errors::MALFORMED)?;
    let address = sent.email_address.unwrap_or_default();
    if !email::is_valid(&address) {
        return Err(errors::INVALID_EMAIL);
    }
    let key = email::key(&address);
    let person = target.list.members.get(&key).ok_or(errors::NOT_IN_LIST)?;
    if !matches!(person.state, SubscriberState::Active | SubscriberState::Unconfirmed) {
        return Err(errors::NOT_IN_LIST);
    }
    world.unsubscribe(id, &key, now);
    Ok(Answer::empty())
}

/// Deletes somebody from the list, whatever their state: an unsubscription that is deleted is an unsubscription
/// forgotten, which is what the report counts.
pub(super) fn remove(
    world: &mut World,
    caller: &Caller,
    id: &str,
    query: &Query,
    now: i64,
) -> Result<Answer, ApiError> {
    let target = world.list(caller, id)?;
    let person = target.list.members.get_mut(&asked(query)?).ok_or(errors::NOT_IN_LIST)?;
    match person.state {
        SubscriberState::Deleted => return Err(errors::NOT_IN_LIST),
        SubscriberState::Active => target.report.deletes += 1,
        _ => target.report.foreign_deletes += 1,
    }
    target.report.deletes_of_seeded += usize::from(person.origin == Origin::Seeded);
    person.change_state(SubscriberState::Deleted, now);
    Ok(Answer::empty())
}
