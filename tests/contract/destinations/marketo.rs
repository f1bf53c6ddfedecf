//! Marketo Engage for the contract: by calls onto a list that is there, and by bulk imports onto a segment's own.

use crate::harness::{Calls, Harness, RetiringHarness, export};
use crate::people;
use crate::store::MemoryStore;
use relay_connectors::marketo::Marketo;
use relay_connectors::{HttpClient, WantedList};
use relay_model::catalog::Export;
use relay_model::{ListId, MatchKey, SegmentId};
use sandbox::faults::{Fault, FaultKind};
use sandbox::marketo as vendor;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// A hundred times as fast as in reality, so that imports take no time.
const TIME_SCALE: f64 = 100.0;
const WRONG_SECRET: &str = "Wr0ngWr0ngWr0ngWr0ngWr0ngWr0ng00";

/// By calls.
pub(crate) type BySync = MarketoHarness<false>;
/// By files.
pub(crate) type ByImport = MarketoHarness<true>;

/// An instance with two custom services and a list.
pub(crate) struct MarketoHarness<const IS_IMPORT: bool> {
    sandbox: vendor::Sandbox,
    http: HttpClient,
    service: vendor::Credentials,
    limited: vendor::Credentials,
    list: vendor::ListId,
}

impl<const IS_IMPORT: bool> MarketoHarness<IS_IMPORT> {
    fn lead(&self, key: &MatchKey) -> Option<vendor::ShownLead> {
        self.sandbox.leads_by("email", &key.0).unwrap().into_iter().next()
    }

    fn seed(&self, key: &MatchKey, fields: &Value, lists: Vec<vendor::ListId>) {
        let mut lead = vendor::SeedLead { lists, ..vendor::SeedLead::new(&key.0) };
        lead.fields.extend(fields.as_object().unwrap().clone());
        self.sandbox.seed_leads(vec![lead]).unwrap();
    }
}

fn secret(credentials: &vendor::Credentials) -> String {
    json!({"client_id": credentials.client_id, "client_secret": credentials.client_secret}).to_string()
}

fn id(list: &ListId) -> vendor::ListId {
    list.0.parse().unwrap()
}

impl<const IS_IMPORT: bool> Harness for MarketoHarness<IS_IMPORT> {
    type C = Marketo<MemoryStore>;

    const MANY: usize = 700;

    const LEAST_TIME: Duration = if IS_IMPORT { Duration::from_secs(2) } else { Duration::from_secs(20) };

    async fn start() -> Self {
        let usual = vendor::Options::default();
        // Tokens live as long as in reality, for their end is told in our time.
        let token_ms = usual.token_ms * 100;
        let options = vendor::Options { time_scale: TIME_SCALE, token_ms, ..usual };
        let sandbox = vendor::Sandbox::start(options).await.unwrap();
        let service = sandbox.create_service(vendor::NewService::default());
        let permissions = vec![vendor::Permission::ReadOnlyPerson, vendor::Permission::ReadOnlyAssets];
        let limited = sandbox.create_service(vendor::NewService {
            user: "limited@example.com".to_owned(),
            permissions,
            ..vendor::NewService::default()
        });
        let list = sandbox.create_list(vendor::NewList::new("Contract")).unwrap();
        Self { sandbox, http: HttpClient::new().unwrap(), service, limited, list }
    }

    fn connect(&self, store: MemoryStore) -> Self::C {
        let settings = json!({"endpoint": self.sandbox.base_url(), "poll_ms": 20});
        Marketo::new(self.http.clone(), settings.as_object().unwrap(), store).unwrap()
    }

    fn secret(&self) -> String {
        secret(&self.service)
    }

    fn wrong_secret(&self) -> String {
        json!({"client_id": self.service.client_id, "client_secret": WRONG_SECRET}).to_string()
    }

    fn limited_secret(&self) -> String {
        secret(&self.limited)
    }

    fn keys(&self) -> Vec<String> {
        let of = |service: &vendor::Credentials| [service.client_id.clone(), service.client_secret.clone()];
        let all = [of(&self.service), of(&self.limited)];
        all.into_iter().flatten().chain([WRONG_SECRET.to_owned()]).collect()
    }

    fn export(&self) -> Export {
        let (list, push) =
            if IS_IMPORT { (None, "bulk_import") } else { (Some(self.list.to_string()), "sync") };
        export(list.as_deref(), Some("firstName"), &json!({"push": push}))
    }

    fn wanted(&self) -> WantedList {
        if IS_IMPORT {
            let segment = SegmentId::try_from("everybody".to_owned()).unwrap();
            WantedList::OfSegment { segment, name: "Everybody".to_owned(), known: None }
        } else {
            WantedList::Existing(ListId(self.list.to_string()))
        }
    }

