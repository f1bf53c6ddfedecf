//! Rate, concurrency and quota over HTTP.

use crate::client::{Fixture, eventually};
use sandbox::marketo::{Endpoint, Options, OtherUsers, Pace, RefusedCalls};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const CALL: &str = "/rest/v1/leads/partitions.json";

async fn codes(fixture: &Fixture, calls: usize) -> Vec<u64> {
    let mut codes = Vec::new();
    for _ in 0..calls {
        codes.push(fixture.get(CALL).await.code());
    }
    codes
}

#[tokio::test]
async fn a_hundred_calls_in_twenty_seconds() {
    let fixture = Fixture::new().await;
    let codes = codes(&fixture, 102).await;
    assert_eq!((codes[99], codes[100], codes[101]), (0, 606, 606));
    let refused = fixture.get(CALL).await;
    assert_eq!(refused.status, 200);
    assert_eq!(refused.json()["errors"][0]["message"], "Max rate limit '100' exceeded with in '20' secs");
    let report = fixture.sandbox.report();
    assert_eq!(report.throttled, BTreeMap::from([(606, 3)]));
    assert_eq!(report.most_calls_in_window, 103);
    // Refused for the rate counts in the quota.
    assert_eq!(report.calls_of_day, 103);
    fixture.sandbox.set_pace(Pace { rate_calls: Some(1000), ..Pace::default() });
    assert_eq!(fixture.get(CALL).await.code(), 0);
}

#[tokio::test]
async fn windows_pass_faster_in_faster_time() {
    // An hour of the vendor's is a tenth of a second of ours.
    let options = Options {
        rate_calls: 1,
        rate_window_ms: 3_600_000,
        refused_calls: RefusedCalls::Free,
        time_scale: 36_000.0,
        token_ms: u64::MAX,
        ..Options::default()
    };
    let fixture = Fixture::with(options).await;
    assert_eq!(codes(&fixture, 1).await, [0]);
    let again = async { while fixture.get(CALL).await.code() == 606 {} };
    assert!(timeout(Duration::from_secs(30), again).await.is_ok());
    assert_eq!(
        fixture.sandbox.report().calls[&Endpoint::Partitions].by_code.keys().find(|code| **code != 606),
        None
    );
}

#[tokio::test]
async fn others_can_use_everything_up() {
    let fixture = Fixture::new().await;
    fixture.sandbox.set_others(OtherUsers { rate_calls: 100, ..OtherUsers::default() });
    assert_eq!(codes(&fixture, 1).await, [606]);
    fixture.sandbox.set_others(OtherUsers { concurrency: 10, ..OtherUsers::default() });
    assert_eq!(codes(&fixture, 1).await, [615]);
    fixture.sandbox.set_others(OtherUsers::default());
    fixture.sandbox.use_quota(50_000);
    assert_eq!(codes(&fixture, 1).await, [607]);
    fixture.sandbox.reset_quota();
    assert_eq!(codes(&fixture, 1).await, [0]);
    assert_eq!(fixture.sandbox.report().throttled, BTreeMap::from([(606, 1), (607, 1), (615, 1)]));
}

#[tokio::test]
async fn calls_at_one_time() {
    let latency_ms_of = BTreeMap::from([(Endpoint::Partitions, 3_600_000)]);
    let options = Options { concurrency: 2, latency_ms_of, ..Options::default() };
    let fixture = Arc::new(Fixture::with(options).await);
    for _ in 0..2 {
        let fixture = Arc::clone(&fixture);
        tokio::spawn(async move { fixture.get(CALL).await });
    }
    eventually("both are in", || fixture.sandbox.report().most_in_flight == 2).await;
    assert_eq!(fixture.get("/rest/v1/lists.json").await.code(), 615);
    assert_eq!(fixture.sandbox.report().most_in_flight, 3);
}
