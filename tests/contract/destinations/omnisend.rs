//! Omnisend for the contract: in both versions of its API.

use crate::harness::{Calls, Harness, export};
use crate::people;
use crate::store::MemoryStore;
use relay_connectors::omnisend::{DOMAINS, Omnisend};
use relay_connectors::{Endpoint, HttpClient, WantedList};
use relay_model::catalog::Export;
use relay_model::{ListId, MatchKey, SegmentId};
use sandbox::faults::{Fault, FaultKind};
use sandbox::omnisend as vendor;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// A hundred times as fast as in reality, so that batches take no time.
const TIME_SCALE: f64 = 100.0;
const WRONG_KEY: &str = "ba5eba11ba5eba11ba5eba11-ba5eba11ba5e";
/// How often is looked whether everything is done, every few milliseconds.
const LOOKS: usize = 2_000;
const TAG: &str = "Everybody";

/// The version 2026-03-15.
pub(crate) type InVersion2026 = OmnisendHarness<false>;
/// The version 5.
pub(crate) type InVersion5 = OmnisendHarness<true>;

/// A brand with two keys.
pub(crate) struct OmnisendHarness<const IS_V5: bool> {
    sandbox: vendor::Sandbox,
    http: HttpClient,
    brand: vendor::BrandKey,
    limited: String,
}

impl<const IS_V5: bool> OmnisendHarness<IS_V5> {
    fn contact(&self, key: &MatchKey) -> Option<vendor::ListedContact> {
        self.sandbox.contact(&self.brand.brand_id, &key.0).ok()
    }

    fn seed(&self, contact: vendor::SeedContact) {
        self.sandbox.seed_contacts(&self.brand.brand_id, vec![contact]).unwrap();
    }
}

impl<const IS_V5: bool> Harness for OmnisendHarness<IS_V5> {
    type C = Omnisend<MemoryStore>;

    const MANY: usize = if IS_V5 { 150 } else { 1_050 };

    const HAS_LISTS: bool = false;

    // The answer to a call about tags is that it was accepted, whoever there is.
    const TELLS_STRANGERS: bool = IS_V5;

    async fn start() -> Self {
        let options = vendor::Options { time_scale: TIME_SCALE, ..vendor::Options::default() };
        let sandbox = vendor::Sandbox::start(options).await.unwrap();
        let brand = sandbox.create_brand(vendor::NewBrand::default());
        let permissions = Some(BTreeSet::from([vendor::Permission::ContactsRead]));
        let limited =
            sandbox.create_key(&brand.brand_id, vendor::NewKey { api_key: None, permissions }).unwrap();
        Self { sandbox, http: HttpClient::new().unwrap(), brand, limited }
    }

    fn connect(&self, store: MemoryStore) -> Self::C {
        let endpoint = Endpoint::parse(&self.sandbox.base_url(), DOMAINS).unwrap();
        let dialect = if IS_V5 { "v5" } else { "2026-03-15" };
        let settings = json!({"dialect": dialect, "poll_ms": 100});
        Omnisend::new(endpoint, self.http.clone(), settings.as_object().unwrap(), store).unwrap()
    }

    fn secret(&self) -> String {
        json!({"api_key": self.brand.api_key}).to_string()
    }

    fn wrong_secret(&self) -> String {
        json!({"api_key": WRONG_KEY}).to_string()
    }

    fn limited_secret(&self) -> String {
        json!({"api_key": self.limited}).to_string()
    }

    fn keys(&self) -> Vec<String> {
        vec![self.brand.api_key.clone(), self.limited.clone(), WRONG_KEY.to_owned()]
    }

    fn export(&self) -> Export {
        export(IS_V5.then_some(TAG), Some("firstName"), &json!({}))
    }

    fn wanted(&self) -> WantedList {
        if IS_V5 {
            WantedList::Existing(ListId(TAG.to_owned()))
        } else {
            let segment = SegmentId::try_from("everybody".to_owned()).unwrap();
            WantedList::OfSegment { segment, name: TAG.to_owned(), known: None }
        }
    }

    fn unusable(&self) -> Vec<WantedList> {
        let long = "x".repeat(129);
        [" ", "a\nb", &long].map(|tag| WantedList::Existing(ListId(tag.to_owned()))).into()
    }

