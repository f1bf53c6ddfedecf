//! Faults of calls that change members.

use crate::client::{Fixture, members, numbered};
use sandbox::dynamics365_sales::{Endpoint, Fault};
use sandbox::faults::FaultKind;

/// One call under this fault: the status (none: no answer), and whether the contact was added.
async fn check(kind: FaultKind, answered: Option<u16>, added: bool) {
    let fixture = Fixture::new().await;
    fixture.sandbox.add_fault(Fault::once(Endpoint::AddListMembers, kind.clone()));
    let body = || members(fixture.list, &numbered(0..1));
    let reply = fixture.try_call("POST", "AddListMembersList", &[], body()).await;
    assert_eq!(reply.ok().map(|reply| reply.status), answered, "{kind:?}");
    assert_eq!(fixture.on_list().len(), usize::from(added), "{kind:?}");
    assert_eq!(fixture.call("POST", "AddListMembersList", body()).await.status, 204, "{kind:?}: it is over");
    let report = fixture.sandbox.report();
    assert_eq!(report.faults, 1);
    assert!(report.calls[&Endpoint::AddListMembers].by_status[&answered.unwrap_or(0)] >= 1, "{kind:?}");
}

#[tokio::test]
async fn each_fault() {
    check(FaultKind::Status(500), Some(500), false).await;
    check(FaultKind::Status(503), Some(503), false).await;
    check(FaultKind::TooManyRequests, Some(429), false).await;
    check(FaultKind::DropConnection, None, false).await;
    check(FaultKind::DropAfterProcessing, None, true).await;
    check(FaultKind::StatusAfterProcessing(504), Some(504), true).await;
    check(FaultKind::BadJson, Some(200), true).await;
    check(FaultKind::DelayBefore(1), Some(204), true).await;
    check(FaultKind::DelayAfter(1), Some(204), true).await;
    check(FaultKind::Answer { status: 418, body: "{}".to_owned() }, Some(418), false).await;
}

#[tokio::test]
async fn bad_json_is_no_json() {
    let fixture = Fixture::new().await;
    for kind in [FaultKind::BadJson, FaultKind::TruncatedJson] {
        fixture.sandbox.add_fault(Fault::once(Endpoint::Any, kind));
        let reply = fixture.call("GET", "WhoAmI", serde_json::Value::Null).await;
        assert_eq!(reply.status, 200);
        assert!(serde_json::from_str::<serde_json::Value>(&reply.body).is_err());
    }
}
