//! Removals take people off the list, and only those whom they are for.

use crate::harness::{Harness, keys_of};
use crate::people::{removal, removals};
use crate::stage::{Stage, assert_applied, is_done};
use relay_model::Row;
use relay_model::Standing;
use relay_model::batch::Kind;

pub(crate) async fn exactly_the_given_people_are_taken_off<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let others: Vec<Row> = stage.rows(600..603);
    for row in &others {
        stage.harness.put(stage.list(), &row.match_key);
    }
    let (rows, results) = stage.deliver(0..12).await;
    let leavers = removals(&rows, &results);
    let (leavers, stay) = leavers.split_at(7);
    // People whom the destination knows but not on this list, and people whom it may never have heard of.
    let (gone, told) = stage.deliver(12..14).await;
    let gone = removals(&gone, &told);
    assert_applied(&stage.settle(Kind::Remove, &gone).await.results);
    let forgotten = gone.iter().map(removal);
    let unknown = stage.rows(800..803);
    let strangers: Vec<Row> =
        gone[..1].iter().cloned().chain(forgotten.skip(1)).chain(unknown.iter().map(removal)).collect();
    let people = stage.harness.people();
    let all: Vec<Row> = leavers.iter().chain(&strangers).cloned().collect();
    let delivery = stage.settle(Kind::Remove, &all).await;
    assert_applied(&delivery.results);
    for (place, result) in delivery.results.iter().enumerate() {
        let is_ours = place < leavers.len() || !H::TELLS_STRANGERS;
        let expected = if is_ours { Standing::FollowsOutcome } else { Standing::NotOurs };
        assert_eq!(result.standing, expected, "row {place}: {result:?}");
    }
    let expected = keys_of(stay.iter().chain(&others));
    assert_eq!(stage.members().await, expected);
    assert_eq!(stage.harness.people(), people, "nobody is deleted but from the list");

    // The same removals again find nothing to do. Whose doing it was may be forgotten.
    let again = stage.settle(Kind::Remove, &all).await;
    assert_applied(&again.results);
    assert_eq!((stage.members().await, stage.harness.people()), (expected, people));

    // What the destination once told of a person is a help, not a must.
    let forgotten: Vec<Row> = stay.iter().map(removal).collect();
    let delivery = stage.settle(Kind::Remove, &forgotten).await;
    assert_applied(&delivery.results);
    assert_eq!(stage.members().await, keys_of(&others));
}

pub(crate) async fn whoever_was_taken_off_comes_back<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let (rows, results) = stage.deliver(0..6).await;
    let people = stage.harness.people();
    assert_applied(&stage.settle(Kind::Remove, &removals(&rows, &results)).await.results);
    assert!(stage.members().await.is_empty());
    let rejoiners: Vec<Row> = rows.iter().map(|row| Row { is_rejoin: true, ..row.clone() }).collect();
    assert_applied(&stage.settle(Kind::Upsert, &rejoiners).await.results);
    assert_eq!((stage.members().await, stage.harness.people()), (keys_of(&rows), people));
}

/// Neither an addition nor a removal makes anything of what people have said to the destination themselves.
pub(crate) async fn people_who_said_no_stay_as_they_are<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let keys = stage.harness.guard(stage.list());
    let states =
        || -> Vec<String> { keys.iter().map(|key| stage.harness.state_of(stage.list(), key)).collect() };
    let (before, people) = (states(), stage.harness.people());
    let guarded = (900..).zip(&keys).map(|(number, key)| stage.row(number, key.clone()));
    let good = stage.rows(0..3);
    let rows: Vec<Row> = guarded.chain(good.iter().cloned()).collect();
    let added = stage.settle(Kind::Upsert, &rows).await;
    assert_applied(&added.results[keys.len()..]);
    assert_eq!(states(), before, "after an addition: {:?}", added.results);
    let members = stage.members().await;
    for (result, key) in added.results.iter().zip(&keys) {
        assert!(!is_done(result) || members.contains(&key.0), "{result:?}");
    }
    let removed = stage.settle(Kind::Remove, &removals(&rows, &added.results)).await;
    assert_applied(&removed.results[keys.len()..]);
    assert_eq!(states(), before, "after a removal: {:?}", removed.results);
    assert_eq!(stage.harness.people(), people + good.len() - stage.harness.known(&good));
}
