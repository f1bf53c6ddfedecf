//! Several operations in one call.

use crate::client::{Fixture, Reply, numbered, send, sorted};
use sandbox::dynamics365_sales::{Endpoint, ForcedThrottle, Guid, Limit};
use serde_json::json;

fn operation(fixture: &Fixture, action: &str, body: &serde_json::Value) -> String {
    format!(
        "--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
         POST /api/data/v9.2/lists({})/Microsoft.Dynamics.CRM.{action} HTTP/1.1\r\n\
         Content-Type: application/json\r\n\r\n{body}\r\n",
        fixture.list
    )
}

async fn batch(fixture: &Fixture, prefer: &str, body: &str) -> Reply {
    let authorization = format!("Bearer {}", fixture.token);
    let headers = [
        ("Authorization", authorization.as_str()),
        ("OData-Version", "4.0"),
        ("Content-Type", "multipart/mixed; boundary=\"batch_1\""),
        ("Prefer", prefer),
    ];
    send(&fixture.sandbox.base_url(), "POST", "/api/data/v9.2/$batch", &headers, body).await.unwrap()
}

/// The statuses of the operations in a batch's answer.
fn statuses(reply: &Reply) -> Vec<u16> {
    let lines = reply.body.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 "));
    lines.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
}

fn adding(fixture: &Fixture) -> String {
    let one = |id: Guid| operation(fixture, "AddMemberList", &json!({ "EntityId": id }));
    let mut body: String =
        [numbered(0..2), numbered(50..51), numbered(2..3)].concat().into_iter().map(one).collect();
    body.push_str("--batch_1--\r\n");
    body
}

#[tokio::test]
async fn it_ends_at_the_first_error_unless_it_may_go_on() {
    let fixture = Fixture::new().await;
    let reply = batch(&fixture, "x", &adding(&fixture)).await;
    assert_eq!((reply.status, statuses(&reply)), (404, vec![200, 200, 404]));
    assert_eq!(fixture.on_list(), sorted(numbered(0..2)));
    let reply = batch(&fixture, "odata.continue-on-error", &adding(&fixture)).await;
    assert_eq!((reply.status, statuses(&reply)), (200, vec![200, 200, 404, 200]));
    assert_eq!(fixture.on_list(), sorted(numbered(0..3)));
    assert!(reply.body.contains("0x80040217"));
    let report = fixture.sandbox.report();
    assert_eq!((report.calls[&Endpoint::Batch].calls, report.calls[&Endpoint::AddMember].calls), (2, 7));
    assert_eq!(report.most_calls_in_window, 2, "a batch is one request to the limits");
}

#[tokio::test]
async fn a_part_can_be_throttled_by_itself() {
    let fixture = Fixture::new().await;
    fixture.sandbox.force_throttle(ForcedThrottle {
        matches: Endpoint::AddMember,
        limit: Limit::Requests,
        retry_after_seconds: 9,
        times: 1,
    });
    let reply = batch(&fixture, "odata.continue-on-error", &adding(&fixture)).await;
    assert_eq!((reply.status, statuses(&reply)), (200, vec![429, 200, 404, 200]));
    assert!(reply.body.contains("retry-after: 9") && reply.header("retry-after").is_none());
}

#[tokio::test]
async fn members_are_removed_one_by_one() {
    let fixture = Fixture::new().await;
    fixture.add(&numbered(0..3)).await;
    let one =
        |id: Guid| operation(&fixture, "RemoveMemberList", &json!({ "ListMember": { "listmemberid": id } }));
    let body: String = numbered(0..2).into_iter().map(one).collect();
    let reply = batch(&fixture, "odata.continue-on-error", &format!("{body}--batch_1--\r\n")).await;
    assert_eq!((reply.status, statuses(&reply)), (200, vec![204, 204]));
    assert_eq!(fixture.on_list(), numbered(2..3));
}

#[tokio::test]
async fn batches_that_are_refused() {
    let fixture = Fixture::new().await;
    let good = adding(&fixture);
    let one = operation(&fixture, "AddMemberList", &json!({ "EntityId": Guid::numbered(0) }));
    let change_set =
        "--batch_1\r\nContent-Type: multipart/mixed; boundary=\"c\"\r\n\r\n--c--\r\n\r\n--batch_1--\r\n";
    for (body, status) in [
        (good.replace("--batch_1--", ""), 400),
        (good.replace("\r\n", "\n"), 400),
        (good.replace("batch_1", "batch_2"), 400),
        (format!("{}--batch_1--\r\n", one.repeat(1_001)), 400),
        (change_set.to_owned(), 501),
    ] {
        assert_eq!(batch(&fixture, "x", &body).await.status, status);
    }
    assert!(fixture.on_list().is_empty());
}
