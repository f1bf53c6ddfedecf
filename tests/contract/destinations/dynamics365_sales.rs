//! Dynamics 365 Sales for the contract: organisations that change members in sets, and those that do it one by one.

use crate::harness::{Calls, Harness, export};
use crate::store::MemoryStore;
use relay_connectors::dynamics365_sales::Dynamics365Sales;
use relay_connectors::{HttpClient, WantedList};
use relay_model::catalog::Export;
use relay_model::{ListId, MatchKey, Row, SegmentId};
use sandbox::dynamics365_sales as vendor;
use sandbox::faults::{Fault, FaultKind};
use serde_json::json;
use std::collections::BTreeSet;
use vendor::{Guid, ListAction};

const WRONG_SECRET: &str = "Wr0ng~Wr0ng~Wr0ng~Wr0ng~Wr0ng~Wr0ng00";
/// Contacts that there are.
const CONTACTS: u64 = 1_000_000;
/// Numbers of ids that are not among them.
const INACTIVE: u128 = 7_000;
const MISSING: u128 = 8_000;

/// The whole set in one call.
pub(crate) type InSets = DynamicsHarness<false>;
/// A call for each member, many of them in a batch.
pub(crate) type OneByOne = DynamicsHarness<true>;

/// An organisation with contacts, an application and lists.
pub(crate) struct DynamicsHarness<const IS_ONE_BY_ONE: bool> {
    sandbox: vendor::Sandbox,
    http: HttpClient,
    application: vendor::Application,
    list: Guid,
    dynamic_list: Guid,
}

fn id(text: &str) -> Guid {
    Guid::parse(text).unwrap()
}

impl<const IS_ONE_BY_ONE: bool> Harness for DynamicsHarness<IS_ONE_BY_ONE> {
    type C = Dynamics365Sales<MemoryStore>;

    const MANY: usize = if IS_ONE_BY_ONE { 1_100 } else { 2_100 };

    async fn start() -> Self {
        let missing_actions = if IS_ONE_BY_ONE {
            vec![ListAction::AddListMembersList, ListAction::RemoveListMembersList]
        } else {
            Vec::new()
        };
        let options = vendor::Options { missing_actions, ..vendor::Options::default() };
        let sandbox = vendor::Sandbox::start(options).await.unwrap();
        let application = sandbox.create_application(vendor::NewApplication::default()).unwrap();
        sandbox.seed_numbered_contacts(vendor::NumberedContacts { first: 0, count: 4_000 });
        sandbox.seed_numbered_contacts(vendor::NumberedContacts { first: 700_000, count: 1 });
        let list = vendor::NewList { name: "Contract".to_owned(), ..vendor::NewList::default() };
        let list = sandbox.create_list(list).unwrap();
        let kind = vendor::ListKind::Dynamic;
        let dynamic_list = vendor::NewList { name: "Found".to_owned(), kind, ..vendor::NewList::default() };
        let dynamic_list = sandbox.create_list(dynamic_list).unwrap();
        Self { sandbox, http: HttpClient::new().unwrap(), application, list, dynamic_list }
    }

    fn connect(&self, store: MemoryStore) -> Self::C {
        let settings = json!({
            "tenant": self.application.tenant_id.to_string(),
            "client_id": self.application.client_id.to_string(),
            "organisation_url": self.sandbox.base_url(),
            "authority": self.sandbox.base_url(),
        });
        Dynamics365Sales::new(self.http.clone(), settings.as_object().unwrap(), store).unwrap()
    }

    fn secret(&self) -> String {
        json!({"client_secret": self.application.client_secret}).to_string()
    }

    fn wrong_secret(&self) -> String {
        json!({"client_secret": WRONG_SECRET}).to_string()
    }

    fn limited_secret(&self) -> String {
        // Rights are the application user's, so it loses them.
        let privileges = ["prvReadList", "prvReadContact"].map(str::to_owned).into();
        let user = vendor::ApplicationUser::WithPrivileges(privileges);
        let change = vendor::ApplicationChange::User(user);
        self.sandbox.change_application(self.application.client_id, change).unwrap();
        self.secret()
    }

    fn keys(&self) -> Vec<String> {
        vec![self.application.client_secret.clone(), WRONG_SECRET.to_owned()]
    }

