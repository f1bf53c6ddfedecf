//! Faults on request.

use crate::client::{Fixture, Sent};
use sandbox::faults::FaultKind;
use sandbox::marketo::{Endpoint, Fault, Options};
use serde_json::{Value, json};

/// One sync under this fault: the code (none: no answer) and whether the person was written.
async fn check(kind: FaultKind, answered: Option<u64>, written: bool) {
    let fixture = Fixture::new().await;
    fixture.sandbox.add_fault(Fault::once(Endpoint::SyncLeads, kind.clone()));
    fixture.get("/rest/v1/lists.json").await;
    let body = json!({ "input": [{ "email": "p@example.com" }] });
    let reply = fixture.try_call("POST", "/rest/v1/leads.json", Sent::json(&body)).await;
    assert_eq!(reply.ok().map(|reply| reply.code()), answered, "{kind:?}");
    assert_eq!(fixture.sandbox.lead_count() == 1, written, "{kind:?}");
    assert_eq!((fixture.sandbox.report().faults, fixture.calls(Endpoint::SyncLeads)), (1, 1), "{kind:?}");
}

#[tokio::test]
async fn each_fault() {
    for code in [608, 611, 713, 601, 602, 604, 614] {
        check(FaultKind::Status(code), Some(code.into()), false).await;
    }
    check(FaultKind::Status(502), Some(502), false).await;
    check(FaultKind::TooManyRequests, Some(606), false).await;
    check(FaultKind::DropConnection, None, false).await;
    check(FaultKind::DropAfterProcessing, None, true).await;
    check(FaultKind::StatusAfterProcessing(604), Some(604), true).await;
    check(FaultKind::StatusAfterProcessing(504), Some(504), true).await;
    check(FaultKind::BadJson, Some(200), true).await;
    check(FaultKind::TruncatedJson, Some(200), true).await;
    check(FaultKind::DelayBefore(1), Some(0), true).await;
    check(FaultKind::DelayAfter(1), Some(0), true).await;
    let answer =
        FaultKind::Answer { status: 200, body: r#"{"success":false,"errors":[{"code":"999"}]}"#.to_owned() };
    check(answer, Some(999), false).await;
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_stays_expired() {
    for (code, after) in [(602, 602), (601, 601)] {
        let fixture = Fixture::new().await;
        fixture.sandbox.add_fault(Fault::once(Endpoint::Any, FaultKind::Status(code)));
        assert_eq!(fixture.get("/rest/v1/lists.json").await.code(), u64::from(code));
        assert_eq!(fixture.get("/rest/v1/lists.json").await.code(), after);
        assert_eq!(fixture.sandbox.report().calls_of_day, 0);
    }
}

#[tokio::test]
async fn each_third_call() {
    let fixture = Fixture::with(Options { logged_requests: 2, ..Options::default() }).await;
    fixture.sandbox.add_fault(Fault::once(Endpoint::Any, FaultKind::Status(608)).times(2).every(3));
    let mut codes = Vec::new();
    for _ in 0..7 {
        codes.push(fixture.get("/rest/v1/lists.json").await.code());
    }
    assert_eq!(codes, [0, 0, 608, 0, 0, 608, 0]);
    // 608 is free.
    assert_eq!(fixture.sandbox.report().calls_of_day, 5);
    let logged: Vec<Option<u16>> = fixture.sandbox.requests().iter().map(|request| request.code).collect();
    assert_eq!(logged, [Some(608), None]);
}

#[tokio::test]
async fn the_identity_endpoint_fails_too() {
    let fixture = Fixture::new().await;
    fixture.sandbox.add_fault(Fault::once(Endpoint::Identity, FaultKind::Status(503)));
    assert_eq!(crate::client::ask_token(&fixture.sandbox, &fixture.credentials).await.status, 503);
    fixture.sandbox.add_fault(Fault::once(Endpoint::Identity, FaultKind::BadJson));
    let bad = crate::client::ask_token(&fixture.sandbox, &fixture.credentials).await;
    assert!(serde_json::from_str::<Value>(&bad.body).is_err());
}
