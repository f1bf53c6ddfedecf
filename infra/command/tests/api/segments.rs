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
