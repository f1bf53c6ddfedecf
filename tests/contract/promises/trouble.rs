//! Destinations that are busy, broken or slow.

use crate::driver::Allowance;
use crate::harness::{Calls, Harness, keys_of};
use crate::pacer::RecordingPacer;
use crate::people::removals;
use crate::stage::{Stage, assert_applied, failed, is_done};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use relay_connectors::{CallContext, Connector, ErrorKind, Pushed, Retry};
use relay_delivery::batch::RowResult;
use relay_model::batch::Kind;
use relay_model::pacing::NotYet;
use relay_model::{Outcome, Row};
use sandbox::faults::FaultKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Calls of one batch into a storm that does not end.
const FEW_CALLS: u64 = 16;

fn storms() -> [FaultKind; 7] {
    [
        FaultKind::TooManyRequests,
        FaultKind::Status(500),
        FaultKind::Status(502),
        FaultKind::Status(503),
        FaultKind::Status(504),
        // What stands before the destination says it in no form of the destination's.
        FaultKind::Answer { status: 503, body: "<p>come back later</p>".to_owned() },
        FaultKind::DropConnection,
    ]
}

/// Whatever goes wrong for a while, everybody is on the list in the end, and off it in the end.
pub(crate) async fn a_storm_that_ends_loses_nothing<H: Harness>() {
    let cases = storms().into_iter().flat_map(|storm| [(storm.clone(), 1), (storm, 4)]);
    join_all(cases.map(|(storm, times)| async move {
        let stage = Stage::<H>::open_in_a_hurry().await;
        let rows = stage.rows(0..8);
        let is_throttle = storm == FaultKind::TooManyRequests;
        stage.harness.fault(Calls::Adding, &storm, times);
        let added = stage.settle(Kind::Upsert, &rows).await;
        assert_applied(&added.results);
        assert_eq!(stage.members().await, keys_of(&rows), "{storm:?} {times} times");
        stage.harness.clear_faults();
        stage.harness.fault(Calls::Removing, &storm, times);
        let removed = stage.settle(Kind::Remove, &removals(&rows, &added.results)).await;
        assert_applied(&removed.results);
        assert!(stage.members().await.is_empty(), "{storm:?} {times} times");
        for error in added.errors.iter().chain(&removed.errors) {
            assert_ne!(error.retry, Retry::Never, "{storm:?}: {error}");
            // Whoever is told to wait may find that no time is left.
            let is_told =
                matches!(error.kind, ErrorKind::RateLimited | ErrorKind::QuotaSpent | ErrorKind::Timeout);
            assert!(is_told || !is_throttle, "{storm:?}: {error}");
        }
        let throttles = (added.throttles > 0, removed.throttles > 0);
        assert_eq!(throttles, (is_throttle, is_throttle), "{storm:?} {times} times");
        let has_pace = stage.connector().pace().is_some();
        assert_eq!(stage.pacer.slow_downs() > 0, is_throttle && has_pace, "{storm:?}");
    }))
    .await;
}

pub(crate) async fn a_storm_without_end_is_an_error_and_few_calls<H: Harness>() {
    join_all(storms().map(|storm| async move {
        let stage = Stage::<H>::open_in_a_hurry().await;
        let (rows, results) = stage.deliver(0..6).await;
        let leavers = removals(&rows, &results);
        let newcomers = stage.rows(10..16);
        stage.harness.fault(Calls::Any, &storm, 100_000);
        for (kind, rows) in [(Kind::Upsert, &newcomers), (Kind::Remove, &leavers)] {
            let connector = stage.connector();
            let context = stage.allowance().context(&connector);
            let error = failed(stage.attempt(&connector, kind, rows, &context).await);
            assert_ne!(error.retry, Retry::Never, "{storm:?}: {error}");
            assert!(context.calls() <= FEW_CALLS, "{storm:?}: {} calls", context.calls());
        }
        assert_eq!(stage.members().await, keys_of(&rows), "{storm:?}");
        stage.harness.clear_faults();
        let added = stage.settle(Kind::Upsert, &newcomers).await;
        let removed = stage.settle(Kind::Remove, &leavers).await;
        assert_applied(&added.results);
        assert_applied(&removed.results);
        assert_eq!(stage.members().await, keys_of(&newcomers), "{storm:?}");
    }))
    .await;
}

/// An invocation that is about to end begins nothing.
pub(crate) async fn without_time_no_call_is_made<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let (rows, results) = stage.deliver(0..3).await;
    let calls = stage.harness.calls();
    for time in [Duration::ZERO, Duration::from_millis(200)] {
        for (kind, rows) in [(Kind::Upsert, rows.clone()), (Kind::Remove, removals(&rows, &results))] {
            let context = CallContext::until(Instant::now() + time);
            let error = failed(stage.attempt(&stage.connector(), kind, &rows, &context).await);
            assert_ne!(error.retry, Retry::Never, "{error}");
            assert_eq!(context.calls(), 0, "{kind:?}");
        }
    }
    assert_eq!((stage.harness.calls(), stage.members().await), (calls, keys_of(&rows)));
}

