//! Faults, throttling, latency and calls at the same time.

use crate::client::{Fixture, Reply, row};
use sandbox::Throttle;
use sandbox::campaign_monitor::{Endpoint, Fault, Options, Pace};
use sandbox::faults::FaultKind;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// One import under this fault: the status (none: no answer), the `Code`, and whether the person was imported.
async fn check(kind: FaultKind, answered: Option<(u16, u64)>, imported: bool) {
    let fixture = Fixture::new().await;
    fixture.sandbox.add_fault(Fault::once(Endpoint::Import, kind.clone()));
    fixture.call("GET", "/lists/{list}.json", Value::Null).await;
    let body = serde_json::json!({ "Subscribers": [row("p@example.com")] });
    let reply = fixture.try_call("POST", "/subscribers/{list}/import.json", body.clone()).await;
    assert_eq!(reply.ok().map(|reply| reply.status_and_code()), answered, "{kind:?}");
    assert_eq!(fixture.state("p@example.com").is_some(), imported, "{kind:?}");
    let again = fixture.call("POST", "/subscribers/{list}/import.json", body).await;
    assert_eq!(again.status, 201, "{kind:?}: the fault is over");
    assert_eq!(fixture.sandbox.report().faults, 1);
    let status = answered.map_or(0, |(status, _)| status);
    let imports = fixture.sandbox.report().calls[&Endpoint::Import].clone();
    assert!(imports.by_status[&status] >= 1 && imports.calls == 2, "{kind:?}: {imports:?}");
}

#[tokio::test]
async fn each_fault() {
    check(FaultKind::Status(500), Some((500, 500)), false).await;
    check(FaultKind::Status(503), Some((503, 500)), false).await;
    check(FaultKind::TooManyRequests, Some((429, 429)), false).await;
    check(FaultKind::DropConnection, None, false).await;
    check(FaultKind::DropAfterProcessing, None, true).await;
    check(FaultKind::StatusAfterProcessing(504), Some((504, 500)), true).await;
    check(FaultKind::BadJson, Some((201, 0)), true).await;
    check(FaultKind::TruncatedJson, Some((201, 0)), true).await;
    check(FaultKind::DelayBefore(1), Some((201, 0)), true).await;
    check(FaultKind::DelayAfter(1), Some((201, 0)), true).await;
    let answer = FaultKind::Answer { status: 400, body: "{\"Code\":999}".to_owned() };
    check(answer, Some((400, 999)), false).await;
}

#[tokio::test]
async fn bad_json_is_no_json() {
    let fixture = Fixture::new().await;
    for kind in [FaultKind::BadJson, FaultKind::TruncatedJson] {
        fixture.sandbox.add_fault(Fault::once(Endpoint::Any, kind));
        let reply = fixture.call("GET", "/lists/{list}.json", Value::Null).await;
        assert_eq!(reply.status, 200);
        assert!(serde_json::from_str::<Value>(&reply.body).is_err());
    }
}

/// Waits until something is so, for half a minute at most.
async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(Duration::from_secs(30), waiting).await.is_ok(), "{what}");
}

#[tokio::test]
async fn work_goes_on_when_the_caller_has_hung_up() {
    let fixture = Arc::new(Fixture::new().await);
    fixture.sandbox.add_fault(Fault::once(Endpoint::Import, FaultKind::DelayBefore(200)));
    let caller = Arc::clone(&fixture);
    let call = tokio::spawn(async move { caller.import(vec![row("p@example.com")], false).await });
    eventually("the call has arrived", || fixture.sandbox.report().faults == 1).await;
    call.abort();
    assert!(call.await.is_err(), "nobody waits for the answer");
    eventually("the person is imported", || fixture.state("p@example.com").is_some()).await;
    eventually("the call is counted", || fixture.sandbox.report().calls.contains_key(&Endpoint::Import))
        .await;
}

#[tokio::test]
async fn a_late_answer_is_of_work_that_was_done_at_once() {
    let fixture = Arc::new(Fixture::new().await);
    fixture.sandbox.add_fault(Fault::once(Endpoint::Import, FaultKind::DelayAfter(3_600_000)));
    let caller = Arc::clone(&fixture);
    let call = tokio::spawn(async move { caller.import(vec![row("p@example.com")], false).await });
    eventually("the person is imported", || fixture.state("p@example.com").is_some()).await;
    assert!(!call.is_finished());
}

#[tokio::test]
async fn the_throttle_refuses_without_saying_how_long() {
    let throttle = Some(Throttle { calls: 2, window_ms: 3_600_000 });
    for rate_limit_headers in [false, true] {
        let fixture = Fixture::with(Options { throttle, rate_limit_headers, ..Options::default() }).await;
        let mut replies = Vec::new();
        for _ in 0..3 {
            replies.push(fixture.call("GET", "/lists/{list}.json", Value::Null).await);
        }
        let codes: Vec<_> = replies.iter().map(Reply::status_and_code).collect();
        assert_eq!(codes, [(200, 0), (200, 0), (429, 429)]);
        let head = replies[2].head.to_lowercase();
        assert!(!head.contains("retry-after"));
        assert_eq!(head.contains("x-ratelimit-reset: 3600"), rate_limit_headers);
        assert_eq!(fixture.sandbox.report().throttled, 1);
        fixture.sandbox.set_pace(Pace::default());
        assert_eq!(fixture.call("GET", "/lists/{list}.json", Value::Null).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_the_same_time() {
    let fixture = Arc::new(Fixture::with(Options { latency_ms: 100, ..Options::default() }).await);
    let calls: Vec<_> = (0..8)
        .map(|call| {
            let fixture = Arc::clone(&fixture);
            tokio::spawn(async move {
                // Each call brings ten people, of whom five come with the next call too.
                let rows = (call * 5..call * 5 + 10).map(|number| row(&format!("p{number}@example.com")));
                fixture.import(rows.collect(), false).await.status
            })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), 201);
    }
    let report = fixture.sandbox.report();
    assert_eq!((report.import.rows, report.import.new, report.import.existing), (80, 45, 35));
    assert_eq!(fixture.sandbox.counts(&fixture.list).unwrap().total, 45);
    assert!((2..=8).contains(&report.most_in_flight), "{}", report.most_in_flight);
}
