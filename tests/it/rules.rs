//! Segments by rules, from the definition to the list at the destination.

use crate::control_plane::{Person, check};
use crate::support::{Job, Scene, persons, wait_until};
use local::cloud::Response;
use local::issuer::Role;
use relay_model::Counts;
use reqwest::Method;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Orders in the lake: customer, total and day.
async fn put_orders(scene: &Scene, orders: &[(&str, &str, &str)]) {
    let mut text = "customer,total,day\n".to_owned();
    for (customer, total, day) in orders {
        writeln!(text, "{customer},{total},{day}").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.csv");
    std::fs::write(&path, text).unwrap();
    scene.upload("bought/orders.csv", &path).await.unwrap();
}

/// A segment of people in city 1 or 2 with large orders, except people with points.
fn rules(id: &str) -> Value {
    json!({
        "id": id, "name": "Good customers", "member_key": "customer_id",
        "rules": {
            "source": "ruled", "columns": ["email", "name", "city", "points"],
            "rules": [
                { "name": "cities", "all": [
                    { "column": "newsletter", "is": true },
                    { "any": [{ "column": "city", "is": "city 1", "case": "ignore" }, { "column": "city", "ends_with": "2" }] },
                ] },
                { "name": "buyers", "combine": "intersect", "at_least_rows": 2,
                  "path": [{ "source": "bought", "on": { "customer_id": "customer" } }],
                  "all": [{ "column": "total", "more_than": 50 }, { "column": "day", "before_last_days": 0 }] },
                { "name": "points", "combine": "except", "any": [{ "column": "points", "at_least": 2 }] },
            ],
        },
    })
}

/// Requests a preview and returns its result.
async fn preview(person: &Person<'_>, path: &str, body: Option<Value>) -> Value {
    let asked = person.ask(Method::POST, path, &[], body).await;
    check(&asked, 202, "");
    let path = format!("/previews/{}", asked.body["preview_id"].as_str().unwrap());
    let mut found = Value::Null;
    wait_until("the preview is made", async || {
        found = person.get(&path).await.body;
        found["state"] != "running"
    })
    .await;
    assert_eq!(found["state"], "succeeded", "{found}");
    found["result"].clone()
}

#[track_caller]
fn check_refused(answer: &Response, code: &str, field: &str, words: &str) {
    check(answer, 422, code);
    let error = &answer.body["errors"][0];
    assert_eq!(error["field"], field, "{}", answer.body);
    assert!(error["problem"].as_str().unwrap().contains(words), "{}", answer.body);
}

pub(crate) async fn rules_are_saved_previewed_and_exported(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "ruled");
    job.connection["use_by"] = json!("contributors");
    job.ready(&persons(20)).await;
    let admin = Person::new(scene, Role::Administrator, "ann");
    let bought = json!({ "id": "bought", "location": "s3://lake/bought/", "format": "csv" });
    check(&admin.create("/sources/bought", &bought).await, 201, "");
    let orders: Vec<(&str, &str, &str)> = [
        // Every fifth person lives in city 1 and the next one in city 2. The people 2, 11 and 17 of them have two points.
        ("P0000001", "60", "2026-01-01"),
        ("P0000001", "70.5", "2026-01-02"),
        ("P0000006", "50.01", "2026-01-01"),
        ("P0000006", "much", "2026-01-01"),
        ("P0000007", "51", "2026-01-01"),
        ("P0000007", "9999", "2026-01-02"),
        ("P0000007", "52", "2026-01-02"),
        ("P0000002", "60", "2026-01-01"),
        ("P0000002", "60", "2026-01-01"),
        ("P0000003", "60", "2026-01-01"),
        ("P0000003", "60", "2026-01-01"),
    ]
    .into();
    put_orders(scene, &orders).await;
    let cleo = Person::new(scene, Role::Contributor, "cleo");
    let vera = Person::new(scene, Role::Viewer, "vera");

    // A draft is previewed before it is saved.
    let drafted = preview(&cleo, "/previews", Some(rules("ruled"))).await;
    assert_eq!((&drafted["rows"], &drafted["segment"]), (&json!(2), &json!("ruled")));
    check(&vera.ask(Method::POST, "/previews", &[], Some(rules("ruled"))).await, 403, "role_insufficient");

    let saved = cleo.change("/segments/ruled", 1, &rules("ruled")).await;
    check(&saved, 200, "");
    assert_eq!((&saved.body["document"], &saved.body["warnings"]), (&rules("ruled"), &Value::Null));
    let found = preview(&cleo, "/segments/ruled/preview", None).await;
    let count =
        |name: &str, members: u64, after: u64| json!({ "name": name, "members": members, "after": after });
    assert_eq!(found["rules"], json!([count("cities", 8, 8), count("buyers", 4, 3), count("points", 7, 2)]));
    let sources: Vec<&Value> =
        found["sources"].as_array().unwrap().iter().map(|one| &one["source"]).collect();
    assert_eq!(sources, ["bought", "ruled"]);

    let shown = vera.get("/segments/ruled/query").await;
    check(&shown, 200, "");
    assert_eq!(
        (&shown.body["member_key"], &shown.body["sources"]),
        (&json!("customer_id"), &json!(["bought", "ruled"]))
    );
    // The query of the rules can be saved as a segment, with the same members.
    let query = shown.body["query"].as_str().unwrap();
    let copied = json!({ "id": "copied", "name": "Copied", "query": query, "member_key": "customer_id" });
    check(&cleo.create("/segments/copied", &copied).await, 201, "");
    let copied = preview(&cleo, "/segments/copied/preview", None).await;
    assert_eq!((&copied["rows"], &copied["first_rows"]), (&found["rows"], &found["first_rows"]));
    assert_eq!(copied["rules"], Value::Null);
    assert_eq!(vera.get("/segments/copied/query").await.body["query"], query);
    let guests = json!({ "id": "guests", "name": "Guests", "upload": { "identity_column": "email" } });
    check(&cleo.create("/segments/guests", &guests).await, 201, "");
    check(&vera.get("/segments/guests/query").await, 409, "segment_without_query");
    check(&vera.get("/segments/unknown/query").await, 404, "catalog_missing");
    let readers = vera.get("/sources/bought/segments").await.body;
    let ids: Vec<&Value> = readers["segments"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["copied", "ruled"]);

    let finished = job.run().await;
    finished.succeeded(Counts { added: 2, ..Counts::default() });
    let expected = [1, 7].map(|number| format!("person{number}@mail.example.com"));
    assert_eq!(job.active(), expected.into());
}