    fn unusable(&self) -> Vec<WantedList> {
        ["999999", "Contract", "../1", ""].map(|list| WantedList::Existing(ListId(list.to_owned()))).into()
    }

    fn field_key(&self) -> Option<String> {
        Some("firstName".to_owned())
    }

    fn refused_keys(&self) -> Vec<MatchKey> {
        ["nora.kestrel", "nora.a@kestrel", "nora@b@kestrel.example.org"]
            .map(|key| MatchKey(key.to_owned()))
            .into()
    }

    fn members(&self, list: &ListId) -> BTreeSet<String> {
        self.sandbox.member_emails(id(list)).unwrap().into_iter().collect()
    }

    fn people(&self) -> usize {
        self.sandbox.lead_count()
    }

    fn name_of(&self, _list: &ListId, key: &MatchKey) -> Option<String> {
        self.lead(key)?.fields.get("firstName")?.as_str().map(str::to_owned)
    }

    fn put(&self, list: &ListId, key: &MatchKey) {
        match self.lead(key) {
            Some(lead) => self.sandbox.seed_members(id(list), &[lead.id]).unwrap(),
            None => self.seed(key, &json!({}), vec![id(list)]),
        }
    }

    fn guard(&self, _list: &ListId) -> Vec<MatchKey> {
        let states = [json!({"unsubscribed": true}), json!({"doNotCall": true})];
        let seeded = states.into_iter().zip(900_000..).map(|(fields, number)| {
            let key = MatchKey(people::email(number));
            self.seed(&key, &fields, Vec::new());
            key
        });
        seeded.collect()
    }

    fn state_of(&self, _list: &ListId, key: &MatchKey) -> String {
        let lead = self.lead(key).unwrap();
        let of = |field: &str| lead.fields.get(field).cloned();
        format!("{:?} {:?} {}", of("unsubscribed"), of("doNotCall"), lead.partition)
    }

    fn fault(&self, calls: Calls, kind: &FaultKind, times: usize) {
        use vendor::Endpoint::{AddMembers, Any, Import, RemoveMembers, SyncLeads};
        let endpoints: &[vendor::Endpoint] = match calls {
            Calls::Adding if IS_IMPORT => &[Import],
            Calls::Adding => &[SyncLeads, AddMembers],
            Calls::Removing => &[RemoveMembers],
            Calls::Any => &[Any],
        };
        for endpoint in endpoints {
            self.sandbox.add_fault(Fault::once(*endpoint, kind.clone()).times(times));
        }
    }

    fn fault_every(&self, every: usize, kind: &FaultKind, times: usize) {
        let fault = Fault::once(vendor::Endpoint::Any, kind.clone());
        self.sandbox.add_fault(fault.every(every).times(times));
    }

    fn clear_faults(&self) {
        self.sandbox.clear_faults();
    }

    fn calls(&self) -> usize {
        let report = self.sandbox.report();
        report.identity_calls + report.calls.values().map(|calls| calls.calls).sum::<usize>()
    }

    fn writes(&self) -> usize {
        use vendor::Endpoint::{
            BrowseLists, Describe, Describe2, ErrorStatistics, FindLeads, Folder, FolderByName, Folders,
            Identity, ImportFailures, ImportStatus, ImportWarnings, IsMember, List, ListAsset, ListByName,
            Lists, ListsOfLead, Members, Partitions, Usage,
        };
        let is_read = |endpoint| {
            matches!(
                endpoint,
                Identity
                    | Describe
                    | Describe2
                    | Partitions
                    | FindLeads
                    | ListsOfLead
                    | Lists
                    | List
                    | Members
                    | IsMember
                    | BrowseLists
                    | ListByName
                    | ListAsset
                    | Folders
                    | FolderByName
                    | Folder
                    | ImportStatus
                    | ImportFailures
                    | ImportWarnings
                    | Usage
                    | ErrorStatistics
            )
        };
        let calls = self.sandbox.report().calls.into_iter();
        calls.filter(|(endpoint, _)| !is_read(*endpoint)).map(|(_, calls)| calls.calls).sum()
    }

    fn lists(&self) -> Vec<String> {
        self.sandbox.lists().into_iter().map(|list| format!("{} {}", list.name, list.id)).collect()
    }

    fn delete_list(&self, list: &ListId) {
        self.sandbox.delete_list(id(list)).unwrap();
    }
}

impl<const IS_IMPORT: bool> RetiringHarness for MarketoHarness<IS_IMPORT> {
    fn begin_use(&self, list: &ListId) {
        self.sandbox.begin_list_use(id(list)).unwrap();
    }

    fn end_use(&self, list: &ListId) {
        self.sandbox.end_list_use(id(list)).unwrap();
    }
}
