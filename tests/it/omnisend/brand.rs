//! An Omnisend brand in a sandbox, with a connection to it.

use crate::support::{Definitions, Scene, wait_until};
use local::demo::Person;
use sandbox::faults::FaultKind;
use sandbox::omnisend::{
    BrandKey, Change, ContactsQuery, Endpoint, Fault, Limits, ListedContact, NewBrand, OnWrite, Options,
    Sandbox, SeedContact, Status,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ops::Deref;
use std::time::Duration;

/// The time scale of the sandbox: how many times faster than real time it runs.
const TIME_SCALE: u32 = 20;
/// Calls within a window. More than the vendor allows, because most tests do not concern limits.
const CALLS: usize = 4_000;
/// More than the calls of any test.
pub(super) const ALWAYS: usize = 1_000_000;
/// A tag that is not set by Segment Relay.
pub(super) const FOREIGN_TAG: &str = "foreign tag";

/// A brand. Dropping it checks the invariants of its sandbox.
pub(super) struct Brand<'a> {
    pub(super) scene: &'a Scene,
    pub(super) key: BrandKey,
    /// The connection's definition.
    pub(super) connection: Value,
    sandbox: Sandbox,
}

impl Deref for Brand<'_> {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Drop for Brand<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.settle(0, 0);
        }
    }
}

impl<'a> Brand<'a> {
    /// A brand and a connection of this name.
    pub(super) async fn open(scene: &'a Scene, name: &str) -> Self {
        Self::open_with(scene, name, |options| options).await
    }

    /// The same with other options.
    pub(super) async fn open_with(
        scene: &'a Scene,
        name: &str,
        adjust: impl FnOnce(Options) -> Options,
    ) -> Self {
        let limits = Limits { default: CALLS, tags: CALLS, segment_reads: CALLS, ..Limits::default() };
        let options =
            Options { time_scale: f64::from(TIME_SCALE), limits: Some(limits), ..Options::default() };
        let sandbox = Sandbox::start(adjust(options)).await.unwrap();
        let key = sandbox.create_brand(NewBrand::default());
        let secret = format!("{}/connections/{name}", scene.cloud.stack_name());
        let request = scene.clients.secrets_manager().create_secret().name(&secret);
        request.secret_string(json!({ "api_key": key.api_key }).to_string()).send().await.unwrap();
        let connection = json!({
            "id": name,
            "name": name,
            "destination": "omnisend",
            "secret": secret,
            "consent": { "by": "test", "at": "2026-01-01T00:00:00Z", "text": "Profiles may leave." },
            "settings": {
                "endpoint": sandbox.base_url(),
                "rate": { "calls": 3_000, "window_ms": 60_000 / TIME_SCALE },
                "poll_ms": 100,
                "refused_wait_ms": 15_000 / TIME_SCALE,
            },
        });
        Self { scene, key, connection, sandbox }
    }

    /// Opens a brand that replaces or merges tags on writes, and a connection with this API version.
    pub(super) async fn open_as(scene: &'a Scene, name: &str, dialect: &str, tags_on_write: OnWrite) -> Self {
        let mut brand = Self::open_with(scene, name, |options| Options { tags_on_write, ..options }).await;
        brand.connection["settings"]["dialect"] = json!(dialect);
        brand
    }

    /// Sets the number of lanes. With one lane batches are full, so that they can be counted.
    pub(super) fn lanes(mut self, lanes: u16) -> Self {
        self.connection["settings"]["lanes"] = json!(lanes);
        self
    }