pub(crate) async fn broken_rules_name_the_field(scene: &Scene) {
    scene.reset();
    let job = Job::new(scene, "misruled");
    job.ready(&persons(5)).await;
    let admin = Person::new(scene, Role::Administrator, "ann");
    let save = async |pointer: &str, value: Value| {
        let mut segment = rules("misruled");
        *segment.pointer_mut(pointer).unwrap() = value;
        admin.change("/segments/misruled", 1, &segment).await
    };
    put_orders(scene, &[("P0000001", "60", "2026-01-01")]).await;

    let refused = save("/rules/source", json!("rulde")).await;
    check_refused(&refused, "query_unknown_source", "/rules/source", "did you mean ruled?");
    let refused = save("/rules/rules/1/path/0/source", json!("boughd")).await;
    check_refused(&refused, "query_unknown_source", "/rules/rules/1/path/0/source", "did you mean bought?");
    let refused = save("/rules/rules/1/combine", Value::Null).await;
    check_refused(&refused, "catalog_field_invalid", "/rules/rules/1/combine", "must be union, intersect or");
    let refused = save("/rules/rules/1/all/0/more_than", json!("50")).await;
    check_refused(&refused, "document_malformed", "/rules/rules/1/all/0/more_than", "number");
    let refused = save("/rules/rules/1/all/0/column", json!("totl")).await;
    let words =
        "source bought has no column totl; did you mean total?; its columns are: customer, total, day";
    check_refused(&refused, "query_unknown_column", "/rules/rules/1/all/0", words);
    let refused = save("/rules/rules/0/all/1/any/1/column", json!("points")).await;
    let words =
        "column points of ruled is a number, and ends_with needs a text here; compare it with numbers";
    check_refused(&refused, "rules_wrong_type", "/rules/rules/0/all/1/any/1", words);
    let refused = save("/rules/rules/1/path/0/on", json!({ "customer_id": "custommer" })).await;
    check_refused(&refused, "query_unknown_column", "/rules/rules/1/path/0/on", "did you mean customer?");
    let refused = save("/rules/columns/3", json!("age")).await;
    check_refused(&refused, "query_unknown_column", "/rules/columns/3", "source ruled has no column age");
    let refused = save("/member_key", json!("id")).await;
    check_refused(&refused, "query_member_key_missing", "/member_key", "source ruled has no column id");
    assert_eq!(admin.get("/segments/misruled").await.body["version"], 1, "nothing of that was saved");

    // A removed column that an export maps causes a warning, as with a query.
    let narrowed = save("/rules/columns", json!(["email", "name", "city"])).await;
    check(&narrowed, 200, "");
    assert!(narrowed.body["warnings"][0].as_str().unwrap().contains("maps attribute \"points\""));
}
