//! What the control methods and the control routes do; `control_views` has what they show.

use super::auth::Key;
use super::clock::{self, Zone};
use super::control_types::{
    Account, AccountClient, Change, ControlError, CustomField, NewAccount, NewClient, NewField, NewList,
    NewTokens, Pace, SeedSubscriber,
};
use super::email;
use super::ids::{AccountId, ClientId, ListId};
use super::lists::{self, CreateList};
use super::oauth::{self, Tokens};
use super::server::Shared;
use super::subscriber::{Origin, Subscriber, SubscriberState};
use super::world::{Client, Target, UnsubscribeSetting, World};
use crate::random::hexadecimal_id;
use std::collections::{BTreeMap, HashSet};

impl Shared {
    pub(super) fn create_account(&self, account: NewAccount) -> Account {
        let account_id = AccountId::random();
        let api_key = account.api_key.unwrap_or_else(hexadecimal_id);
        let mut world = self.world();
        world.accounts.insert(account_id.clone());
        world.keys.insert(api_key.clone(), Key { account: account_id.clone(), client: None });
        Account { account_id, api_key }
    }

    pub(super) fn create_client(&self, client: NewClient) -> Result<AccountClient, ControlError> {
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

    pub(super) fn issue_tokens(&self, tokens: NewTokens) -> Result<Tokens, ControlError> {
        let NewTokens { account_id, expires_in_seconds, scopes } = tokens;
        let mut world = self.world();
        known_account(&world, &account_id)?;
        let lifetime_seconds = expires_in_seconds.unwrap_or(world.options.access_token_seconds);
        Ok(oauth::issue(&mut world, account_id, scopes, lifetime_seconds, clock::now()))
    }

    pub(super) fn expire_token(&self, access_token: &str) -> Result<(), ControlError> {
        let mut world = self.world();
        let token = world.tokens.get_mut(access_token).ok_or(ControlError::Unknown("token"))?;
        token.expires_at = token.expires_at.min(clock::now());
        Ok(())
    }

    pub(super) fn revoke_token(&self, access_token: &str) -> Result<(), ControlError> {
        let mut world = self.world();
        world.tokens.get_mut(access_token).ok_or(ControlError::Unknown("token"))?.revoked = true;
        world.refresh_tokens.retain(|_, refresh| refresh.access_token != access_token);
        Ok(())
    }

    pub(super) fn revoke_key(&self, api_key: &str) -> Result<(), ControlError> {
        self.world().keys.remove(api_key).map(drop).ok_or(ControlError::Unknown("key"))
    }

    pub(super) fn create_list(&self, list: NewList) -> Result<ListId, ControlError> {
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

    pub(super) fn delete_list(&self, id: &str) -> Result<(), ControlError> {
        self.world().lists.remove(id).map(drop).ok_or(ControlError::Unknown("list"))
    }

    pub(super) fn add_custom_field(&self, id: &str, field: NewField) -> Result<String, ControlError> {
        let mut world = self.world();
        let fields = &mut list(&mut world, id)?.list.fields;
        Ok(fields.create(&field.name, field.data_type, field.options, true)?)
    }

    pub(super) fn seed_subscriber(&self, id: &str, seed: SeedSubscriber) -> Result<(), ControlError> {
        let now = clock::now();
        let mut world = self.world();
        let Target { list, client, .. } = list(&mut world, id)?;
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

    pub(super) fn change_subscriber(
        &self,
        id: &str,
        address: &str,
        change: Change,
    ) -> Result<(), ControlError> {
        let now = clock::now();
        let key = email::key(address);
        let mut world = self.world();
        let Target { list, client, .. } = list(&mut world, id)?;
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

    pub(super) fn set_pace(&self, pace: Pace) {
        let options = &mut self.world().options;
        options.latency_ms = pace.latency_ms;
        options.throttle = pace.throttle;
    }
}

fn known_account(world: &World, id: &AccountId) -> Result<(), ControlError> {
    if world.accounts.contains(id) { Ok(()) } else { Err(ControlError::Unknown("account")) }
}

pub(super) fn list<'a>(world: &'a mut World, id: &str) -> Result<Target<'a>, ControlError> {
    world.any_list(id).ok_or(ControlError::Unknown("list"))
}