/// The work is late: the worker returns while it still can, and the batch comes again.
pub(crate) async fn an_answer_that_does_not_come_is_not_waited_for<H: Harness>() {
    let cases = [(Calls::Adding, Kind::Upsert), (Calls::Any, Kind::Remove)];
    join_all(cases.map(|(calls, kind)| async move {
        let stage = Stage::<H>::open().await;
        let (there, results) = stage.deliver(10..13).await;
        let rows = if kind == Kind::Upsert { stage.rows(0..3) } else { removals(&there, &results) };
        stage.harness.fault(calls, &FaultKind::DelayBefore(3_600_000), 20);
        let (connector, began) = (stage.connector(), Instant::now());
        let time = Duration::from_millis(2_300);
        let allowance = Allowance { time, ..stage.allowance() };
        let context = allowance.context(&connector);
        let sent = stage.attempt(&connector, kind, &rows, &context).await;
        assert!(began.elapsed() < time + Duration::from_millis(1_500), "{:?}", began.elapsed());
        let error = failed(sent);
        assert_ne!(error.retry, Retry::Never, "{error}");
        assert!(context.calls() <= 3, "{} calls", context.calls());
        stage.harness.clear_faults();
        assert_applied(&stage.settle(kind, &rows).await.results);
        let expected = if kind == Kind::Upsert { keys_of(there.iter().chain(&rows)) } else { keys_of([]) };
        assert_eq!(stage.members().await, expected);
    }))
    .await;
}

/// Each call is slow and the time ends in the middle: what is called applied is so, whatever became of the rest.
pub(crate) async fn nothing_is_called_applied_that_is_not<H: Harness>() {
    let faults = [FaultKind::DelayAfter(400), FaultKind::DropAfterProcessing, FaultKind::Status(503)];
    let cases = faults.into_iter().flat_map(|fault| [(2, fault.clone()), (3, fault)]);
    join_all(cases.map(|(every, fault)| async move {
        let stage = Stage::<H>::open().await;
        let (rows, results) = stage.deliver(0..12).await;
        let leavers = removals(&rows, &results);
        let newcomers = stage.rows(20..32);
        for (kind, rows) in [(Kind::Upsert, &newcomers), (Kind::Remove, &leavers)] {
            let connector = stage.connector();
            stage.harness.fault_every(every, &fault, 1_000);
            let time = H::LEAST_TIME + Duration::from_millis(600);
            let context = Allowance { time, ..stage.allowance() };
            let sent = stage.attempt(&connector, kind, rows, &context.context(&connector)).await;
            stage.harness.clear_faults();
            match sent {
                Ok(Pushed::Done(results)) => {
                    assert_eq!(results.len(), rows.len(), "{fault:?}");
                    check_truth(&stage, kind, rows, &results).await;
                }
                Ok(Pushed::Partly(results, error)) => {
                    assert!(results.len() < rows.len(), "{fault:?}");
                    assert_ne!(error.retry, Retry::Never, "{error}");
                    check_truth(&stage, kind, rows, &results).await;
                }
                Ok(Pushed::Accepted { .. }) => {}
                Err(error) => assert_ne!(error.retry, Retry::Never, "{error}"),
            }
            assert_applied(&stage.settle(kind, rows).await.results);
        }
        assert_eq!(stage.members().await, keys_of(&newcomers), "{fault:?}");
    }))
    .await;
}

async fn check_truth<H: Harness>(stage: &Stage<H>, kind: Kind, rows: &[Row], results: &[RowResult]) {
    let members = stage.members().await;
    for (row, result) in rows.iter().zip(results) {
        let is_right = members.contains(&row.match_key.0) == (kind == Kind::Upsert);
        assert!(is_right || !is_done(result), "{row:?}: {result:?}");
        assert!(is_done(result) || matches!(result.outcome, Outcome::Deferred(_)), "{result:?}");
    }
}

/// Where calls are paced, each waits for its turn; and a day's budget that is spent is not an error of the batch.
pub(crate) async fn without_a_turn_no_call_is_made<H: Harness>() {
    let stage = Stage::<H>::open().await;
    let rows = stage.rows(0..3);
    let until = Timestamp::now() + SignedDuration::from_hours(3);
    let spent = NotYet::Spent { until, text: "the day's calls are spent".to_owned() };
    let wait = Duration::from_secs(7);
    let refusals = [
        (NotYet::Turn(wait), Retry::Wait(wait)),
        (spent, Retry::Pause(until)),
        (NotYet::Unavailable, Retry::Backoff),
    ];
    for (refusal, expected) in refusals {
        let pacer = Arc::new(RecordingPacer::refusing(refusal));
        // Handed in even where the connection has no pace: whoever is given turns keeps to them.
        let context =
            CallContext::paced(Instant::now() + H::LEAST_TIME + Duration::from_millis(300), Some(pacer));
        let error = failed(stage.attempt(&stage.connector(), Kind::Upsert, &rows, &context).await);
        assert_eq!((error.retry, context.calls()), (expected, 0), "{error}");
    }
    assert!(stage.members().await.is_empty());
    let pacer = Arc::new(RecordingPacer::generous());
    let turns = Arc::clone(&pacer);
    let context = CallContext::paced(Instant::now() + Duration::from_mins(1), Some(pacer));
    stage.attempt(&stage.connector(), Kind::Upsert, &rows, &context).await.expect("turns enough");
    assert!(context.calls() > 0);
    assert!(u64::try_from(turns.turns()).unwrap() >= context.calls(), "a call without a turn");
}
