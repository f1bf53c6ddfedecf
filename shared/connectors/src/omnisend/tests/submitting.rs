//! Rows become batches.

use super::*;

const BATCHES: &str = "/api/batches";

#[tokio::test]
async fn rows_go_in_batches_of_a_hundred() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let frame = people(250);
    let context = context();
    let pushed = v2026(&server).push(&target(), Kind::Upsert, &frame, &context).await;
    let (job, look_after) = accepted(pushed);
    assert_eq!((look_after, context.calls()), (Duration::from_secs(5), 3));
    let requests = requests(&server, "POST", BATCHES).await;
    let items = |request: &Request| {
        let body: Value = request.body_json().unwrap();
        body["items"].as_array().unwrap().len()
    };
    assert_eq!(requests.iter().map(items).collect::<Vec<_>>(), [100, 100, 50]);
    assert_eq!(requests[0].headers["authorization"], format!("Omnisend-API-Key {API_KEY}"));
    assert_eq!(requests[0].headers["omnisend-version"], "2026-03-15");
    assert!(requests[0].headers.get("x-api-key").is_none());
    let written = serde_json::to_string(&job).unwrap();
    assert!(!written.contains("example.com"), "{written}");
}

#[tokio::test]
async fn the_older_dialect_takes_a_thousand() {
    let fake = Fake::default();
    let server = fake.serve().await;
    submit(&v5(&server), &people(1_000)).await;
    let requests = requests(&server, "POST", "/v5/batches").await;
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].headers["x-api-key"], API_KEY);
    assert!(requests[0].headers.get("authorization").is_none());
    assert!(requests[0].headers.get("omnisend-version").is_none());
}

#[tokio::test]
async fn an_empty_batch_costs_no_call() {
    let server = Fake::default().serve().await;
    let (connector, context) = (v2026(&server), context());
    for kind in [Kind::Upsert, Kind::Remove] {
        assert_eq!(done(connector.push(&target(), kind, &people(0), &context).await), []);
    }
    assert_eq!(context.calls(), 0);
}

#[tokio::test]
async fn a_batch_that_is_too_large_goes_in_halves() {
    let fake = Fake::default();
    fake.fault("POST /api/batches", [ResponseTemplate::new(413)]);
    let server = fake.serve().await;
    let (results, _) = carry_through(&v2026(&server), &people(100)).await;
    assert_eq!(told(&results), vec![APPLIED; 100]);
    assert_eq!(requests(&server, "POST", BATCHES).await.len(), 3);
}

#[tokio::test]
async fn a_row_that_is_too_large_by_itself_is_rejected_and_the_others_go() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let large =
        Row { values: vec![(0, FieldValue::Text("x".repeat(1_000_001)))], ..row("large@example.com") };
    let frame = frame([row("jane@example.com"), large, row("john@example.com")]);
    let (results, _) = carry_through(&v2026(&server), &frame).await;
    assert_eq!(told(&results), [APPLIED, (OutcomeKind::Rejected, "row_too_large"), APPLIED]);
    assert_eq!(fake.carriers(TAG), ["jane@example.com", "john@example.com"]);
}

#[tokio::test]
async fn what_was_submitted_is_remembered_when_the_rest_has_to_wait() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let (connector, frame) = (v2026(&server), people(250));
    let full = ResponseTemplate::new(429).set_body_json(json!({"status": 429, "retryAfter": 30}));
    let first = ResponseTemplate::new(201).set_body_json(json!({"batchID": "batch1", "totalCount": 100}));
    fake.fault("POST /api/batches", [first, full]);
    let (job, look_after) = accepted(connector.push(&target(), Kind::Upsert, &frame, &context()).await);
    assert_eq!(look_after, Duration::from_secs(30));
    accepted(poll(&connector, job, &frame).await);
    let sent: usize = requests(&server, "POST", BATCHES)
        .await
        .iter()
        .map(|request| request.body_json::<Value>().unwrap()["items"].as_array().unwrap().len())
        .sum();
    assert_eq!(sent, 350, "only the refused hundred went twice");
}

#[tokio::test]
async fn trouble_before_anything_is_taken_fails_the_batch() {
    let check = async |status: u16, kind: ErrorKind, retry: Retry| {
        let fake = Fake::default();
        fake.fault("POST /api/batches", vec![ResponseTemplate::new(status); 9]);
        let server = fake.serve().await;
        let error = v2026(&server).push(&target(), Kind::Upsert, &people(1), &context()).await.unwrap_err();
        assert_eq!((error.kind, error.retry, error.status), (kind, retry, Some(status)));
    };
    check(400, ErrorKind::InvalidRequest, Retry::Never).await;
    check(401, ErrorKind::Authentication, Retry::Never).await;
    check(403, ErrorKind::Permission, Retry::Never).await;
    check(410, ErrorKind::Settings, Retry::Never).await;
    check(429, ErrorKind::RateLimited, Retry::Wait(Duration::from_secs(15))).await;
    check(503, ErrorKind::Unavailable, Retry::Backoff).await;
    check(200, ErrorKind::Protocol, Retry::Backoff).await;
}

#[tokio::test]
async fn a_key_that_was_replaced_is_taken_up() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let store = MemoryStore::new(r#"{"api_key": "old"}"#);
    let connector = connector(&server, store.clone(), &json!({}));
    submit(&connector, &people(1)).await;
    SECRET.clone_into(&mut store.0.lock().unwrap());
    fake.fault("POST /api/batches", [ResponseTemplate::new(401)]);
    submit(&connector, &people(1)).await;
    let keys: Vec<String> = requests(&server, "POST", BATCHES)
        .await
        .iter()
        .map(|request| request.headers["authorization"].to_str().unwrap().to_owned())
        .collect();
    let (old, new) = ("Omnisend-API-Key old".to_owned(), format!("Omnisend-API-Key {API_KEY}"));
    assert_eq!(keys, [old.clone(), old, new]);
}
