//! Bulk extracts of lists.

use crate::client::{Fixture, Sent, token};
use sandbox::marketo::{NewService, Options, SeedLead};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::time::sleep;

const EXPORTS: &str = "/bulk/v1/leads/export";

fn fast() -> Options {
    Options {
        time_scale: 1000.0,
        token_ms: u64::MAX,
        rate_calls: 100_000,
        export_status_ms: 0,
        ..Options::default()
    }
}

fn body(filter: &Value) -> Value {
    json!({ "fields": ["email", "id", "firstName"], "format": "CSV", "filter": filter })
}

async fn create(fixture: &Fixture, body: Value) -> String {
    let made = fixture.post(&format!("{EXPORTS}/create.json"), body).await.rows();
    assert_eq!(made[0]["status"], "Created");
    made[0]["exportId"].as_str().unwrap().to_owned()
}

async fn enqueue(fixture: &Fixture, id: &str) -> u64 {
    fixture.call("POST", &format!("{EXPORTS}/{id}/enqueue.json"), Sent::default()).await.code()
}

async fn completed(fixture: &Fixture, id: &str) -> Value {
    for _ in 0..10_000 {
        let status = fixture.get(&format!("{EXPORTS}/{id}/status.json")).await.rows()[0].clone();
        if status["status"] == "Completed" {
            return status;
        }
        sleep(Duration::from_millis(1)).await;
    }
    panic!("the extract does not end");
}

fn person(fixture: &Fixture, email: &str, first_name: Option<&str>) -> SeedLead {
    let mut fields = Map::from_iter([("email".to_owned(), email.into())]);
    fields.extend(first_name.map(|name| ("firstName".to_owned(), name.into())));
    SeedLead { fields, lists: vec![fixture.list], ..SeedLead::default() }
}

#[tokio::test]
async fn a_list_is_extracted() {
    let fixture = Fixture::with(fast()).await;
    let people =
        [person(&fixture, "a@example.com", Some("A, \"a\"")), person(&fixture, "b@example.com", None)];
    fixture.sandbox.seed_leads(people.into()).unwrap();
    let id = create(&fixture, body(&json!({ "staticListId": fixture.list }))).await;
    let file = format!("{EXPORTS}/{id}/file.json");
    let early = fixture.get(&file).await;
    assert_eq!((early.status, early.body.starts_with('{')), (404, false));
    assert_eq!(enqueue(&fixture, &id).await, 0);
    assert_eq!(enqueue(&fixture, &id).await, 1029);
    let status = completed(&fixture, &id).await;
    let expected = "email,id,firstName\na@example.com,1,\"A, \"\"a\"\"\"\nb@example.com,2,null\n";
    assert_eq!((&status["numberOfRecords"], &status["fileSize"]), (&json!(2), &json!(expected.len())));
    assert_eq!(fixture.get(&file).await.body, expected);
    let range = Sent { headers: vec!["Range: bytes=0-4".to_owned()], body: Vec::new() };
    let part = fixture.call("GET", &file, range).await;
    assert_eq!((part.status, part.body.as_str()), (206, "email"));
    let beyond = Sent { headers: vec!["Range: bytes=900-".to_owned()], body: Vec::new() };
    assert_eq!(fixture.call("GET", &file, beyond).await.status, 416);
}

#[tokio::test]
async fn headers_can_be_named_and_lists_too() {
    let fixture = Fixture::with(fast()).await;
    let mut body = body(&json!({ "staticListName": "People" }));
    body["columnHeaderNames"] = json!({ "email": "Email Address" });
    let id = create(&fixture, body).await;
    enqueue(&fixture, &id).await;
    completed(&fixture, &id).await;
    let file = fixture.get(&format!("{EXPORTS}/{id}/file.json")).await.body;
    assert_eq!(file, "Email Address,id,firstName\n");
    assert!(fixture.sandbox.report().specification_violations.is_empty());
}

#[tokio::test]
async fn refused() {
    let fixture = Fixture::with(fast()).await;
    for (body, expected) in [
        (body(&json!({ "staticListId": 7 })), 1013),
        (body(&json!({ "smartListId": 7 })), 1035),
        (body(&json!({ "updatedAt": { "startAt": "2020-01-01T00:00:00Z" } })), 1035),
        (body(&json!({ "staticListId": fixture.list, "staticListName": "People" })), 1003),
        (json!({ "fields": ["email"] }), 1002),
        (json!({ "fields": ["nothing"], "filter": { "staticListId": fixture.list } }), 1006),
    ] {
        let reply = fixture.post(&format!("{EXPORTS}/create.json"), body.clone()).await;
        assert_eq!(reply.code(), expected, "{body}");
    }
    assert_eq!(enqueue(&fixture, "nothing").await, 1013);
}

#[tokio::test]
async fn the_queue_the_quota_and_the_owner() {
    let options = Options { exports_at_most: 1, export_queue_ms: 3_600_000, time_scale: 1.0, ..fast() };
    let mut fixture = Fixture::with(options).await;
    let filter = json!({ "staticListId": fixture.list });
    let (one, two) = (create(&fixture, body(&filter)).await, create(&fixture, body(&filter)).await);
    assert_eq!(enqueue(&fixture, &one).await, 0);
    assert_eq!(enqueue(&fixture, &two).await, 1029);
    let cancel = fixture.call("POST", &format!("{EXPORTS}/{one}/cancel.json"), Sent::default()).await;
    assert_eq!(cancel.rows()[0]["status"], "Canceled");
    assert_eq!(enqueue(&fixture, &two).await, 0);
    fixture.token = token(&fixture.sandbox, &fixture.sandbox.create_service(NewService::default())).await;
    assert_eq!(fixture.get(&format!("{EXPORTS}/{two}/status.json")).await.code(), 1013);
    let none_left = Fixture::with(Options { export_bytes_a_day: 0, ..fast() }).await;
    let id = create(&none_left, body(&json!({ "staticListId": none_left.list }))).await;
    assert_eq!(enqueue(&none_left, &id).await, 1029);
}

#[tokio::test]
async fn the_status_is_brought_up_to_date_now_and_then_only() {
    let fixture = Fixture::with(Options { export_status_ms: u64::MAX, ..fast() }).await;
    let id = create(&fixture, body(&json!({ "staticListId": fixture.list }))).await;
    let path = format!("{EXPORTS}/{id}/status.json");
    assert_eq!(fixture.get(&path).await.rows()[0]["status"], "Created");
    enqueue(&fixture, &id).await;
    assert_eq!(fixture.get(&path).await.rows()[0]["status"], "Created");
}