    fn export(&self) -> Export {
        let list = IS_ONE_BY_ONE.then(|| self.list.to_string());
        export(list.as_deref(), None, &json!({}))
    }

    fn wanted(&self) -> WantedList {
        if IS_ONE_BY_ONE {
            WantedList::Existing(ListId(self.list.to_string()))
        } else {
            let segment = SegmentId::try_from("everybody".to_owned()).unwrap();
            WantedList::OfSegment { segment, name: "Everybody".to_owned(), known: None }
        }
    }

    fn unusable(&self) -> Vec<WantedList> {
        let lists =
            [self.dynamic_list.to_string(), Guid::random().to_string(), "Contract".to_owned(), String::new()];
        lists.map(|list| WantedList::Existing(ListId(list))).into()
    }

    fn field_key(&self) -> Option<String> {
        None
    }

    fn match_key(&self, number: usize) -> MatchKey {
        let number = u64::try_from(number).unwrap();
        assert!(number < CONTACTS);
        MatchKey(Guid::numbered(number).to_string())
    }

    fn refused_keys(&self) -> Vec<MatchKey> {
        let missing = (MISSING..MISSING + 3).map(Guid::from_number);
        missing.map(|contact| MatchKey(contact.to_string())).collect()
    }

    fn members(&self, list: &ListId) -> BTreeSet<String> {
        let members = self.sandbox.members(id(&list.0)).unwrap();
        members.into_iter().map(|member| member.contact_id.to_string()).collect()
    }

    fn people(&self) -> usize {
        self.sandbox.contacts()
    }

    fn known(&self, rows: &[Row]) -> usize {
        rows.len()
    }

    fn name_of(&self, _list: &ListId, _key: &MatchKey) -> Option<String> {
        None
    }

    fn put(&self, list: &ListId, key: &MatchKey) {
        self.sandbox.seed_members(id(&list.0), &[id(&key.0)]).unwrap();
    }

    fn guard(&self, _list: &ListId) -> Vec<MatchKey> {
        let inactive = |number| {
            let contact_id = Guid::from_number(number);
            let state = vendor::ContactState::Inactive;
            self.sandbox.seed_contacts(vec![vendor::NewContact { contact_id, state, email: None }]);
            MatchKey(contact_id.to_string())
        };
        (INACTIVE..INACTIVE + 3).map(inactive).collect()
    }

    fn state_of(&self, list: &ListId, key: &MatchKey) -> String {
        let report = self.sandbox.report();
        let is_member = self.members(list).contains(&key.0);
        format!(
            "member: {is_member}, contacts changed: {}",
            report.contacts_changed + report.contacts_created
        )
    }

    fn fault(&self, calls: Calls, kind: &FaultKind, times: usize) {
        use vendor::Endpoint::{AddListMembers, Any, Batch, RemoveListMembers};
        let endpoint = match calls {
            Calls::Adding | Calls::Removing if IS_ONE_BY_ONE => Batch,
            Calls::Adding => AddListMembers,
            Calls::Removing => RemoveListMembers,
            Calls::Any => Any,
        };
        self.sandbox.add_fault(Fault::once(endpoint, kind.clone()).times(times));
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
        report.calls.values().map(|calls| calls.calls).sum()
    }

    fn writes(&self) -> usize {
        use vendor::Endpoint::{
            Contact, Contacts, List, ListContacts, ListMembers, Lists, MessageFilters, Metadata, Token,
            TotalRecordCount, UserPrivileges, WhoAmI,
        };
        let is_read = |endpoint| {
            matches!(
                endpoint,
                Token
                    | WhoAmI
                    | Metadata
                    | Lists
                    | List
                    | ListContacts
                    | Contacts
                    | Contact
                    | ListMembers
                    | TotalRecordCount
                    | UserPrivileges
                    | MessageFilters
            )
        };
        let calls = self.sandbox.report().calls.into_iter();
        calls.filter(|(endpoint, _)| !is_read(*endpoint)).map(|(_, calls)| calls.calls).sum()
    }

    fn lists(&self) -> Vec<String> {
        self.sandbox.lists().into_iter().map(|list| format!("{} {}", list.name, list.list_id)).collect()
    }

    fn delete_list(&self, list: &ListId) {
        let change = vendor::PendingChange { change: vendor::ListChange::Delete, after_calls: 0 };
        self.sandbox.change_list(id(&list.0), change).unwrap();
    }
}
