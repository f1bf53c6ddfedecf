//! Methods that prepare the sandbox, inspect it and change its state without the API.

use super::Sandbox;
use super::auth::Key;
use super::clock::{self, Zone};
use super::control_types::{
    Account, AccountClient, Change, ControlError, Counts, CustomField, ListedSubscriber, NewAccount,
    NewClient, NewField, NewList, NewTokens, Pace, SeedSubscriber, Suppressed,
};
use super::email;
use super::ids::{AccountId, ClientId, ListId};
use super::lists::{self, CreateList};
use super::oauth::{self, Tokens};
use super::report::Report;
use super::subscriber::{Origin, Subscriber, SubscriberState};
use super::world::{Client, Suppression, Target, UnsubscribeSetting, World};
use crate::kit::random::hexadecimal_id;
use std::collections::{BTreeMap, HashSet};

impl Sandbox {
    /// Makes an account.
    #[must_use]
    pub fn create_account(&self, account: NewAccount) -> Account {
        let account_id = AccountId::random();
        let api_key = account.api_key.unwrap_or_else(hexadecimal_id);
        let mut world = self.world();
        world.accounts.insert(account_id.clone());
        world.keys.insert(api_key.clone(), Key { account: account_id.clone(), client: None });
        Account { account_id, api_key }
    }

    /// Makes a client of an account.
    pub fn create_client(&self, client: NewClient) -> Result<AccountClient, ControlError> {
        let NewClient { account_id, name, api_key, utc_offset_minutes } = client;
        let mut world = self.world();
        known_account(&world, &account_id)?;
        let client_id = ClientId::random();
        let api_key = api_key.unwrap_or_else(hexadecimal_id);
        let key = Key { account: account_id.clone(), client: Some(client_id.clone()) };
        world.keys.insert(api_key.clone(), key);
        let client = Client {
            account: account_id,
            name,
            api_key: api_key.clone(),
            zone: Zone::from_minutes(utc_offset_minutes),
            created: world.next_created(),
            suppressed: BTreeMap::new(),
            tracking_refused: HashSet::new(),
        };
        world.clients.insert(client_id.clone(), client);
        Ok(AccountClient { client_id, api_key })
    }

    /// Makes a pair of OAuth tokens, as if somebody had connected the account in a browser.
    pub fn issue_tokens(&self, tokens: NewTokens) -> Result<Tokens, ControlError> {
        let NewTokens { account_id, expires_in_seconds, scopes } = tokens;
        let mut world = self.world();
        known_account(&world, &account_id)?;
        let lifetime_seconds = expires_in_seconds.unwrap_or(world.options.access_token_seconds);
        Ok(oauth::issue(&mut world, account_id, scopes, lifetime_seconds, clock::now()))
    }

    /// From now on the access token is expired; its refresh token still works.
    pub fn expire_token(&self, access_token: &str) -> Result<(), ControlError> {
        let mut world = self.world();
        let token = world.tokens.get_mut(access_token).ok_or(ControlError::Unknown("token"))?;
        token.expires_at = token.expires_at.min(clock::now());
        Ok(())
    }

    /// From now on the access token is revoked and its refresh token is dead.
    pub fn revoke_token(&self, access_token: &str) -> Result<(), ControlError> {
        let mut world = self.world();
        world.tokens.get_mut(access_token).ok_or(ControlError::Unknown("token"))?.revoked = true;
        world.refresh_tokens.retain(|_, refresh| refresh.access_token != access_token);
        Ok(())
    }

    /// From now on the API key is unknown.
    pub fn revoke_key(&self, api_key: &str) -> Result<(), ControlError> {
        self.world().keys.remove(api_key).map(drop).ok_or(ControlError::Unknown("key"))
    }

    /// Makes a list.
    pub fn create_list(&self, list: NewList) -> Result<ListId, ControlError> {
        let mut world = self.world();
        if !world.clients.contains_key(&list.client_id) {
            return Err(ControlError::Unknown("client"));
        }
        let setting = match list.unsubscribe_setting {
            UnsubscribeSetting::AllClientLists => "AllClientLists",
            UnsubscribeSetting::OnlyThisList => "OnlyThisList",
        };
        let sent = CreateList {
            title: Some(list.title),
            unsubscribe_setting: Some(setting.to_owned()),
            confirmed_opt_in: Some(list.confirmed_opt_in),
            ..CreateList::default()
        };
        Ok(lists::insert(&mut world, list.client_id.as_str(), sent)?)
    }

    /// An administrator deletes a list.
    pub fn delete_list(&self, list: &ListId) -> Result<(), ControlError> {
        let id = list.as_str();
        self.world().lists.remove(id).map(drop).ok_or(ControlError::Unknown("list"))
    }