    /// An export of all people with the newsletter flag. The tag is the name of the segment.
    pub(super) fn job(&self, name: &str) -> Definitions<'a> {
        let export = json!({
            "id": name,
            "name": name,
            "connection": self.connection["id"],
            "match_key": "email",
            "mapping": [
                { "attribute": "name", "field": "firstName" },
                { "attribute": "city", "field": "city" },
                { "attribute": "points", "field": "properties.points" },
            ],
            "segments": [{ "segment": name }],
            "options": { "property_types": { "points": "number" } },
        });
        Definitions::new(self.scene, name, self.connection.clone(), export)
    }

    /// Creates contacts of the brand, each with a status, tags and a property of their own.
    pub(super) fn seed<'p>(&self, people: impl IntoIterator<Item = &'p Person>) {
        let statuses = [Status::Subscribed, Status::Unsubscribed, Status::NonSubscribed];
        let seeds = people.into_iter().zip(statuses.into_iter().cycle()).map(|(person, status)| {
            let mut seed = SeedContact::new(address(person), status).tagged(&[FOREIGN_TAG, "vip"]);
            seed.custom_properties.insert("shoes".to_owned(), json!("red"));
            seed.fields.insert("lastName".to_owned(), "Kept".to_owned());
            seed
        });
        self.sandbox.seed_contacts(&self.key.brand_id, seeds.collect()).unwrap();
    }

    /// Changes a contact as another program would.
    pub(super) fn change(&self, email: &str, change: Change) {
        self.sandbox.change_contact(&self.key.brand_id, email, change).unwrap();
    }

    /// Throttles every call for so many minutes of the sandbox's time.
    pub(super) async fn refuse_for(&self, minutes: u32) {
        self.add_fault(Fault::once(Endpoint::Any, FaultKind::TooManyRequests).times(ALWAYS));
        tokio::time::sleep(Duration::from_mins(1) * minutes / TIME_SCALE).await;
        self.clear_faults();
    }

    /// The addresses of contacts with a tag, after all tagging has completed.
    pub(super) async fn tagged(&self, tag: &str) -> BTreeSet<String> {
        let brand = &self.key.brand_id;
        wait_until("all taggings are done", async || {
            self.sandbox.counts(brand).unwrap().pending_taggings == 0
        })
        .await;
        let query =
            ContactsQuery { tag: Some(tag.to_owned()), limit: usize::MAX, ..ContactsQuery::default() };
        let found = self.sandbox.contacts(brand, &query).unwrap().contacts;
        found.into_iter().filter_map(|contact| contact.email).collect()
    }

    /// All contacts, in the order of their creation.
    pub(super) fn all_people(&self) -> Vec<ListedContact> {
        let query = ContactsQuery { limit: usize::MAX, ..ContactsQuery::default() };
        self.sandbox.contacts(&self.key.brand_id, &query).unwrap().contacts
    }

    /// The contact of an address.
    pub(super) fn person(&self, email: &str) -> ListedContact {
        self.sandbox.contact(&self.key.brand_id, email).unwrap()
    }

    /// How many contacts there are.
    pub(super) fn contact_count(&self) -> usize {
        self.sandbox.counts(&self.key.brand_id).unwrap().contacts
    }

    /// Calls of one kind since the last reset.
    pub(super) fn calls(&self, endpoint: Endpoint) -> usize {
        self.report().calls.get(&endpoint).map_or(0, |calls| calls.calls)
    }

    /// All calls since the last reset.
    pub(super) fn all_calls(&self) -> usize {
        self.report().calls.values().map(|calls| calls.calls).sum()
    }

    /// Checks the invariants and resets the report.
    #[track_caller]
    pub(super) fn count_anew(&self) {
        self.settle(0, 0);
    }

    /// Checks the invariants and the number of contacts that were subscribed, new ones and existing ones. Resets the
    /// report.
    #[track_caller]
    pub(super) fn settle(&self, created_subscribed: usize, raised: usize) {
        let report = self.report();
        let statuses = &report.statuses;
        assert_eq!(
            (statuses.created_subscribed, statuses.raised),
            (created_subscribed, raised),
            "{statuses:?}"
        );
        assert_eq!((statuses.lowered, statuses.older_ignored), (0, 0), "{statuses:?}");
        assert_eq!(report.welcome_messages, 0);
        let tags = &report.tags;
        assert_eq!((tags.foreign_lost_by_writes, tags.foreign_lost_by_removals), (0, 0), "{tags:?}");
        assert_eq!(report.foreign_properties_lost, 0);
        self.sandbox.reset_report();
    }
}

/// The address of a person.
pub(super) fn address(person: &Person) -> String {
    person.email.clone().unwrap()
}
