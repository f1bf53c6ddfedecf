//! Batches as jobs.

use crate::client::{Fixture, person, quick, tagged};
use sandbox::omnisend::{
    BatchStatus, Dialect, FailItems, ItemIds, ItemWork, Options, SeedContact, Status, StopBatches,
};
use serde_json::{Value, json};

fn people(count: usize) -> Vec<Value> {
    (0..count).map(|number| person(&format!("p{number}@example.com"))).collect()
}

fn failing(response_code: u16) -> FailItems {
    FailItems { response_code, times: 1, every: 1, email: None, work: ItemWork::NotDone }
}

#[tokio::test]
async fn a_batch_tells_each_item() {
    for (dialect, made, old_end) in [(Dialect::V2026, 201, "endedAt"), (Dialect::V5, 200, "enddedAt")] {
        let fixture = Fixture::with(dialect, quick()).await;
        fixture.seed(SeedContact::new("p1@example.com", Status::Subscribed).tagged(&["theirs"]));
        let mut items = people(2);
        items.push(person("nobody"));
        let answer = fixture.batch(items.clone()).await;
        let counts =
            ["totalCount", "finishedCount", "errorsCount"].map(|name| answer[name].as_u64().unwrap());
        assert_eq!((answer["status"].as_str(), counts), (Some("finished"), [3, 3, 1]));
        assert!(answer["startedAt"].is_string() && answer["endedAt"].is_string());
        let responses = answer["responses"].as_array().unwrap();
        let codes: Vec<_> = responses.iter().map(|item| item["responseCode"].as_u64().unwrap()).collect();
        assert_eq!(codes, [made, 200]);
        assert_eq!((&responses[0]["request"], &responses[1]["request"]), (&items[0], &items[1]));
        assert_eq!(responses[0]["response"]["email"], "p0@example.com");
        let error = &answer["errors"][0];
        assert_eq!((&error["request"], &error["responseCode"]), (&items[2], &json!(400)));
        let told = match dialect {
            Dialect::V2026 => &error["response"]["errors"][0]["field"],
            Dialect::V5 => &error["response"]["fields"]["0"][0],
        };
        assert!(told.as_str().unwrap().starts_with("identifiers"), "{error}");
        let path = format!("/batches/{}", answer["batchID"].as_str().unwrap());
        let summary = fixture.check("GET", &path, Value::Null, 200).await;
        assert_eq!((summary.get("errors"), summary[old_end].is_string()), (None, true));
        assert_eq!(fixture.tags("p1@example.com"), ["theirs"]);
        let report = fixture.sandbox.report();
        assert_eq!((report.batches.finished, report.batches.applied), (1, 2));
        assert_eq!(report.batches.failed.into_iter().collect::<Vec<_>>(), [(400, 1)]);
        assert_eq!((report.contacts.created, report.contacts.updated), (1, 1));
    }
}

#[tokio::test]
async fn sizes_are_those_of_the_dialect() {
    for (dialect, most) in [(Dialect::V2026, 100), (Dialect::V5, 1000)] {
        let fixture = Fixture::with(dialect, quick()).await;
        let body = |items: Vec<Value>| json!({ "method": "POST", "endpoint": "contacts", "items": items });
        assert_eq!(fixture.batch(people(most)).await["finishedCount"], most);
        fixture.check("POST", "/batches", body(people(most + 1)), 400).await;
        fixture.check("POST", "/batches", body(vec![]), 400).await;
        let large = tagged("a@example.com", &["x".repeat(1_000_000).as_str()]);
        fixture.check("POST", "/batches", body(vec![large]), 413).await;
        for refused in [
            json!({ "method": "PUT", "endpoint": "contacts", "items": people(1) }),
            json!({ "method": "POST", "endpoint": "products", "items": people(1) }),
            json!({ "endpoint": "contacts", "items": people(1) }),
            json!([]),
        ] {
            fixture.check("POST", "/batches", refused, 400).await;
        }
        assert_eq!(fixture.sandbox.report().batches.submitted, 1);
    }
}

#[tokio::test]
async fn a_batch_stops_half_way_on_request() {
    let fixture = Fixture::new().await;
    fixture.sandbox.stop_batches(StopBatches { times: 1, after_items: 3 });
    let stopped = fixture.batch(people(10)).await;
    assert_eq!((stopped["status"].as_str(), &stopped["finishedCount"]), (Some("stopped"), &json!(3)));
    assert_eq!((stopped["responses"].as_array().unwrap().len(), &stopped["errors"]), (3, &json!([])));
    assert_eq!(fixture.batch(people(10)).await["status"], "finished");
    let report = fixture.sandbox.report().batches;
    assert_eq!((report.stopped, report.finished, report.unprocessed, report.applied), (1, 1, 7, 13));
}

#[tokio::test]
async fn a_batch_stops_for_too_many_errors() {
    let fixture =
        Fixture::with(Dialect::V2026, Options { batch_stops_after_errors: Some(2), ..quick() }).await;
    let mut items = people(10);
    items[1] = person("x");
    items[4] = person("y");
    let stopped = fixture.batch(items).await;
    assert_eq!((&stopped["status"], &stopped["finishedCount"]), (&json!("stopped"), &json!(5)));
}

