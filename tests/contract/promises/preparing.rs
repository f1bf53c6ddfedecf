//! Preparing may be done as often as one likes.

use crate::harness::Harness;
use crate::stage::Stage;
use futures_util::future::join_all;
use relay::connectors::{Connector, Prepared, PushError, Retry, WantedList};
use sandbox::faults::FaultKind;

/// The calls of one preparation, at the most, each of which is troubled once.
const MOST_CALLS: usize = 12;

async fn prepare<H: Harness>(
    harness: &H,
    list: &WantedList,
) -> Result<Prepared<<H::C as Connector>::Target>, PushError> {
    let connector = harness.connect(crate::store::MemoryStore::new(harness.secret()));
    let pacer = std::sync::Arc::new(crate::pacer::RecordingPacer::generous());
    let allowance = crate::driver::Allowance { time: std::time::Duration::from_secs(20), pacer };
    connector.prepare(&harness.export(), list, &allowance.context(&connector)).await
}

/// What has to be the same whoever prepares and how often. Notices may tell what was made just now.
fn told<T: serde::Serialize>(prepared: &Prepared<T>) -> String {
    let target = serde_json::to_string(&prepared.target).unwrap();
    let Prepared { list_id, match_key, terms, fields, .. } = prepared;
    format!("{target} {list_id} {match_key:?} {terms} {fields:?}")
}

pub(crate) async fn preparing_twice_is_preparing_once<H: Harness>() {
    let harness = H::start().await;
    let first = prepare(&harness, &harness.wanted()).await.expect("the first time");
    let lists = harness.lists();
    let second = prepare(&harness, &harness.wanted()).await.expect("the second time");
    assert_eq!((told(&second), harness.lists()), (told(&first), lists.clone()));
    // A segment's list is known after the first run.
    if let WantedList::OfSegment { segment, name, .. } = harness.wanted() {
        let known = WantedList::OfSegment { segment, name, known: Some(first.list_id.clone()) };
        let third = prepare(&harness, &known).await.expect("the third time");
        assert_eq!((told(&third), harness.lists()), (told(&first), lists));
    }
    if let Some(key) = harness.field_key() {
        assert!(first.fields.iter().any(|field| field.key == key), "{:?}", first.fields);
    }
}

/// Each call of a preparation is troubled in turn; who prepares again finds or makes what one without trouble makes.
pub(crate) async fn preparing_in_a_storm_makes_nothing_twice<H: Harness>() {
    let calm = Stage::<H>::open().await;
    let cases = (1..=MOST_CALLS).flat_map(|number| {
        [FaultKind::DropAfterProcessing, FaultKind::Status(503)].map(|fault| (number, fault))
    });
    let lists = calm.harness.lists().len();
    let fields = calm.prepared.fields.clone();
    join_all(cases.map(|(number, fault)| {
        let fields = fields.clone();
        async move {
            let harness = H::start().await;
            harness.fault_every(number, &fault, 1);
            if let Err(error) = prepare(&harness, &harness.wanted()).await {
                assert_ne!(error.retry, Retry::Never, "call {number}, {fault:?}: {error}");
            }
            harness.clear_faults();
            let prepared = prepare(&harness, &harness.wanted()).await.expect("the storm is over");
            assert_eq!((harness.lists().len(), prepared.fields), (lists, fields), "call {number}, {fault:?}");
        }
    }))
    .await;
}
