//! Everything that the server knows: accounts, clients, lists, keys and tokens.

use super::auth::{Caller, Key, RefreshToken, Token};
use super::clock::Zone;
use super::errors::{self, ApiError};
use super::fields::Fields;
use super::ids::{AccountId, ClientId, ListId};
use super::members::Members;
use super::options::{Options, UnknownList};
use super::report::Report;
use super::subscriber::SubscriberState;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The state of the sandbox.
#[derive(Debug, Default)]
pub struct World {
    pub(super) options: Options,
    pub(super) report: Report,
    pub(super) accounts: HashSet<AccountId>,
    pub(super) clients: HashMap<ClientId, Client>,
    pub(super) lists: HashMap<ListId, List>,
    pub(super) keys: HashMap<String, Key>,
    pub(super) tokens: HashMap<String, Token>,
    pub(super) refresh_tokens: HashMap<String, RefreshToken>,
    // Clients and lists are shown in the order in which they were made.
    created: usize,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) account: AccountId,
    pub(super) name: String,
    pub(super) api_key: String,
    pub(super) zone: Zone,
    pub(super) created: usize,
    /// By address in the form for comparing.
    pub(super) suppressed: BTreeMap<String, Suppression>,
    /// Addresses that refused to be tracked. Everybody else's consent is taken as given.
    pub(super) tracking_refused: HashSet<String>,
}

impl Client {
    /// Whether the person of this address lets themselves be tracked, in the API's words.
    pub(super) fn consent_to_track(&self, key: &str) -> &'static str {
        if self.tracking_refused.contains(key) { "No" } else { "Yes" }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Suppression {
    pub(super) email: String,
    pub(super) reason: &'static str,
    pub(super) since: i64,
}

#[derive(Debug)]
pub(super) struct List {
    pub(super) client: ClientId,
    pub(super) title: String,
    pub(super) unsubscribe_page: String,
    pub(super) confirmation_success_page: String,
    pub(super) unsubscribe_setting: UnsubscribeSetting,
    pub(super) confirmed_opt_in: bool,
    pub(super) created: usize,
    pub(super) fields: Fields,
    pub(super) members: Members,
}

/// Where somebody who unsubscribes from a list is unsubscribed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnsubscribeSetting {
    /// On all lists of the client, and the address goes to the suppression list.
    #[default]
    AllClientLists,
    /// On this list only.
    OnlyThisList,
}

/// A list that a caller works on, with what belongs to it.
pub(super) struct Target<'a> {
    pub(super) list: &'a mut List,
    pub(super) client: &'a mut Client,
    pub(super) report: &'a mut Report,
    pub(super) options: &'a Options,
}

impl World {
    pub(super) fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    pub(super) fn next_created(&mut self) -> usize {
        self.created = self.created.saturating_add(1);
        self.created
    }

    /// The caller's client of this id.
    pub(super) fn client(&self, caller: &Caller, id: &str) -> Result<(&ClientId, &Client), ApiError> {
        let (id, client) = self.clients.get_key_value(id).ok_or(errors::INVALID_CLIENT)?;
        if caller.owns(id, client) { Ok((id, client)) } else { Err(errors::INVALID_CLIENT) }
    }

    /// The caller's list of this id. Somebody else's looks as if it did not exist.
    pub(super) fn list(&mut self, caller: &Caller, id: &str) -> Result<Target<'_>, ApiError> {
        let unknown = match self.options.unknown_list {
            UnknownList::InvalidClient => errors::INVALID_CLIENT,
            UnknownList::InvalidList => errors::INVALID_LIST,
        };
        let target = self.any_list(id).ok_or(unknown)?;
        if caller.owns(&target.list.client, target.client) { Ok(target) } else { Err(unknown) }
    }

    /// The list of this id, whoever owns it.
    pub(super) fn any_list(&mut self, id: &str) -> Option<Target<'_>> {
        let Self { options, report, clients, lists, .. } = self;
        let list = lists.get_mut(id)?;
        let client = clients.get_mut(&list.client)?;
        Some(Target { list, client, report, options })
    }

    /// The person unsubscribes from a list: from this one, or from all of the client's, as the list says.
    pub(super) fn unsubscribe(&mut self, list_id: &str, key: &str, now: i64) {
        let Some(target) = self.any_list(list_id) else {
            return;
        };
        let Some(person) = target.list.members.get_mut(key) else {
            return;
        };
        person.change_state(SubscriberState::Unsubscribed, now);
        if target.list.unsubscribe_setting == UnsubscribeSetting::AllClientLists {
            let (client_id, email) = (target.list.client.clone(), person.email.to_string());
            self.suppress(&client_id, &email, "Unsubscribed", now);
        }
    }

    /// Puts an address on a client's suppression list; whoever gets mail by it on a list of the client is
    /// unsubscribed there.
    pub(super) fn suppress(&mut self, client_id: &ClientId, email: &str, reason: &'static str, now: i64) {
        let key = super::email::key(email);
        for list in self.lists.values_mut().filter(|list| list.client == *client_id) {
            let Some(person) = list.members.get_mut(&key) else {
                continue;
            };
            if matches!(person.state, SubscriberState::Active | SubscriberState::Unconfirmed) {
                person.change_state(SubscriberState::Unsubscribed, now);
            }
        }
        if let Some(client) = self.clients.get_mut(client_id) {
            let suppression = Suppression { email: email.to_owned(), reason, since: now };
            client.suppressed.entry(key).or_insert(suppression);
        }
    }
}
