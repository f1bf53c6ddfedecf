//! Segments made from tags.

use crate::client::{Fixture, quick};
use sandbox::omnisend::{Dialect, Options, SeedContact, Status};
use serde_json::{Value, json};

fn segment(name: &str, filters: &Value) -> Value {
    let condition = json!({ "entity": "contact", "junction": "and", "filters": filters });
    json!({ "name": name, "conditionGroups": [{ "conditions": [condition] }] })
}

fn any_of(tag: &str) -> Value {
    json!({ "operator": "anyOf", "property": "tags", "value": [tag] })
}

#[tokio::test]
async fn a_segment_shows_whoever_has_its_tag() {
    let fixture = Fixture::new().await;
    fixture.seed(SeedContact::new("a@example.com", Status::Subscribed).tagged(&["ci: one"]));
    fixture.seed(SeedContact::new("b@example.com", Status::Unsubscribed).tagged(&["ci: one", "vip"]));
    fixture.seed(SeedContact::new("c@example.com", Status::Subscribed));
    let none_of = json!({ "operator": "noneOf", "property": "tags", "value": ["vip"] });
    let subscribed = json!({
        "operator": "equals", "property": "subscriptionStatus", "channels": ["email"], "value": "subscribed",
    });
    for (filters, expected) in [
        (json!([any_of("ci: one")]), 2),
        (json!([any_of("ci: one"), none_of]), 1),
        (json!([subscribed]), 2),
        (json!([any_of("not there yet")]), 0),
    ] {
        let made = fixture.check("POST", "/segments", segment("CI: One", &filters), 201).await;
        let path = format!("/segments/{}", made["segmentID"].as_str().unwrap());
        assert_eq!(fixture.check("GET", &path, Value::Null, 200).await["status"], "ready");
        let statistics = fixture.check("GET", &format!("{path}/statistics"), Value::Null, 200).await;
        assert_eq!(statistics, json!({ "contactsCount": expected }));
        let query = format!("/contacts?segmentID={}", made["segmentID"].as_str().unwrap());
        let contacts = fixture.check("GET", &query, Value::Null, 200).await;
        assert_eq!(contacts["contacts"].as_array().unwrap().len(), expected);
        for contact in contacts["contacts"].as_array().unwrap() {
            assert!(contact["segments"].as_array().unwrap().contains(&made["segmentID"]));
        }
    }
    assert_eq!(fixture.sandbox.segments(&fixture.brand.brand_id).unwrap().len(), 4);
}

#[tokio::test]
async fn segments_are_listed_changed_and_deleted() {
    let fixture = Fixture::new().await;
    let mut ids = Vec::new();
    for name in ["b", "a", "b"] {
        let made = fixture.check("POST", "/segments", segment(name, &json!([any_of("x")])), 201).await;
        ids.push(made["segmentID"].as_str().unwrap().to_owned());
    }
    let page = fixture.check("GET", "/segments?sort=name&direction=asc&limit=2", Value::Null, 200).await;
    let names = |page: &Value| -> Vec<String> {
        page["segments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        (names(&page), &page["paging"]["hasMore"]),
        (vec!["a".to_owned(), "b".to_owned()], &json!(true))
    );
    // The cursor knows the order, and nothing else is needed.
    let after = page["paging"]["cursors"]["after"].as_str().unwrap();
    let page = fixture.check("GET", &format!("/segments?after={after}"), Value::Null, 200).await;
    assert_eq!(names(&page), ["b"]);
    fixture.check("GET", "/segments?limit=51", Value::Null, 400).await;
    let path = format!("/segments/{}", ids[0]);
    let changed = fixture.check("PUT", &path, segment("c", &json!([any_of("y")])), 200).await;
    assert_eq!(changed["name"], "c");
    fixture.check("DELETE", &path, Value::Null, 204).await;
    for method in ["GET", "DELETE"] {
        fixture.check(method, &path, Value::Null, 404).await;
    }
    fixture.check("PUT", &path, segment("c", &json!([any_of("y")])), 404).await;
    for refused in [
        segment("", &json!([any_of("x")])),
        segment(&"x".repeat(257), &json!([any_of("x")])),
        segment("x", &json!([])),
        segment("x", &json!([{ "operator": "anyOf", "property": "tag", "value": ["x"] }])),
        json!({ "name": "x" }),
    ] {
        fixture.check("POST", "/segments", refused, 400).await;
    }
}

#[tokio::test]
async fn a_segment_that_is_being_built_cannot_be_changed() {
    let fixture = Fixture::with(Dialect::V2026, Options { segment_build_ms: 3_600_000, ..quick() }).await;
    let body = segment("x", &json!([any_of("x")]));
    let made = fixture.check("POST", "/segments", body.clone(), 201).await;
    assert_eq!(made["status"], "building");
    let path = format!("/segments/{}", made["segmentID"].as_str().unwrap());
    fixture.check("PUT", &path, body, 409).await;
    fixture.check("DELETE", &path, Value::Null, 409).await;
}