    fn field_key(&self) -> Option<String> {
        Some("firstName".to_owned())
    }

    fn refused_keys(&self) -> Vec<MatchKey> {
        ["nora.kestrel", "nora.a@kestrel", "nora.b@-kestrel.example.org"]
            .map(|key| MatchKey(key.to_owned()))
            .into()
    }

    fn members(&self, list: &ListId) -> BTreeSet<String> {
        let query = vendor::ContactsQuery { tag: Some(list.0.clone()), ..vendor::ContactsQuery::default() };
        let page = self.sandbox.contacts(&self.brand.brand_id, &query).unwrap();
        assert_eq!(page.next, None, "all people are on one page");
        page.contacts.into_iter().filter_map(|contact| contact.email).collect()
    }

    async fn come_to_rest(&self) {
        for _ in 0..LOOKS {
            let counts = self.sandbox.counts(&self.brand.brand_id).unwrap();
            if counts.pending_taggings + counts.unfinished_batches == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the brand does not come to rest");
    }

    fn people(&self) -> usize {
        self.sandbox.counts(&self.brand.brand_id).unwrap().contacts
    }

    fn name_of(&self, _list: &ListId, key: &MatchKey) -> Option<String> {
        self.contact(key)?.fields.get("firstName").cloned()
    }

    fn put(&self, list: &ListId, key: &MatchKey) {
        if self.contact(key).is_some() {
            let change = vendor::Change::AddTag(list.0.clone());
            self.sandbox.change_contact(&self.brand.brand_id, &key.0, change).unwrap();
        } else {
            let contact = vendor::SeedContact::new(key.0.clone(), vendor::Status::Subscribed);
            self.seed(contact.tagged(&[&list.0]));
        }
    }

    fn guard(&self, _list: &ListId) -> Vec<MatchKey> {
        use vendor::Status::{NonSubscribed, Subscribed, Unsubscribed};
        let seeded = [Unsubscribed, NonSubscribed, Subscribed].into_iter().zip(900_000..);
        let seeded = seeded.map(|(status, number)| {
            let key = MatchKey(people::email(number));
            self.seed(vendor::SeedContact::new(key.0.clone(), status).tagged(&["theirs"]));
            key
        });
        seeded.collect()
    }

    fn state_of(&self, list: &ListId, key: &MatchKey) -> String {
        let contact = self.contact(key).unwrap();
        let others: Vec<&String> = contact.tags.iter().filter(|tag| **tag != list.0).collect();
        format!("{:?} since {}, {others:?}", contact.status, contact.status_changed_at)
    }

    fn fault(&self, calls: Calls, kind: &FaultKind, times: usize) {
        use vendor::Endpoint::{AddTags, Any, CreateBatch, RemoveTags, UpdateContact, UpdateContactByEmail};
        let endpoints: &[vendor::Endpoint] = match calls {
            Calls::Adding if IS_V5 => &[CreateBatch, UpdateContact, UpdateContactByEmail],
            Calls::Adding => &[CreateBatch, AddTags],
            Calls::Removing if IS_V5 => &[UpdateContact, UpdateContactByEmail],
            Calls::Removing => &[RemoveTags],
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
        self.sandbox.report().calls.values().map(|calls| calls.calls).sum()
    }

    fn writes(&self) -> usize {
        use vendor::Endpoint::{
            Batch, BatchItems, Batches, Brand, Contact, Contacts, Segment, SegmentStatistics, Segments,
        };
        let is_read = |endpoint| {
            matches!(
                endpoint,
                Brand
                    | Contacts
                    | Contact
                    | Batches
                    | Batch
                    | BatchItems
                    | Segments
                    | Segment
                    | SegmentStatistics
            )
        };
        let calls = self.sandbox.report().calls.into_iter();
        calls.filter(|(endpoint, _)| !is_read(*endpoint)).map(|(_, calls)| calls.calls).sum()
    }

    fn lists(&self) -> Vec<String> {
        let segments = self.sandbox.segments(&self.brand.brand_id).unwrap();
        segments.into_iter().map(|(id, name)| format!("{name} {id}")).collect()
    }

    fn delete_list(&self, _list: &ListId) {
        panic!("a tag is no list");
    }
}
