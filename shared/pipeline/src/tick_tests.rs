//! Tests ticks against a ledger with delayed responses. The decisions of a tick are tested on the local
//! cloud.

use super::*;
use relay_cloud::ledger::Ledger;
use relay_cloud::{CatalogStore, Clients, Queue};
use serde_json::{Value, json};
use std::time::Duration;
use wiremock::matchers::{body_string_contains, header};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// More exports than are processed at a time.
const EXPORTS: usize = 3 * AT_ONCE;

fn answer(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.to_string(), "application/x-amz-json-1.0")
}

fn item(number: usize) -> Value {
    let export = json!({
        "id": format!("export-{number:02}"), "name": "Export", "connection": "account", "match_key": "email",
        "segments": [{ "segment": "everybody", "target_list": "list" }],
    });
    json!({ "document": { "S": export.to_string() }, "saved_at_ms": { "N": "0" }, "created_at_ms": { "N": "0" }, "version": { "N": "1" } })
}

/// Responds to the list of exports, and to every other request with an empty result.
async fn lists(server: &MockServer, exports: &[Value]) {
    let query = || Mock::given(header("x-amz-target", "DynamoDB_20120810.Query"));
    let list = answer(&json!({ "Items": exports, "Count": exports.len() }));
    query().and(body_string_contains(r#"{"S":"export"}"#)).respond_with(list).mount(server).await;
    query().respond_with(answer(&json!({ "Items": [], "Count": 0 }))).mount(server).await;
}

async fn tick(server: &MockServer) -> Tick {
    let clients = Clients::at(&server.uri(), "us-east-1", "key", "secret").await;
    let queue = || Queue::new(clients.sqs(), format!("{}/queue", server.uri()));
    Tick {
        requests: RunRequests {
            catalog: CatalogStore::new(clients.dynamodb(), "catalog".to_owned()),
            ledger: Ledger::new(clients.dynamodb(), "ledger".to_owned()),
            snapshot_queue: queue(),
            chunk_queue: queue(),
            finish_queue: queue(),
        },
    }
}

#[tokio::test]
async fn an_export_that_hangs_leaves_the_others_their_minute() {
    let server = MockServer::start().await;
    lists(&server, &(0..EXPORTS).map(item).collect::<Vec<_>>()).await;
    let read = || Mock::given(header("x-amz-target", "DynamoDB_20120810.GetItem"));
    let never = answer(&json!({})).set_delay(Duration::from_hours(1));
    read().and(body_string_contains("export#export-00")).respond_with(never).mount(&server).await;
    read().respond_with(answer(&json!({}))).mount(&server).await;

    let everybody = async || {
        let asked = |number| format!("export#export-{number:02}");
        loop {
            let requests = server.received_requests().await.unwrap();
            let bodies: Vec<_> =
                requests.iter().map(|request| String::from_utf8_lossy(&request.body)).collect();
            if (0..EXPORTS).all(|number| bodies.iter().any(|body| body.contains(&asked(number)))) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let tick = tick(&server).await;
    tokio::select! {
        ticked = tick.run(Timestamp::UNIX_EPOCH) => panic!("one export never answers, but: {ticked:?}"),
        () = everybody() => {}
        () = tokio::time::sleep(Duration::from_secs(30)) => panic!("some exports were not looked after"),
    }
}

#[tokio::test]
async fn what_each_export_came_to_is_added_up() {
    let server = MockServer::start().await;
    let mut items: Vec<Value> = (0..EXPORTS).map(item).collect();
    items.push(json!({ "document": { "S": "{}" }, "saved_at_ms": { "N": "0" }, "created_at_ms": { "N": "0" }, "version": { "N": "1" } }));
    lists(&server, &items).await;
    let read = || Mock::given(header("x-amz-target", "DynamoDB_20120810.GetItem"));
    let refused = ResponseTemplate::new(400)
        .set_body_raw(json!({ "__type": "AccessDeniedException" }).to_string(), "application/x-amz-json-1.0");
    read().and(body_string_contains("export#export-07")).respond_with(refused).mount(&server).await;
    read().respond_with(answer(&json!({}))).mount(&server).await;
    let ticked = tick(&server).await.run(Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(ticked, Ticked { failed: 2, ..Ticked::default() });
}
