//! What becomes of one person who is sent to a list, by an import or alone.
//!
//! <https://www.campaignmonitor.com/api/v3-3/subscribers/#importing-many-subscribers>

use super::errors::{self, ApiError};
use super::field_values::{self, SentValue};
use super::options::{MissingNames, UnconfirmedRows};
use super::subscriber::{Origin, Subscriber, SubscriberState};
use super::world::Target;
use super::{email, report::ResubscribeRow};
use serde::Deserialize;

/// A person as a request names them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SentSubscriber {
    pub(super) email_address: Option<String>,
    pub(super) name: Option<String>,
    pub(super) mobile_number: Option<String>,
    pub(super) consent_to_track: Option<String>,
    pub(super) consent_to_send_sms: Option<String>,
    pub(super) custom_fields: Option<Vec<SentValue>>,
}

impl SentSubscriber {
    pub(super) fn address(&self) -> &str {
        self.email_address.as_deref().unwrap_or_default()
    }
}

/// An answer to a question of consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    Yes,
    No,
    Unchanged,
}

/// Reads `ConsentToTrack`, which has to be there.
pub(super) fn consent_to_track(sent: &SentSubscriber) -> Result<Consent, ApiError> {
    let word = sent.consent_to_track.as_deref().filter(|word| !word.is_empty());
    consent(word.ok_or(errors::MISSING_CONSENT)?).ok_or(errors::INVALID_CONSENT)
}

fn consent(word: &str) -> Option<Consent> {
    match word {
        "Yes" => Some(Consent::Yes),
        "No" => Some(Consent::No),
        "Unchanged" => Some(Consent::Unchanged),
        _ => None,
    }
}

/// Whether address and mobile number can be taken.
pub(super) fn check_addresses(sent: &SentSubscriber) -> Result<(), ApiError> {
    let mobile = sent.mobile_number.as_deref().filter(|number| !number.is_empty());
    match (email::is_valid(sent.address()), mobile.is_none_or(is_mobile_number)) {
        (true, true) => Ok(()),
        (false, true) => Err(errors::INVALID_EMAIL),
        (true, false) => Err(errors::INVALID_MOBILE),
        (false, false) => Err(errors::INVALID_EMAIL_AND_MOBILE),
    }
}

/// The international form: a plus and 7 to 15 digits.
fn is_mobile_number(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a person was to the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    New,
    Existing,
}

/// What is the same for all rows of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) resubscribe: bool,
    pub(super) origin: Origin,
    pub(super) now: i64,
}

/// Notes a row that was sent with `Resubscribe: true`, before anything is done with it.
pub(super) fn note_resubscribe(target: &mut Target<'_>, list_id: &str, key: &str, address: &str) {
    let row = ResubscribeRow {
        list_id: list_id.into(),
        email: address.to_owned(),
        state_before: target.list.members.get(key).map(|person| person.state),
        suppressed_before: target.client.suppressed.contains_key(key),
    };
    target.report.import.resubscribe_rows.push(row);
}

/// Puts a person on the list or updates them; `key` is the address in the form for comparing.
pub(super) fn upsert(
    target: &mut Target<'_>,
    key: String,
    sent: SentSubscriber,
    terms: Terms,
) -> Result<Applied, ApiError> {
    check_addresses(&sent)?;
    let tracking = consent_to_track(&sent)?;
    let sms = sent.consent_to_send_sms.as_deref().and_then(consent);
    let state_before = target.list.members.get(&key).map(|person| person.state);
    let comes_back = check_state(target, &key, terms.resubscribe)?;
    // Whoever got here in spite of it was sent with `Resubscribe: true`.
    target.client.suppressed.remove(&key);
    match tracking {
        Consent::Yes => drop(target.client.tracking_refused.remove(&key)),
        Consent::No => drop(target.client.tracking_refused.insert(key.clone())),
        Consent::Unchanged if state_before.is_none() => target.report.import.consents_assumed += 1,
        Consent::Unchanged => {}
    }
    let (fields, options) = (&target.list.fields, target.options);
    let values = sent.custom_fields.unwrap_or_default();
    let mobile = sent.mobile_number.filter(|number| !number.is_empty()).map(String::into_boxed_str);
    if let Some(state) = comes_back
        && state == SubscriberState::Unconfirmed
    {
        target.report.import.verification_mails += 1;
    }
    if let Some(person) = target.list.members.get_mut(&key) {
        if let Some(state) = comes_back {
            person.change_state(state, terms.now);
            person.joined_at = terms.now;
        }
        match sent.name {
            Some(name) => person.name = name.into_boxed_str(),
            None if options.missing_names == MissingNames::Cleared => person.name = Box::default(),
            None => {}
        }
        person.mobile = mobile.or(person.mobile.take());
        person.sms_consent = sms.map_or(person.sms_consent, |sms| apply_sms(person.sms_consent, sms));
        field_values::apply(fields, &mut person.values, values, options, &mut target.report.values);
        return Ok(Applied::Existing);
    }
    let mut person = Subscriber {
        email: sent.email_address.unwrap_or_default().into_boxed_str(),
        name: sent.name.unwrap_or_default().into_boxed_str(),
        state: comes_back.unwrap_or(SubscriberState::Active),
        origin: terms.origin,
        joined_at: terms.now,
        changed_at: terms.now,
        mobile,
        sms_consent: sms == Some(Consent::Yes),
        values: Vec::with_capacity(values.len()),
    };
    field_values::apply(fields, &mut person.values, values, options, &mut target.report.values);
    target.list.members.put(key, person);
    Ok(Applied::New)
}

fn apply_sms(before: bool, consent: Consent) -> bool {
    match consent {
        Consent::Yes => true,
        Consent::No => false,
        Consent::Unchanged => before,
    }
}

/// The state that a person gets by being sent: none if it stays. An error if they may not be sent.
pub(super) fn check_state(
    target: &Target<'_>,
    key: &str,
    resubscribe: bool,
) -> Result<Option<SubscriberState>, ApiError> {
    if !resubscribe && target.client.suppressed.contains_key(key) {
        return Err(errors::SUPPRESSED);
    }
    let before = target.list.members.get(key).map(|person| person.state);
    let joins =
        if target.list.confirmed_opt_in { SubscriberState::Unconfirmed } else { SubscriberState::Active };
    match before {
        None => Ok(Some(joins)),
        Some(SubscriberState::Active) => Ok(None),
        Some(SubscriberState::Unconfirmed) => match target.options.unconfirmed_rows {
            UnconfirmedRows::Refused => Err(errors::UNCONFIRMED),
            UnconfirmedRows::Updated => Ok(None),
        },
        Some(SubscriberState::Bounced) => Err(errors::BOUNCED),
        Some(SubscriberState::Unsubscribed | SubscriberState::Deleted) if resubscribe => Ok(Some(joins)),
        Some(SubscriberState::Unsubscribed) => Err(errors::UNSUBSCRIBED),
        Some(SubscriberState::Deleted) => Err(errors::DELETED),
    }
}
