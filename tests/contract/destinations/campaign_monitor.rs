//! Campaign Monitor for the contract.

use crate::harness::{Calls, Harness, export};
use crate::people;
use crate::store::MemoryStore;
use relay_connectors::campaign_monitor::{CampaignMonitor, DOMAINS};
use relay_connectors::{Endpoint, HttpClient, WantedList};
use relay_model::catalog::Export;
use relay_model::{ListId, MatchKey};
use sandbox::campaign_monitor as cm;
use sandbox::faults::{Fault, FaultKind};
use serde_json::{Map, json};
use std::collections::BTreeSet;

const WRONG_KEY: &str = "ba5eba11ba5eba11ba5eba11ba5eba11";

/// An account with one client and one list with a field.
pub(crate) struct CampaignMonitorHarness {
    sandbox: cm::Sandbox,
    http: HttpClient,
    api_key: String,
    tokens: cm::Tokens,
    list: cm::ListId,
    field_key: String,
}

impl CampaignMonitorHarness {
    fn add(&self, matches: cm::Endpoint, kind: &FaultKind, times: usize) {
        self.sandbox.add_fault(Fault::once(matches, kind.clone()).times(times));
    }

    fn seed(&self, key: &MatchKey, state: cm::SubscriberState, suppressed: bool) {
        let person = cm::SeedSubscriber { suppressed, ..cm::SeedSubscriber::new(key.0.clone(), state) };
        self.sandbox.seed_subscriber(&self.list, person).unwrap();
    }
}

impl Harness for CampaignMonitorHarness {
    type C = CampaignMonitor<MemoryStore>;

    const MANY: usize = 2_100;

    async fn start() -> Self {
        let sandbox = cm::Sandbox::start(cm::Options::default()).await.unwrap();
        let account_id = sandbox.create_account(cm::NewAccount::default()).account_id;
        let client = sandbox.create_client(cm::NewClient::new(account_id.clone(), "Contract")).unwrap();
        let scopes = Some(vec!["ViewReports".to_owned()]);
        let tokens = cm::NewTokens { account_id, expires_in_seconds: None, scopes };
        let tokens = sandbox.issue_tokens(tokens).unwrap();
        let list = cm::NewList {
            client_id: client.client_id,
            title: "Contract".to_owned(),
            confirmed_opt_in: false,
            unsubscribe_setting: cm::UnsubscribeSetting::default(),
        };
        let list = sandbox.create_list(list).unwrap();
        let field =
            cm::NewField { name: "GivenName".to_owned(), data_type: cm::DataType::Text, options: vec![] };
        let field_key = sandbox.add_custom_field(&list, field).unwrap();
        let http = HttpClient::new().unwrap();
        Self { sandbox, http, api_key: client.api_key, tokens, list, field_key }
    }

    fn connect(&self, store: MemoryStore) -> Self::C {
        let endpoint = Endpoint::parse(&self.sandbox.base_url(), DOMAINS).unwrap();
        CampaignMonitor::new(endpoint, self.http.clone(), &Map::new(), store).unwrap()
    }

    fn secret(&self) -> String {
        json!({"api_key": self.api_key}).to_string()
    }

    fn wrong_secret(&self) -> String {
        json!({"api_key": WRONG_KEY}).to_string()
    }

    fn limited_secret(&self) -> String {
        json!({"access_token": self.tokens.access_token, "refresh_token": self.tokens.refresh_token})
            .to_string()
    }

    fn keys(&self) -> Vec<String> {
        let (access, refresh) = (&self.tokens.access_token, &self.tokens.refresh_token);
        vec![self.api_key.clone(), WRONG_KEY.to_owned(), access.clone(), refresh.clone()]
    }

    fn export(&self) -> Export {
        let fields = json!([{"name": "Made by the export", "type": "Text"}]);
        let options = json!({"consent_to_track": "yes", "create_missing_fields": fields});
        export(Some(self.list.as_str()), Some(&self.field_key), &options)
    }

