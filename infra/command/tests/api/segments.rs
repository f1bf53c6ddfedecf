//! Labels, what depends on what, and copies of segments.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Bench, export, saved, segment};

#[tokio::test]
async fn lists_can_be_of_one_label() {
    let bench = Bench::new().await;
    let labelled = |mut document: Value| {
        document["labels"] = json!(["Wien", "VIP"]);
        document
    };
    bench.list("segments", &[segment("all"), labelled(segment("vip"))]).await;
    bench.list("exports", &[labelled(export("news")), export("old")]).await;
    for (kind, label, expected) in
        [("segments", "VIP", &["vip"][..]), ("exports", "Wien", &["news"]), ("exports", "wien", &[])]
    {
        let ran = bench.run(&[kind, "list", "--label", label, "--json"]).await;
        let figures: Value = serde_json::from_str(ran.output.lines().last().unwrap()).unwrap();
        let ids: Vec<&str> = figures["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["document"]["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, expected, "{kind} {label}");
    }
    let ran = bench.run(&["exports", "list", "--label", "wien"]).await;
    assert_eq!(ran.output, "There are no exports with the label wien.\n");
    assert_eq!(bench.run(&["sources", "list", "--label", "Wien"]).await.ending, command::Ending::Failed);
}

#[tokio::test]
async fn what_depends_on_a_definition_is_shown() {
    let bench = Bench::new().await;
    let named = |id: &str, connection: Value, is_enabled: bool| json!({ "id": id, "name": id.to_uppercase(), "connection": connection, "is_enabled": is_enabled });
    let exports = json!({
        "contains": [named("news", json!("account"), true), named("old", Value::Null, false)],
        "does_not_contain": [named("other", json!("account"), true)],
    });
    bench.answer("GET", "/segments/all/exports", 200, exports).await;
    assert_snapshot!("segments_exports", bench.run(&["segments", "exports", "all"]).await.output);
    let none = json!({ "contains": [], "does_not_contain": [] });
    bench.answer("GET", "/segments/vip/exports", 200, none).await;
    assert_eq!(bench.run(&["segments", "exports", "vip"]).await.output, "There are no exports yet.\n");
    let segments =
        json!({ "segments": [{ "id": "all", "name": "Everybody" }, { "id": "vip", "name": "VIPs" }] });
    bench.answer("GET", "/sources/people/segments", 200, segments).await;
    assert_snapshot!("sources_segments", bench.run(&["sources", "segments", "people"]).await.output);
    bench.answer("GET", "/sources/orders/segments", 200, json!({ "segments": [] })).await;
    assert_eq!(bench.run(&["sources", "segments", "orders"]).await.output, "No segment reads it.\n");
}

#[tokio::test]
async fn a_segment_is_duplicated() {
    let bench = Bench::new().await;
    bench.answer("GET", "/segments/all", 200, saved(&segment("all"), 7)).await;
    bench
        .answer("PUT", "/segments/copy", 201, json!({ "warnings": ["not checked with the sources: later"] }))
        .await;
    let arguments = ["segments", "duplicate", "all", "--as", "copy", "--name", "A copy"];
    assert_snapshot!("duplicate_segment", bench.transcript(&arguments).await);
    let guests = json!({ "id": "guests", "name": "Guests", "upload": { "identity_column": "email" } });
    bench.answer("GET", "/segments/guests", 200, saved(&guests, 1)).await;
    let arguments = ["segments", "duplicate", "guests", "--as", "copy", "--name", "Others", "--no-check"];
    let ran = bench.run(&arguments).await;
    assert!(
        ran.output.starts_with("Made segment copy. It has nobody until somebody puts a CSV under"),
        "{}",
        ran.output
    );
    let copy = json!({ "id": "copy", "name": "Others", "upload": { "identity_column": "email" } });
    let put = format!("PUT /segments/copy?check=none  if-none-match: *  {copy}");
    assert_eq!(bench.requests().await.last(), Some(&put));
}

