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

/// How many times faster than real the brand's time runs.
const TIME_SCALE: u32 = 20;
/// Calls within a window. More than the vendor lets through: most tests are about other things.
const CALLS: usize = 4_000;
/// More often than any test makes calls.
pub(super) const ALWAYS: usize = 1_000_000;
/// A tag that somebody else gives people.
pub(super) const FOREIGN_TAG: &str = "somebody else's";

/// A brand. When it goes, its sandbox must have seen nothing that must never happen.
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

    /// A brand that does with tags of writes as told, and a connection that speaks a dialect.
    pub(super) async fn open_as(scene: &'a Scene, name: &str, dialect: &str, tags_on_write: OnWrite) -> Self {
        let mut brand = Self::open_with(scene, name, |options| Options { tags_on_write, ..options }).await;
        brand.connection["settings"]["dialect"] = json!(dialect);
        brand
    }

    /// Lets so many pieces of work be in hand at one time. With one, batches are as full as they can be and can be counted.
    pub(super) fn lanes(mut self, lanes: u16) -> Self {
        self.connection["settings"]["lanes"] = json!(lanes);
        self
    }

    /// An export of everybody who wants the newsletter. The tag is the segment's name.
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

    /// Puts people into the brand as it has them: each has a status, a tag and a property from elsewhere.
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

    /// Somebody else changes a contact.
    pub(super) fn change(&self, email: &str, change: Change) {
        self.sandbox.change_contact(&self.key.brand_id, email, change).unwrap();
    }

    /// Refuses every call as one too many for so many minutes of the brand's time.
    pub(super) async fn refuse_for(&self, minutes: u32) {
        self.add_fault(Fault::once(Endpoint::Any, FaultKind::TooManyRequests).times(ALWAYS));
        tokio::time::sleep(Duration::from_mins(1) * minutes / TIME_SCALE).await;
        self.clear_faults();
    }

    /// The addresses of those with a tag, when no tagging is under way any more.
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

    /// Everybody, in the order in which they came.
    pub(super) fn everybody(&self) -> Vec<ListedContact> {
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

    /// Begins to count anew.
    #[track_caller]
    pub(super) fn count_anew(&self) {
        self.settle(0, 0);
    }

    /// Nothing has happened that must never happen, and so many people were made subscribers: new ones, and those who
    /// were there. Begins to count anew.
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

/// Somebody's address.
pub(super) fn address(person: &Person) -> String {
    person.email.clone().unwrap()
}
