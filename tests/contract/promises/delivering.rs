//! Additions and changes reach the people they are for, and nobody else.

use crate::harness::{Harness, keys_of};
use crate::people::{self, removals};
use crate::stage::{Stage, assert_applied, is_done};
use relay_connectors::{Connector, DeltaSize, Workload};
use relay_model::batch::{BatchEntry, Kind};
use relay_model::{FieldValue, Lane, MatchKey, Operation, Outcome, Row};

/// More people than one call takes, beside somebody who was there before.
pub(crate) async fn everybody_is_delivered_and_nobody_else<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let there = stage.harness.match_key(700_000);
    stage.harness.put(stage.list(), &there);
    let rows = stage.rows(0..H::MANY);
    let results = stage.push_all(&rows).await;
    assert_eq!(results.len(), rows.len());
    assert_applied(&results);
    let mut expected = keys_of(&rows);
    expected.insert(there.0);
    assert_eq!(stage.members().await, expected);
    check_names(&stage, [&rows[0], &rows[H::MANY / 2], &rows[H::MANY - 1]]);
}

#[track_caller]
fn check_names<'a, H: Harness>(stage: &Stage<H>, rows: impl IntoIterator<Item = &'a Row>) {
    for row in rows {
        let expected = match row.values.first() {
            Some((_, FieldValue::Text(name))) => Some(name.clone()),
            _ => None,
        };
        assert_eq!(stage.harness.name_of(stage.list(), &row.match_key), expected);
    }
}

pub(crate) async fn the_same_batch_twice_changes_nothing<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let (rows, _) = stage.deliver(0..20).await;
    let (members, people) = (stage.members().await, stage.harness.people());
    assert_eq!(members, keys_of(&rows));
    let again = stage.push(Kind::Upsert, &rows).await;
    assert_eq!(again.errors, []);
    assert_applied(&again.results);
    assert_eq!((stage.members().await, stage.harness.people()), (members, people));
    check_names(&stage, &rows);
}

pub(crate) async fn a_change_is_applied_to_the_person_who_is_there<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let (rows, results) = stage.deliver(0..5).await;
    let (members, people) = (stage.members().await, stage.harness.people());
    let changed: Vec<Row> = (100..)
        .zip(rows.iter().zip(&results).take(3))
        .map(|(number, (row, result))| Row {
            operation: Operation::Change,
            destination_id: result.destination_id.clone(),
            ..stage.row(number, row.match_key.clone())
        })
        .collect();
    let delivery = stage.push(Kind::Upsert, &changed).await;
    assert_applied(&delivery.results);
    assert_eq!((stage.members().await, stage.harness.people()), (members, people));
    check_names(&stage, changed.iter().chain(&rows[3..]));
}

/// Rows that the destination does not take are first, last and in between; nobody else suffers.
pub(crate) async fn a_row_that_is_refused_is_told_and_the_others_go<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let refused: Vec<MatchKey> = stage.harness.refused_keys();
    let good = stage.rows(0..20);
    let mut rows = good.clone();
    for (number, key) in (500..).zip(&refused) {
        let place = (number - 500) * rows.len() / (refused.len() - 1).max(1);
        rows.insert(place.min(rows.len()), stage.row(number, key.clone()));
    }
    let delivery = stage.settle(Kind::Upsert, &rows).await;
    for (row, result) in rows.iter().zip(&delivery.results) {
        let is_refused = refused.contains(&row.match_key);
        assert_eq!(is_done(result), !is_refused, "{row:?}: {result:?}");
        if let Some(reason) = result.outcome.reason() {
            assert!(matches!(result.outcome, Outcome::Rejected(_) | Outcome::Skipped(_)), "{result:?}");
            assert!(!reason.code.is_empty() && !reason.text.is_empty(), "{reason:?}");
            assert!(!people::MARKS.iter().any(|mark| reason.text.contains(mark)), "{reason:?}");
            assert!(!reason.text.contains(&row.match_key.0), "{reason:?}");
        }
    }
    assert_eq!(stage.members().await, keys_of(&good));
}

pub(crate) async fn an_empty_batch_costs_no_call<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let calls = stage.harness.calls();
    for kind in [Kind::Upsert, Kind::Remove] {
        let delivery = stage.push(kind, &[]).await;
        assert_eq!((delivery.results, delivery.errors, delivery.calls), (vec![], vec![], 0));
    }
    assert_eq!(stage.harness.calls(), calls);
    // The figure is one that grows.
    stage.connector().check(&stage.allowance().context(&stage.connector())).await.unwrap();
    assert!(stage.harness.calls() > calls);
}

/// Where the destination answers at once, the calls of a batch are known before. Work that it takes its time for is asked
/// after, who knows how often; and people whose ids it has not told are looked up before they are taken off.
pub(crate) async fn a_batch_costs_what_is_estimated<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let rows = stage.rows(0..H::MANY.min(350));
    let added = stage.push(Kind::Upsert, &rows).await;
    assert_applied(&added.results);
    let added_ids = added.results.iter().filter(|result| result.destination_id.is_some()).count();
    let removed = stage.push(Kind::Remove, &removals(&rows, &added.results)).await;
    assert_applied(&removed.results);
    for (kind, delivery) in [(Kind::Upsert, added), (Kind::Remove, removed)] {
        let count = u32::try_from(rows.len()).unwrap();
        let batch =
            BatchEntry { number: 0, lane: Lane(0), kind, frames: vec![], rows: count, request_bytes: 0 };
        let upsert_rows = if kind == Kind::Upsert { u64::from(count) } else { 0 };
        let size = DeltaSize { upsert_rows, lanes: 1, ..DeltaSize::default() };
        let workload = Workload { batches: &[batch], size, added_rows: upsert_rows };
        let estimate = stage.connector().estimate(&stage.prepared.target, &workload);
        assert!(estimate.calls > 0 && estimate.seconds.is_some() == stage.connector().pace().is_some());
        if delivery.jobs.is_empty() {
            let most = if added_ids == rows.len() { estimate.calls } else { 2 * estimate.calls };
            // A refusal costs itself, and what its person had cost before it: a look or two.
            let (calls, most) = (delivery.calls - delivery.throttles, most + 2 * delivery.throttles);
            assert!((estimate.calls..=most).contains(&calls), "{kind:?}: {estimate:?} {calls}");
        }
    }
}
