//! A Marketo account in a sandbox, with a connection to it.

use crate::support::{Definitions, Scene};
use local::demo::Person;
use sandbox::marketo::{
    Credentials, DataType, Endpoint, Field, LeadId, NewService, Options, Sandbox, ShownLead, ShownList,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ops::Deref;

/// The time scale of the sandbox: how many times faster than real time it runs.
const TIME_SCALE: u32 = 20;
/// Calls within the account's window. More than the vendor allows, because most tests do not concern limits.
const RATE_CALLS: usize = 1_000;

/// An account. Dropping it checks the invariants of its sandbox.
pub(super) struct Account<'a> {
    pub(super) scene: &'a Scene,
    pub(super) credentials: Credentials,
    /// The connection's definition.
    pub(super) connection: Value,
    sandbox: Sandbox,
}

impl Deref for Account<'_> {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.is_clean();
        }
    }
}

impl<'a> Account<'a> {
    /// An account and a connection of this name.
    pub(super) async fn open(scene: &'a Scene, name: &str) -> Self {
        Self::open_with(scene, name, |options| options).await
    }

    /// The same with other options.
    pub(super) async fn open_with(
        scene: &'a Scene,
        name: &str,
        adjust: impl FnOnce(Options) -> Options,
    ) -> Self {
        let options =
            Options { time_scale: f64::from(TIME_SCALE), rate_calls: RATE_CALLS, ..Options::default() };
        let options = adjust(options);
        let sandbox = Sandbox::start(options).await.unwrap();
        sandbox.add_field(Field::new("loyaltyPoints", DataType::Integer));
        let credentials = sandbox.create_service(NewService::default());
        let secret = format!("{}/connections/{name}", scene.cloud.stack_name());
        let request = scene.clients.secrets_manager().create_secret().name(&secret);
        request.secret_string(json!(credentials).to_string()).send().await.unwrap();
        let connection = json!({
            "id": name,
            "name": name,
            "destination": "marketo",
            "secret": secret,
            "consent": { "by": "test", "at": "2026-01-01T00:00:00Z", "text": "Profiles may leave." },
            "settings": {
                "endpoint": sandbox.base_url(),
                "rate": { "calls": 1_000, "window_ms": 20_000 },
                "poll_ms": 100,
            },
        });
        Self { scene, credentials, connection, sandbox }
    }

    /// Sets the number of lanes. With one lane calls are full, so that they can be counted.
    pub(super) fn lanes(mut self, lanes: u16) -> Self {
        self.connection["settings"]["lanes"] = json!(lanes);
        self
    }

    /// An export of all people with the newsletter flag to the segment's own list, by calls.
    pub(super) fn job(&self, name: &str) -> Definitions<'a> {
        let export = json!({
            "id": name,
            "name": name,
            "connection": self.connection["id"],
            "match_key": "email",
            "mapping": [
                { "attribute": "name", "field": "firstName" },
                { "attribute": "city", "field": "city" },
                { "attribute": "points", "field": "loyaltyPoints" },
            ],
            "segments": [{ "segment": name }],
            "options": { "push": "sync" },
        });
        Definitions::new(self.scene, name, self.connection.clone(), export)
    }

    /// The only list of this name.
    pub(super) fn list(&self, name: &str) -> ShownList {
        let lists: Vec<ShownList> = self.lists().into_iter().filter(|list| list.name == name).collect();
        assert_eq!(lists.len(), 1, "{:?}", self.lists());
        lists[0].clone()
    }

    /// The addresses of those who are on a list.
    pub(super) fn on(&self, list: &str) -> BTreeSet<String> {
        let emails = self.member_emails(self.list(list).id).unwrap();
        let distinct: BTreeSet<String> = emails.iter().cloned().collect();
        assert_eq!(distinct.len(), emails.len(), "no person is on the list twice");
        distinct
    }

    /// The only person of this address.
    pub(super) fn person(&self, email: &str) -> ShownLead {
        let found = self.leads_by("email", email).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }

    /// All people in the database.
    pub(super) fn all_people(&self) -> Vec<ShownLead> {
        self.leads(LeadId::default(), usize::MAX)
    }

    /// Calls of one kind since the last reset.
    pub(super) fn calls(&self, endpoint: Endpoint) -> usize {
        self.report().calls.get(&endpoint).map_or(0, |calls| calls.calls)
    }

    /// All calls since the last reset that count for the quota.
    pub(super) fn all_calls(&self) -> usize {
        let counted = |(endpoint, calls): (Endpoint, sandbox::marketo::CallReport)| {
            if endpoint == Endpoint::Identity { 0 } else { calls.calls }
        };
        self.report().calls.into_iter().map(counted).sum()
    }

    /// Checks the invariants and resets the report.
    pub(super) fn count_anew(&self) {
        self.is_clean();
        self.reset_report();
    }

    /// Checks the invariants.
    #[track_caller]
    fn is_clean(&self) {
        let report = self.report();
        assert_eq!(report.specification_violations, Vec::<String>::new());
        assert_eq!((report.duplicate_leads, report.leads_deleted), (0, 0));
    }
}

/// Changes the city of people.
pub(super) fn moved<'p>(people: impl IntoIterator<Item = &'p mut Person>) {
    for person in people {
        person.city = format!("New {}", person.city);
    }
}
