//! Preparing may be done as often as one likes.

use crate::harness::Harness;
use crate::stage::Stage;
use futures_util::future::join_all;
use relay_connectors::{Connector, Intent, Prepared, PushError, Retry, WantedList};
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

/// Preparing what is not delivered.
async fn look<H: Harness>(harness: &H, list: &WantedList) -> Prepared<<H::C as Connector>::Target> {
    let connector = harness.connect(crate::store::MemoryStore::new(harness.secret()));
    let pacer = std::sync::Arc::new(crate::pacer::RecordingPacer::generous());
    let allowance = crate::driver::Allowance { time: std::time::Duration::from_secs(20), pacer };
    let context = allowance.context(&connector).with_intent(Intent::Look);
    connector.prepare(&harness.export(), list, &context).await.expect("the list can be looked at")
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

/// What would be made is told and not made, and what is there is seen as a delivery sees it.
pub(crate) async fn a_look_writes_nothing<H: Harness>() {
    let harness = H::start().await;
    let (lists, people) = (harness.lists(), harness.people());
    let first = look(&harness, &harness.wanted()).await;
    let second = look(&harness, &harness.wanted()).await;
    assert_eq!((told(&first), first.notices.len()), (told(&second), second.notices.len()));
    assert_eq!((harness.writes(), harness.lists(), harness.people()), (0, lists, people));
    if let Some(key) = harness.field_key() {
        assert!(first.fields.iter().any(|field| field.key == key), "{:?}", first.fields);
    }

    // A delivery makes what the look has told of, and from then on both see the same.
    let would_be = |notices: &[String]| notices.iter().filter(|notice| notice.contains("would be")).count();
    let prepared = prepare(&harness, &harness.wanted()).await.expect("the list can be prepared");
    let writes = harness.writes();
    assert_eq!(would_be(&first.notices), writes, "{:?}", first.notices);
    assert_eq!(would_be(&prepared.notices), 0, "{:?}", prepared.notices);
    assert_eq!((&first.terms, first.match_key), (&prepared.terms, prepared.match_key));
    assert_eq!(first.fields.len(), prepared.fields.len());
    let third = look(&harness, &harness.wanted()).await;
    assert_eq!(told(&third), told(&prepared));
    // A segment that has another name now has a list that a delivery would call after it; a tag stays.
    if let WantedList::OfSegment { segment, .. } = harness.wanted() {
        let known = Some(prepared.list_id.clone());
        let renamed = WantedList::OfSegment { segment, name: "Renamed".to_owned(), known };
        let renamed = look(&harness, &renamed).await;
        assert_eq!(renamed.list_id, prepared.list_id);
        assert_eq!(would_be(&renamed.notices), usize::from(H::HAS_LISTS), "{:?}", renamed.notices);
    }
    assert_eq!((harness.writes(), would_be(&third.notices)), (writes, 0), "{:?}", third.notices);
}
