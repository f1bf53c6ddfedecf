//! Service protection limits, execution times, and time that goes faster.

use crate::client::{Fixture, Reply, members, numbered};
use sandbox::dynamics365_sales::{
    ConcurrentListCalls, Endpoint, ExecutionTimes, ForcedThrottle, Limit, NewApplication, NewList, Options,
    Pace, ServiceProtection,
};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Waits until something is so, for half a minute at most.
async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(Duration::from_secs(30), waiting).await.is_ok(), "{what}");
}

fn protected(protection: ServiceProtection) -> Options {
    Options { protection: Some(protection), ..Options::default() }
}

async fn whoami(fixture: &Fixture) -> Reply {
    fixture.call("GET", "WhoAmI", Value::Null).await
}

#[tokio::test]
async fn answers_say_what_is_left() {
    let fixture = Fixture::new().await;
    let reply = whoami(&fixture).await;
    assert_eq!(reply.header("x-ms-dop-hint"), Some("4"));
    assert_eq!(reply.header("x-ms-ratelimit-burst-remaining-xrm-requests"), Some("5999"));
    assert_eq!(reply.header("x-ms-ratelimit-time-remaining-xrm-requests"), Some("1,200.00"));
    assert_eq!(reply.header("odata-version"), Some("4.0"));
    assert!(reply.header("x-ms-service-request-id").is_some());
}

#[tokio::test]
async fn requests_in_a_window() {
    let fixture =
        Fixture::with(protected(ServiceProtection { requests: 3, ..ServiceProtection::default() })).await;
    for _ in 0..3 {
        assert_eq!(whoami(&fixture).await.status, 200);
    }
    let refused = whoami(&fixture).await;
    assert_eq!(refused.outcome(), (429, "0x80072322".to_owned()));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((290..=300).contains(&wait), "{wait}");
    whoami(&fixture).await;
    let report = fixture.sandbox.report();
    assert_eq!((report.throttled[&Limit::Requests], report.calls_before_retry_after), (2, 1));
    assert_eq!(report.most_calls_in_window, 3);
    assert_eq!(report.calls[&Endpoint::WhoAmI].by_code["0x80072322"], 2);
}

#[tokio::test]
async fn every_web_server_has_limits_of_its_own_and_cookies_give_that_away() {
    let protection = Some(ServiceProtection { requests: 2, ..ServiceProtection::default() });
    let options = || Options { web_servers: 3, protection, ..Options::default() };
    let spread = Fixture::with(options()).await;
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(whoami(&spread).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 429]);
    let stuck = Fixture::with(options()).await;
    let first = whoami(&stuck).await;
    let cookie = first.header("set-cookie").unwrap().split(';').next().unwrap();
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let reply = stuck.call_with("GET", "WhoAmI", &[("Cookie", cookie)], Value::Null).await;
        statuses.push(reply.status);
    }
    assert_eq!(statuses, [200, 429]);
    assert_eq!(stuck.sandbox.report().calls_with_cookies, 2);
    assert_eq!(spread.sandbox.report().calls_with_cookies, 0);
}

#[tokio::test]
async fn execution_time_is_used_up() {
    let execution = ExecutionTimes { add_base_ms: 100, add_member_us: 10_000, ..ExecutionTimes::default() };
    let protection = Some(ServiceProtection { execution_ms: 250, ..ServiceProtection::default() });
    let options = Options { execution, protection, time_scale: 10.0, ..Options::default() };
    let fixture = Fixture::with(options).await;
    let began = Instant::now();
    let first = fixture.add(&numbered(0..10)).await;
    assert_eq!(first.header("x-ms-ratelimit-time-remaining-xrm-requests"), Some("0.05"));
    assert!(began.elapsed() >= Duration::from_millis(20), "200 ms at ten times the speed");
    assert_eq!(fixture.add(&numbered(0..10)).await.status, 204);
    let refused = fixture.add(&numbered(0..10)).await;
    assert_eq!(refused.outcome(), (429, "0x80072321".to_owned()));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "five minutes at ten times the speed: {wait}");
    let report = fixture.sandbox.report();
    assert_eq!((report.execution_ms, report.longest_membership_call_ms), (400, 200));
    assert_eq!(report.longest_execution_in_window_ms, 400);
}

#[tokio::test]
async fn who_waits_as_long_as_told_is_let_in() {
    let protection = Some(ServiceProtection { requests: 1, ..ServiceProtection::default() });
    let fixture = Fixture::with(Options { protection, time_scale: 600.0, ..Options::default() }).await;
    assert_eq!(whoami(&fixture).await.status, 200);
    let refused = whoami(&fixture).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(whoami(&fixture).await.status, 200);
}

