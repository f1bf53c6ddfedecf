//! A Dynamics 365 Sales organisation in a sandbox, with a connection to it.

use crate::support::{Definitions, Scene};
use sandbox::dynamics365_sales::{
    Application, Endpoint, Guid, ListChange, ListView, NewApplication, NumberedContacts, Options,
    PendingChange, Sandbox,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ops::Deref;

/// The time scale of the sandbox: how many times faster than real time it runs.
const TIME_SCALE: u32 = 20;

/// An organisation. Dropping it checks the invariants of its sandbox.
pub(super) struct Organisation<'a> {
    pub(super) scene: &'a Scene,
    pub(super) application: Application,
    /// The connection's definition.
    pub(super) connection: Value,
    sandbox: Sandbox,
}

impl Deref for Organisation<'_> {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Drop for Organisation<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.count_anew();
        }
    }
}

impl<'a> Organisation<'a> {
    /// An organisation with so many contacts, and a connection of this name.
    pub(super) async fn open(scene: &'a Scene, name: &str, contacts: u64) -> Self {
        Self::open_with(scene, name, contacts, |options| options).await
    }

    /// The same with other options.
    pub(super) async fn open_with(
        scene: &'a Scene,
        name: &str,
        contacts: u64,
        adjust: impl FnOnce(Options) -> Options,
    ) -> Self {
        let options = Options { time_scale: f64::from(TIME_SCALE), ..Options::default() };
        let sandbox = Sandbox::start(adjust(options)).await.unwrap();
        let application = sandbox.create_application(NewApplication::default()).unwrap();
        sandbox.seed_numbered_contacts(NumberedContacts { first: 0, count: contacts });
        let secret = format!("{}/connections/{name}", scene.cloud.stack_name());
        let request = scene.clients.secrets_manager().create_secret().name(&secret);
        let value = json!({ "client_secret": application.client_secret });
        request.secret_string(value.to_string()).send().await.unwrap();
        let connection = json!({
            "id": name,
            "name": name,
            "destination": "dynamics365-sales",
            "secret": secret,
            "consent": { "by": "test", "at": "2026-01-01T00:00:00Z", "text": "Profiles may leave." },
            "settings": {
                "organisation_url": sandbox.base_url(),
                "authority": sandbox.base_url(),
                "tenant": application.tenant_id,
                "client_id": application.client_id,
                "rate": { "calls": 6_000, "window_ms": 300_000 / TIME_SCALE },
                "call_seconds": 10.0 / f64::from(TIME_SCALE),
            },
        });
        Self { scene, application, connection, sandbox }
    }

    /// Sets the maximum number of members in one call.
    pub(super) fn members_a_call(mut self, members: usize) -> Self {
        self.connection["settings"]["first_members"] = json!(members);
        self.connection["settings"]["largest_members"] = json!(members);
        self
    }

    /// An export of all contacts in the file to the segment's own list.
    pub(super) fn job(&self, name: &str) -> Definitions<'a> {
        let export = json!({
            "id": name,
            "name": name,
            "connection": self.connection["id"],
            "match_key": "contact_id",
            "segments": [{ "segment": name }],
        });
        let mut job = Definitions::new(self.scene, name, self.connection.clone(), export);
        job.source = json!({ "id": name, "location": format!("s3://lake/{name}/"), "format": "csv" });
        job.segment["query"] = json!(format!("SELECT customer_id, contact_id FROM {name}"));
        job
    }

    /// The only list of this name.
    pub(super) fn list_named(&self, name: &str) -> ListView {
        let lists: Vec<ListView> = self.lists().into_iter().filter(|list| list.name == name).collect();
        assert_eq!(lists.len(), 1, "{:?}", self.lists());
        lists[0].clone()
    }

    /// The members of a list.
    pub(super) fn on(&self, list: Guid) -> BTreeSet<Guid> {
        self.members(list).unwrap().into_iter().map(|member| member.contact_id).collect()
    }

    /// Changes a list as its owner would, at once or after some calls that change its members.
    pub(super) fn owner(&self, list: Guid, change: ListChange, after_calls: usize) {
        self.change_list(list, PendingChange { change, after_calls }).unwrap();
    }

    /// Calls of one kind since the last reset.
    pub(super) fn calls(&self, endpoint: Endpoint) -> usize {
        self.report().calls.get(&endpoint).map_or(0, |calls| calls.calls)
    }

    /// All writing calls, including failed ones.
    pub(super) fn writes(&self) -> usize {
        let writing = [
            Endpoint::CreateList,
            Endpoint::UpsertList,
            Endpoint::SetListColumn,
            Endpoint::DeleteList,
            Endpoint::AddListMembers,
            Endpoint::RemoveListMembers,
            Endpoint::AddMember,
            Endpoint::RemoveMember,
        ];
        writing.into_iter().map(|endpoint| self.calls(endpoint)).sum()
    }

    /// All calls since the last reset. The operations of a `$batch` are not counted separately.
    pub(super) fn all_calls(&self) -> usize {
        self.report().calls.values().map(|calls| calls.calls).sum()
    }

    /// Checks the invariants and resets the report.
    #[track_caller]
    pub(super) fn count_anew(&self) {
        let report = self.report();
        assert_eq!((report.contacts_created, report.contacts_changed), (0, 0));
        assert_eq!((report.calls_with_cookies, report.calls_without_odata_version), (0, 0));
        assert_eq!(report.members.foreign_removed, 0);
        assert!(report.most_calls_for_one_list <= 1, "{report:?}");
        assert_eq!(report.calls_before_retry_after, 0);
        assert_eq!((self.calls(Endpoint::CreateContact), self.calls(Endpoint::UpsertContact)), (0, 0));
        self.reset_report();
    }
}

/// Replaces the people in the lake. The customer id of each follows from its position
/// in the input; the text is the contact's id.
pub(super) async fn upload(job: &Definitions<'_>, contacts: impl IntoIterator<Item = (u64, String)>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("contacts.csv");
    let mut writer = csv::Writer::from_path(&path).unwrap();
    writer.write_record(["customer_id", "contact_id"]).unwrap();
    for (number, contact) in contacts {
        writer.write_record([format!("C{number:07}"), contact]).unwrap();
    }
    writer.flush().unwrap();
    drop(writer);
    job.world.upload(&format!("{}/contacts.csv", job.name), &path).await.unwrap();
}

/// The rows of the contacts with these numbers, as in the lake.
pub(super) fn rows(numbers: impl IntoIterator<Item = u64>) -> Vec<(u64, String)> {
    numbers.into_iter().map(|number| (number, Guid::numbered(number).to_string())).collect()
}

/// The ids of the contacts of these numbers.
pub(super) fn guids(numbers: impl IntoIterator<Item = u64>) -> BTreeSet<Guid> {
    numbers.into_iter().map(Guid::numbered).collect()
}
