//! Preparing the sandbox, looking into it and changing what is in it behind the API's back.

use super::control_types::{
    Account, AccountClient, Change, ControlError, Counts, ListedSubscriber, NewAccount, NewClient, NewField,
    NewList, NewTokens, Pace, SeedSubscriber, Suppressed,
};
use super::ids::{ClientId, ListId};
use super::oauth::Tokens;
use super::report::Report;
use super::server::lock;
use super::{Fault, Sandbox};

impl Sandbox {
    /// Makes an account.
    #[must_use]
    pub fn create_account(&self, account: NewAccount) -> Account {
        self.shared.create_account(account)
    }

    /// Makes a client of an account.
    pub fn create_client(&self, client: NewClient) -> Result<AccountClient, ControlError> {
        self.shared.create_client(client)
    }

    /// Makes a pair of OAuth tokens, as if somebody had connected the account in a browser.
    pub fn issue_tokens(&self, tokens: NewTokens) -> Result<Tokens, ControlError> {
        self.shared.issue_tokens(tokens)
    }

    /// From now on the access token is expired; its refresh token still works.
    pub fn expire_token(&self, access_token: &str) -> Result<(), ControlError> {
        self.shared.expire_token(access_token)
    }

    /// From now on the access token is revoked and its refresh token is dead.
    pub fn revoke_token(&self, access_token: &str) -> Result<(), ControlError> {
        self.shared.revoke_token(access_token)
    }

    /// From now on the API key is unknown.
    pub fn revoke_key(&self, api_key: &str) -> Result<(), ControlError> {
        self.shared.revoke_key(api_key)
    }

    /// Makes a list.
    pub fn create_list(&self, list: NewList) -> Result<ListId, ControlError> {
        self.shared.create_list(list)
    }

    /// An administrator deletes a list.
    pub fn delete_list(&self, list: &ListId) -> Result<(), ControlError> {
        self.shared.delete_list(list.as_str())
    }

    /// Makes a custom field and returns its key.
    pub fn add_custom_field(&self, list: &ListId, field: NewField) -> Result<String, ControlError> {
        self.shared.add_custom_field(list.as_str(), field)
    }

    /// Puts a person on a list, or replaces them.
    pub fn seed_subscriber(&self, list: &ListId, subscriber: SeedSubscriber) -> Result<(), ControlError> {
        self.shared.seed_subscriber(list.as_str(), subscriber)
    }

    /// Something happens to a person of a list.
    pub fn change_subscriber(&self, list: &ListId, email: &str, change: Change) -> Result<(), ControlError> {
        self.shared.change_subscriber(list.as_str(), email, change)
    }

    /// Everybody on a list, in the order in which they came.
    pub fn dump(&self, list: &ListId) -> Result<Vec<ListedSubscriber>, ControlError> {
        self.shared.dump(list.as_str(), None)
    }

    /// One person of a list, whatever the address's case.
    pub fn subscriber(&self, list: &ListId, email: &str) -> Result<ListedSubscriber, ControlError> {
        let found = self.shared.dump(list.as_str(), Some(email))?;
        found.into_iter().next().ok_or(ControlError::Unknown("subscriber"))
    }

    /// How many people of each state a list has.
    pub fn counts(&self, list: &ListId) -> Result<Counts, ControlError> {
        self.shared.counts(list.as_str())
    }

    /// A client's suppression list, by address.
    pub fn suppression_list(&self, client: &ClientId) -> Result<Vec<Suppressed>, ControlError> {
        self.shared.suppression_list(client.as_str())
    }

    /// What was seen since the start or the last reset.
    #[must_use]
    pub fn report(&self) -> Report {
        self.shared.world().report.clone()
    }

    /// Sets all of the report's figures to zero.
    pub fn reset_report(&self) {
        self.shared.world().report = Report::default();
    }

    /// Adds a fault behind those that are waiting already.
    pub fn add_fault(&self, fault: Fault) {
        lock(&self.shared.faults).add(fault);
    }

    /// Forgets all faults.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// The faults that are still to come, each with the number of calls that it will still hit.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        lock(&self.shared.faults).remaining()
    }

    /// Changes latency and rate limit.
    pub fn set_pace(&self, pace: Pace) {
        self.shared.set_pace(pace);
    }
}
