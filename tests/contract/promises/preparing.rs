//! Preparing can be repeated.

use crate::harness::Harness;
use crate::stage::Stage;
use futures_util::future::join_all;
use relay_connectors::{Connector, Intent, Prepared, PushError, Retry, WantedList};
use sandbox::faults::FaultKind;

/// The maximum number of calls of one preparation. Each of them fails once.
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

/// Preparations outside deliveries.
async fn look<H: Harness>(harness: &H, list: &WantedList) -> Prepared<<H::C as Connector>::Target> {
    let connector = harness.connect(crate::store::MemoryStore::new(harness.secret()));
    let pacer = std::sync::Arc::new(crate::pacer::RecordingPacer::generous());
    let allowance = crate::driver::Allowance { time: std::time::Duration::from_secs(20), pacer };
    let context = allowance.context(&connector).with_intent(Intent::Look);
    connector.prepare(&harness.export(), list, &context).await.expect("the list can be looked at")
}

/// The parts that do not depend on who prepares and how often. Notices may report what was created now.
fn comparable_parts<T: serde::Serialize>(prepared: &Prepared<T>) -> String {
    let target = serde_json::to_string(&prepared.target).unwrap();
    let Prepared { list_id, match_key, terms, fields, .. } = prepared;
    format!("{target} {list_id} {match_key:?} {terms} {fields:?}")
}

pub(crate) async fn preparing_is_idempotent<H: Harness>() {
    let harness = H::start().await;
    let first = prepare(&harness, &harness.wanted()).await.expect("the first time");
    let lists = harness.lists();
    let second = prepare(&harness, &harness.wanted()).await.expect("the second time");
    assert_eq!((comparable_parts(&second), harness.lists()), (comparable_parts(&first), lists.clone()));
    // The id of a segment's list is known after the first run.
    if let WantedList::OfSegment { segment, name, .. } = harness.wanted() {
        let known = WantedList::OfSegment { segment, name, known: Some(first.list_id.clone()) };
        let third = prepare(&harness, &known).await.expect("the third time");
        assert_eq!((comparable_parts(&third), harness.lists()), (comparable_parts(&first), lists));
    }
    if let Some(key) = harness.field_key() {
        assert!(first.fields.iter().any(|field| field.key == key), "{:?}", first.fields);
    }
}

/// Each call of a preparation fails once; a repeated preparation has the same result as one without errors.
pub(crate) async fn preparing_with_errors_creates_nothing_twice<H: Harness>() {
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
            let prepared = prepare(&harness, &harness.wanted()).await.expect("the errors have ended");
            assert_eq!((harness.lists().len(), prepared.fields), (lists, fields), "call {number}, {fault:?}");
        }
    }))
    .await;
}

/// A dry run reports objects that would be created, and sees existing objects as a delivery does.
pub(crate) async fn a_dry_run_writes_nothing<H: Harness>() {
    let harness = H::start().await;
    let (lists, people) = (harness.lists(), harness.people());
    let first = look(&harness, &harness.wanted()).await;
    let second = look(&harness, &harness.wanted()).await;
    assert_eq!(
        (comparable_parts(&first), first.notices.len()),
        (comparable_parts(&second), second.notices.len())
    );
    assert_eq!((harness.writes(), harness.lists(), harness.people()), (0, lists, people));
    if let Some(key) = harness.field_key() {
        assert!(first.fields.iter().any(|field| field.key == key), "{:?}", first.fields);
    }

    // A delivery creates what the dry run has reported; from then on both have the same result.
    let would_be = |notices: &[String]| notices.iter().filter(|notice| notice.contains("would be")).count();
    let prepared = prepare(&harness, &harness.wanted()).await.expect("the list can be prepared");
    let writes = harness.writes();
    assert_eq!(would_be(&first.notices), writes, "{:?}", first.notices);
    assert_eq!(would_be(&prepared.notices), 0, "{:?}", prepared.notices);
    assert_eq!((&first.terms, first.match_key), (&prepared.terms, prepared.match_key));
    assert_eq!(first.fields.len(), prepared.fields.len());
    let third = look(&harness, &harness.wanted()).await;
    assert_eq!(comparable_parts(&third), comparable_parts(&prepared));
    // A delivery would rename the list of a segment with a new name; a tag keeps its name.
    if let WantedList::OfSegment { segment, .. } = harness.wanted() {
        let known = Some(prepared.list_id.clone());
        let renamed = WantedList::OfSegment { segment, name: "Renamed".to_owned(), known };
        let renamed = look(&harness, &renamed).await;
        assert_eq!(renamed.list_id, prepared.list_id);
        assert_eq!(would_be(&renamed.notices), usize::from(H::HAS_LISTS), "{:?}", renamed.notices);
    }
    assert_eq!((harness.writes(), would_be(&third.notices)), (writes, 0), "{:?}", third.notices);
}