    /// Makes a custom field and returns its key.
    pub fn add_custom_field(&self, list: &ListId, field: NewField) -> Result<String, ControlError> {
        let id = list.as_str();
        let mut world = self.world();
        let fields = &mut known_list(&mut world, id)?.list.fields;
        Ok(fields.create(&field.name, field.data_type, field.options, true)?)
    }

    /// Puts a person on a list, or replaces them.
    pub fn seed_subscriber(&self, list: &ListId, seed: SeedSubscriber) -> Result<(), ControlError> {
        let id = list.as_str();
        let now = clock::now();
        let mut world = self.world();
        let Target { list, client, .. } = known_list(&mut world, id)?;
        let key = email::key(&seed.email);
        let value = |field: CustomField| {
            let (number, _) = list.fields.find(&field.key).ok_or(ControlError::Unknown("custom field"))?;
            Ok((number, field.value.into_boxed_str()))
        };
        let person = Subscriber {
            email: seed.email.as_str().into(),
            name: seed.name.into_boxed_str(),
            state: seed.state,
            origin: Origin::Seeded,
            joined_at: now,
            changed_at: now,
            mobile: None,
            sms_consent: false,
            values: seed.custom_fields.into_iter().map(value).collect::<Result<_, ControlError>>()?,
        };
        if seed.tracking_refused {
            client.tracking_refused.insert(key.clone());
        }
        let client_id = list.client.clone();
        list.members.put(key, person);
        if seed.suppressed {
            world.suppress(&client_id, &seed.email, "Unsubscribed", now);
        }
        Ok(())
    }

    /// Something happens to a person of a list.
    pub fn change_subscriber(&self, list: &ListId, email: &str, change: Change) -> Result<(), ControlError> {
        let id = list.as_str();
        let address = email;
        let now = clock::now();
        let key = email::key(address);
        let mut world = self.world();
        let Target { list, client, .. } = known_list(&mut world, id)?;
        let client_id = list.client.clone();
        let person = list.members.get_mut(&key).ok_or(ControlError::Unknown("subscriber"))?;
        match change {
            Change::Bounce => person.change_state(SubscriberState::Bounced, now),
            Change::Delete => person.change_state(SubscriberState::Deleted, now),
            Change::Activate => {
                person.change_state(SubscriberState::Active, now);
                client.suppressed.remove(&key);
            }
            Change::Unsubscribe => world.unsubscribe(id, &key, now),
            Change::Suppress => {
                let address = person.email.to_string();
                world.suppress(&client_id, &address, "Manual", now);
            }
        }
        Ok(())
    }

    /// Returns all people on a list, in the order in which they were added.
    pub fn dump(&self, list: &ListId) -> Result<Vec<ListedSubscriber>, ControlError> {
        let mut world = self.world();
        let target = known_list(&mut world, list.as_str())?;
        Ok(target.list.members.iter().map(|person| listed(&target, person)).collect())
    }

    /// Returns one person of a list, whatever the address's case.
    pub fn subscriber(&self, list: &ListId, email: &str) -> Result<ListedSubscriber, ControlError> {
        let mut world = self.world();
        let target = known_list(&mut world, list.as_str())?;
        let person =
            target.list.members.get(&email::key(email)).ok_or(ControlError::Unknown("subscriber"))?;
        Ok(listed(&target, person))
    }

    /// Returns the number of people of each state on a list.
    pub fn counts(&self, list: &ListId) -> Result<Counts, ControlError> {
        counts(&mut self.world(), list.as_str())
    }

    /// A client's suppression list, by address.
    pub fn suppression_list(&self, client: &ClientId) -> Result<Vec<Suppressed>, ControlError> {
        let client_id = client.as_str();
        let world = self.world();
        let client = world.clients.get(client_id).ok_or(ControlError::Unknown("client"))?;
        let entry =
            |entry: &Suppression| Suppressed { email: entry.email.clone(), reason: entry.reason.to_owned() };
        Ok(client.suppressed.values().map(entry).collect())
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

    /// Changes latency and rate limit.
    pub fn set_pace(&self, pace: Pace) {
        let options = &mut self.world().options;
        options.latency_ms = pace.latency_ms;
        options.throttle = pace.throttle;
    }
}

pub(super) fn counts(world: &mut World, list: &str) -> Result<Counts, ControlError> {
    let Target { list, client, .. } = known_list(world, list)?;
    let mut counts = Counts { total: list.members.len(), ..Counts::default() };
    for person in list.members.iter() {
        *counts.by_state.entry(person.state).or_default() += 1;
    }
    counts.suppressed = client.suppressed.keys().filter(|key| list.members.get(key).is_some()).count();
    Ok(counts)
}

fn known_account(world: &World, id: &AccountId) -> Result<(), ControlError> {
    if world.accounts.contains(id) { Ok(()) } else { Err(ControlError::Unknown("account")) }
}

fn known_list<'a>(world: &'a mut World, id: &str) -> Result<Target<'a>, ControlError> {
    world.any_list(id).ok_or(ControlError::Unknown("list"))
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