#[tokio::test]
async fn too_many_at_one_time() {
    let execution = ExecutionTimes { read_base_ms: 3_600_000, ..ExecutionTimes::default() };
    let protection = ServiceProtection { concurrent: 2, ..ServiceProtection::default() };
    let fixture = Arc::new(Fixture::with(Options { execution, ..protected(protection) }).await);
    let calls: Vec<_> = (0..2)
        .map(|_| {
            let fixture = Arc::clone(&fixture);
            tokio::spawn(async move { fixture.try_call("GET", "WhoAmI", &[], Value::Null).await })
        })
        .collect();
    eventually("both are being executed", || fixture.sandbox.report().most_calls_in_window == 2).await;
    let refused = whoami(&fixture).await;
    assert_eq!(refused.outcome(), (429, "0x80072326".to_owned()));
    assert_eq!(fixture.sandbox.report().throttled[&Limit::Concurrent], 1);
    calls.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn two_calls_for_one_list_are_a_deadlock() {
    let execution = ExecutionTimes { add_base_ms: 100_000, ..ExecutionTimes::default() };
    for concurrent_list_calls in [ConcurrentListCalls::Deadlock, ConcurrentListCalls::Done] {
        let fixture = Fixture::with(Options { execution, concurrent_list_calls, ..Options::default() }).await;
        let fixture = Arc::new(fixture);
        let call = |number: u64| {
            let fixture = Arc::clone(&fixture);
            tokio::spawn(async move { fixture.add(&numbered(number..number + 1)).await.outcome() })
        };
        let first = call(0);
        eventually("the first is being executed", || fixture.sandbox.report().most_calls_for_one_list == 1)
            .await;
        let second = call(1);
        eventually("both are there", || fixture.sandbox.report().most_calls_for_one_list == 2).await;
        if concurrent_list_calls == ConcurrentListCalls::Deadlock {
            assert_eq!(second.await.unwrap(), (500, "0x80044150".to_owned()));
            // The victim is gone, the other still goes on.
            assert_eq!(fixture.add(&numbered(2..3)).await.status, 500);
        } else {
            assert!(!second.is_finished());
        }
        assert!(!first.is_finished());
        // Other lists are nobody's victims.
        fixture.sandbox.set_pace(Pace::default());
        let other = fixture.sandbox.create_list(NewList::default()).unwrap();
        let reply = fixture.call("POST", "AddListMembersList", members(other, &numbered(0..1))).await;
        assert_eq!(reply.status, 204);
    }
}

#[tokio::test]
async fn a_call_that_would_take_too_long_does_nothing() {
    let execution = ExecutionTimes { add_member_us: 1_000_000, ..ExecutionTimes::default() };
    let options =
        Options { execution, longest_execution_ms: 5_000, time_scale: 1_000.0, ..Options::default() };
    let fixture = Fixture::with(options).await;
    assert_eq!(fixture.add(&numbered(0..6)).await.outcome(), (500, "0x80044151".to_owned()));
    assert!(fixture.on_list().is_empty());
    assert_eq!(fixture.add(&numbered(0..5)).await.status, 204);
}

#[tokio::test]
async fn a_retry_after_of_four_minutes() {
    let fixture = Fixture::with(Options { time_scale: 20.0, ..Options::default() }).await;
    fixture.sandbox.force_throttle(ForcedThrottle {
        matches: Endpoint::AddListMembers,
        limit: Limit::ExecutionTime,
        retry_after_seconds: 240,
        times: 1,
    });
    assert_eq!(whoami(&fixture).await.status, 200);
    let refused = fixture.add(&numbered(0..1)).await;
    assert_eq!(refused.outcome(), (429, "0x80072321".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("240"));
    assert_eq!(fixture.add(&numbered(0..1)).await.status, 204);
    let report = fixture.sandbox.report();
    assert_eq!((report.throttled[&Limit::ExecutionTime], report.throttled_on_request), (1, 1));
}

#[tokio::test]
async fn a_hundred_thousand_members_in_no_time() {
    let fixture = Fixture::of(Options::default(), NewApplication::default(), 100_001).await;
    let began = Instant::now();
    for thousand in 0..100 {
        assert_eq!(fixture.add(&numbered(thousand * 1_000..(thousand + 1) * 1_000)).await.status, 204);
    }
    assert_eq!(fixture.sandbox.list(fixture.list).unwrap().members_by_api, 100_000);
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
}