#[tokio::test]
async fn a_query_is_shown_as_sql() {
    let bench = Bench::new().await;
    let query = "SELECT \"people\".*\nFROM \"people\"\nWHERE (\"people\".\"city\" = 'Wien')";
    let found = json!({ "query": query, "member_key": "id", "sources": ["people"] });
    bench.answer("GET", "/segments/viennese/query", 200, found).await;
    assert_snapshot!("segments_query", bench.transcript(&["segments", "query", "viennese"]).await);
}

fn preview(rows: Option<u64>, error: &Value) -> Value {
    let state = if error.is_null() { "succeeded" } else { "failed" };
    let result = json!({
        "preview_id": "p1", "segment": "viennese", "rows": rows, "rows_without_key": 0, "duplicate_member_rows": 0,
        "columns": [{ "name": "id", "type": "text" }], "unusable_columns": [], "first_rows": [{ "id": "a" }],
        "rules": [
            { "name": "vienna", "members": 20_000, "after": 20_000 },
            { "name": "buyers", "members": 900, "after": 12_345 },
            { "name": "staff", "members": null, "after": 12_345 },
        ],
        "error": error,
    });
    json!({ "state": state, "result": result })
}

#[tokio::test]
async fn a_preview_shows_what_each_rule_gives() {
    let bench = Bench::new().await;
    bench.answer("POST", "/segments/viennese/preview", 202, json!({ "preview_id": "p1" })).await;
    bench.answer("GET", "/previews/p1", 200, preview(Some(12_345), &Value::Null)).await;
    assert_snapshot!("preview_of_rules", bench.transcript(&["segments", "preview", "viennese"]).await);
}

const QUICK: [&str; 9] = [
    "segments",
    "quick",
    "viennese",
    "--name",
    "Viennese",
    "--source=people",
    "--member-key=id",
    "--where",
    "city=Wien",
];

#[tokio::test]
async fn a_quick_segment_is_seen_and_then_made() {
    let bench = Bench::new().await;
    bench.answer("POST", "/previews", 202, json!({ "preview_id": "p1" })).await;
    bench.answer("GET", "/previews/p1", 200, preview(Some(12_345), &Value::Null)).await;
    bench.answer("PUT", "/segments/viennese", 201, json!({ "version": 1 })).await;
    let arguments = [&QUICK[..], &["--where", "points>=100", "--column", "email"]].concat();
    assert_snapshot!("quick", bench.transcript(&arguments).await);
}

#[tokio::test]
async fn a_quick_segment_is_only_made_where_it_can_be_seen() {
    let bench = Bench::new().await;
    bench.answer("POST", "/previews", 202, json!({ "preview_id": "p1" })).await;
    let found = preview(Some(1), &Value::Null);
    bench.answer("GET", "/previews/p1", 200, found).await;
    let ran = bench.run(&[&QUICK[..], &["--estimate"]].concat()).await;
    assert_eq!(
        (ran.ending, ran.output.as_str()),
        (command::Ending::Done, "Segment viennese would have 1 members.\n")
    );
    let error = json!({ "code": "query_unknown_column", "text": "source people has no column city" });
    let other = Bench::new().await;
    other.answer("POST", "/previews", 202, json!({ "preview_id": "p1" })).await;
    other.answer("GET", "/previews/p1", 200, preview(None, &error)).await;
    let ran = other.run(&QUICK).await;
    let words = "It has no preview: source people has no column city (query_unknown_column)\n";
    assert_eq!((ran.ending, ran.output.as_str()), (command::Ending::Failed, words));
    assert_eq!(other.requests().await.len(), 2, "nothing is made");
    let unreadable = bench.run(&[&QUICK[..], &["--where", "points>=many"]].concat()).await;
    assert!(unreadable.errors.contains(">= does not go with \"many\""), "{}", unreadable.errors);
}