#[tokio::test]
async fn items_fail_on_request() {
    let fixture = Fixture::new().await;
    fixture.sandbox.fail_items(FailItems { times: 2, every: 2, ..failing(503) });
    let email = Some("p0@example.com".to_owned());
    fixture.sandbox.fail_items(FailItems { email, work: ItemWork::Done, ..failing(408) });
    let answer = fixture.batch(people(6)).await;
    let errors = answer["errors"].as_array().unwrap();
    let told: Vec<_> = errors
        .iter()
        .map(|item| {
            let email = item["request"]["identifiers"][0]["id"].as_str().unwrap();
            (email.to_owned(), item["responseCode"].as_u64().unwrap())
        })
        .collect();
    let expected = [("p0@example.com", 408), ("p1@example.com", 503), ("p3@example.com", 503)];
    assert_eq!(told, expected.map(|(email, code)| (email.to_owned(), code)));
    let brand = &fixture.brand.brand_id;
    assert!(fixture.sandbox.contact(brand, "p0@example.com").is_ok());
    assert!(fixture.sandbox.contact(brand, "p1@example.com").is_err());
}

#[tokio::test]
async fn batches_are_listed_by_status() {
    let options = Options { batch_queue_ms: 3_600_000, ..quick() };
    let fixture = Fixture::with(Dialect::V2026, options).await;
    let body = json!({ "method": "POST", "endpoint": "contacts", "items": people(1) });
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(fixture.check("POST", "/batches", body.clone(), 201).await["batchID"].clone());
    }
    let list = async |query: &str| {
        let page = fixture.check("GET", &format!("/batches?{query}"), Value::Null, 200).await;
        let batches: Vec<Value> =
            page["batches"].as_array().unwrap().iter().map(|batch| batch["batchID"].clone()).collect();
        (batches, page["paging"].clone())
    };
    let newest_first: Vec<Value> = ids.iter().rev().cloned().collect();
    assert_eq!(list("endpoint=contacts").await.0, newest_first);
    assert_eq!(list("endpoint=contacts&status=pending&dateFrom=2020-01-01").await.0.len(), 3);
    assert_eq!(list("endpoint=contacts&status=finished").await.0.len(), 0);
    assert_eq!(list("endpoint=contacts&dateTo=2020-01-01").await.0.len(), 0);
    assert_eq!(list("endpoint=products").await.0.len(), 0);
    let (first, paging) = list("endpoint=contacts&limit=2").await;
    assert_eq!((first, &paging["previous"]), (newest_first[..2].to_vec(), &Value::Null));
    let next = paging["next"].as_str().unwrap();
    let (rest, paging) = list(next.split_once('?').unwrap().1).await;
    assert_eq!(
        (rest, &paging["next"], paging["offset"].as_u64()),
        (newest_first[2..].to_vec(), &Value::Null, Some(2))
    );
    for refused in ["", "endpoint=orders", "endpoint=contacts&limit=251", "endpoint=contacts&dateTo=today"] {
        fixture.check("GET", &format!("/batches?{refused}"), Value::Null, 400).await;
    }
    fixture.check("GET", "/batches/0", Value::Null, 404).await;
    fixture.check("GET", "/batches/0/items", Value::Null, 404).await;
    let views = fixture.sandbox.batches(&fixture.brand.brand_id).unwrap();
    assert!(views.iter().all(|batch| batch.status == BatchStatus::Pending), "{views:?}");
    assert_eq!(fixture.sandbox.report().batches.most_unfinished, 3);
}

#[tokio::test]
async fn half_of_a_batch_is_done_half_way() {
    let options = Options { batch_run_ms: 200, ..quick() };
    let fixture = Fixture::with(Dialect::V2026, options).await;
    let body = json!({ "method": "POST", "endpoint": "contacts", "items": people(4) });
    fixture.check("POST", "/batches", body, 201).await;
    let mut seen = Vec::new();
    while seen.last() != Some(&(BatchStatus::Finished, 4)) {
        let batch = fixture.sandbox.batches(&fixture.brand.brand_id).unwrap().remove(0);
        if seen.last() != Some(&(batch.status, batch.processed)) {
            seen.push((batch.status, batch.processed));
        }
        tokio::task::yield_now().await;
    }
    assert!(seen.contains(&(BatchStatus::InProgress, 2)), "{seen:?}");
}

#[tokio::test]
async fn batches_are_forgotten_and_ids_can_be_positions() {
    let fixture = Fixture::with(Dialect::V2026, Options { item_ids: ItemIds::Position, ..quick() }).await;
    let answer = fixture.batch(people(2)).await;
    assert_eq!(
        (&answer["responses"][0]["itemID"], &answer["responses"][1]["itemID"]),
        (&json!("1"), &json!("2"))
    );
    let fixture = Fixture::with(Dialect::V2026, Options { batch_kept_ms: 0, ..quick() }).await;
    let body = json!({ "method": "POST", "endpoint": "contacts", "items": people(1) });
    let id = fixture.check("POST", "/batches", body, 201).await["batchID"].as_str().unwrap().to_owned();
    fixture.check("GET", &format!("/batches/{id}"), Value::Null, 404).await;
}
