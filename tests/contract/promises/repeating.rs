//! Everything may be sent twice and end anywhere: the result is the same.

use crate::harness::{Calls, Harness, keys_of};
use crate::people::removals;
use crate::stage::{Stage, assert_applied};
use futures_util::future::join_all;
use relay_connectors::{Pushed, Retry};
use relay_model::batch::Kind;
use sandbox::faults::FaultKind;

/// Ways to lose an answer to work that was done.
fn losses() -> [FaultKind; 4] {
    [
        FaultKind::DropAfterProcessing,
        FaultKind::StatusAfterProcessing(502),
        FaultKind::BadJson,
        FaultKind::TruncatedJson,
    ]
}

/// The work is done, and nobody hears of it: once, so that it may be mended at once, and often, so that the queue
/// has to bring the batch again.
pub(crate) async fn an_answer_that_is_lost_changes_nothing<H: Harness>() {
    let cases = losses().into_iter().flat_map(|loss| [(loss.clone(), 1), (loss, 4)]);
    join_all(cases.map(|(loss, times)| async move {
        let stage = Stage::<H>::open_in_a_hurry().await;
        let rows = stage.rows(0..10);
        let people = stage.harness.people() + rows.len() - stage.harness.known(&rows);
        stage.harness.fault(Calls::Adding, &loss, times);
        let added = stage.settle(Kind::Upsert, &rows).await;
        assert_applied(&added.results);
        check_retries(&added.errors);
        assert_eq!((stage.members().await, stage.harness.people()), (keys_of(&rows), people), "{loss:?}");
        stage.harness.clear_faults();

        stage.harness.fault(Calls::Removing, &loss, times);
        let leavers = removals(&rows, &added.results);
        let removed = stage.settle(Kind::Remove, &leavers[..6]).await;
        assert_applied(&removed.results);
        check_retries(&removed.errors);
        assert_eq!(
            (stage.members().await, stage.harness.people()),
            (keys_of(&rows[6..]), people),
            "{loss:?}"
        );
    }))
    .await;
}

#[track_caller]
fn check_retries(errors: &[relay_connectors::PushError]) {
    assert!(errors.iter().all(|error| error.retry != Retry::Never), "{errors:?}");
}

/// The first worker does its work, or some of it, and dies before it can store anything.
pub(crate) async fn a_worker_that_dies_changes_nothing<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let rows = stage.rows(0..10);
    let people = stage.harness.people() + rows.len() - stage.harness.known(&rows);
    let dies = async |kind, rows: &[relay_model::Row]| {
        let connector = stage.connector();
        let context = stage.allowance().context(&connector);
        drop(stage.attempt(&connector, kind, rows, &context).await.expect("the first worker's attempt"));
    };
    dies(Kind::Upsert, &rows).await;
    let added = stage.settle(Kind::Upsert, &rows).await;
    assert_applied(&added.results);
    assert_eq!((stage.members().await, stage.harness.people()), (keys_of(&rows), people));

    let leavers = removals(&rows, &added.results);
    dies(Kind::Remove, &leavers[..4]).await;
    let removed = stage.settle(Kind::Remove, &leavers[..4]).await;
    assert_applied(&removed.results);
    assert_eq!((stage.members().await, stage.harness.people()), (keys_of(&rows[4..]), people));
}

/// A worker dies while it waits for an answer: the call goes on without it.
pub(crate) async fn a_call_that_goes_on_without_its_worker_changes_nothing<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let rows = stage.rows(0..10);
    let people = stage.harness.people() + rows.len() - stage.harness.known(&rows);
    stage.harness.fault(Calls::Adding, &FaultKind::DelayAfter(60_000), 1);
    let connector = stage.connector();
    let context = stage.allowance().context(&connector);
    {
        let attempt = stage.attempt(&connector, Kind::Upsert, &rows, &context);
        let waited = tokio::time::timeout(std::time::Duration::from_millis(700), attempt).await;
        // Who was given the answer all the same has submitted a job, whose end nobody looks after.
        assert!(!matches!(waited, Ok(Ok(Pushed::Done(_)))), "the answer was held back");
    }
    stage.harness.clear_faults();
    let added = stage.settle(Kind::Upsert, &rows).await;
    assert_applied(&added.results);
    assert_eq!((stage.members().await, stage.harness.people()), (keys_of(&rows), people));
}