    fn wanted(&self) -> WantedList {
        WantedList::Existing(ListId(self.list.as_str().to_owned()))
    }

    fn unusable(&self) -> Vec<WantedList> {
        let lists = ["a58ee1d3039b8bec838e6d1482a8a965", "../clients", ""];
        lists.map(|list| WantedList::Existing(ListId(list.to_owned()))).into()
    }

    fn field_key(&self) -> Option<String> {
        Some(self.field_key.clone())
    }

    fn refused_keys(&self) -> Vec<MatchKey> {
        ["nora.kestrel", "nora.a@kestrel", "nora.b@-kestrel.example.org"]
            .map(|key| MatchKey(key.to_owned()))
            .into()
    }

    fn members(&self, _list: &ListId) -> BTreeSet<String> {
        let is_member = |person: &cm::ListedSubscriber| person.state == cm::SubscriberState::Active;
        let people = self.sandbox.dump(&self.list).unwrap();
        people.into_iter().filter(is_member).map(|person| person.email).collect()
    }

    fn people(&self) -> usize {
        self.sandbox.dump(&self.list).unwrap().len()
    }

    fn name_of(&self, _list: &ListId, key: &MatchKey) -> Option<String> {
        let person = self.sandbox.subscriber(&self.list, &key.0).ok()?;
        person.custom_fields.into_iter().find(|field| field.key == self.field_key).map(|field| field.value)
    }

    fn put(&self, _list: &ListId, key: &MatchKey) {
        self.seed(key, cm::SubscriberState::Active, false);
    }

    fn guard(&self, _list: &ListId) -> Vec<MatchKey> {
        use cm::SubscriberState::{Active, Bounced, Deleted, Unsubscribed};
        let states = [(Unsubscribed, false), (Bounced, false), (Deleted, false), (Active, true)];
        let mut keys = Vec::new();
        for (number, (state, is_suppressed)) in (900_000..).zip(states) {
            let key = MatchKey(people::email(number));
            self.seed(&key, state, is_suppressed);
            keys.push(key);
        }
        keys
    }

    fn state_of(&self, _list: &ListId, key: &MatchKey) -> String {
        let person = self.sandbox.subscriber(&self.list, &key.0).unwrap();
        // Whoever is suppressed is sent nothing, on whatever list they are.
        if person.suppressed { "suppressed".to_owned() } else { format!("{:?}", person.state) }
    }

    fn fault(&self, calls: Calls, kind: &FaultKind, times: usize) {
        match calls {
            Calls::Adding => self.add(cm::Endpoint::Import, kind, times),
            Calls::Removing => self.add(cm::Endpoint::Remove, kind, times),
            Calls::Any => self.add(cm::Endpoint::Any, kind, times),
        }
    }

    fn fault_every(&self, every: usize, kind: &FaultKind, times: usize) {
        self.sandbox.add_fault(Fault::once(cm::Endpoint::Any, kind.clone()).every(every).times(times));
    }

    fn clear_faults(&self) {
        self.sandbox.clear_faults();
    }

    fn calls(&self) -> usize {
        self.sandbox.report().calls.values().map(|calls| calls.calls).sum()
    }

    fn writes(&self) -> usize {
        use cm::Endpoint::{
            Client, ClientLists, Clients, Details, Fields, History, List, Members, Stats, SuppressionList,
            Token,
        };
        let is_read = |endpoint| {
            matches!(
                endpoint,
                Clients
                    | Client
                    | ClientLists
                    | SuppressionList
                    | List
                    | Stats
                    | Fields
                    | Members
                    | Details
                    | History
                    | Token
            )
        };
        let calls = self.sandbox.report().calls.into_iter();
        calls.filter(|(endpoint, _)| !is_read(*endpoint)).map(|(_, calls)| calls.calls).sum()
    }

    fn lists(&self) -> Vec<String> {
        // An export makes none; the sandbox shows those that there are to nobody but their owner.
        Vec::new()
    }

    fn delete_list(&self, _list: &ListId) {
        self.sandbox.delete_list(&self.list).unwrap();
    }
}
