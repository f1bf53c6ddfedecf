//! Labels, what depends on what, and copies of segments.

use insta::assert_snapshot;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

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
    assert_eq!(bench.run(&["sources", "list", "--label", "Wien"]).await.ending, relay_cli::Ending::Failed);
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
        ran.output.starts_with("Created segment copy. It is empty until a CSV is uploaded under"),
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
        (relay_cli::Ending::Done, "Segment viennese would have 1 members.\n")
    );
    let error = json!({ "code": "query_unknown_column", "text": "source people has no column city" });
    let other = Bench::new().await;
    other.answer("POST", "/previews", 202, json!({ "preview_id": "p1" })).await;
    other.answer("GET", "/previews/p1", 200, preview(None, &error)).await;
    let ran = other.run(&QUICK).await;
    let words = "It has no preview: source people has no column city (query_unknown_column)\n";
    assert_eq!((ran.ending, ran.output.as_str()), (relay_cli::Ending::Failed, words));
    assert_eq!(other.requests().await.len(), 2, "nothing is made");
    let unreadable = bench.run(&[&QUICK[..], &["--where", "points>=many"]].concat()).await;
    assert!(unreadable.errors.contains(">= cannot be used with \"many\""), "{}", unreadable.errors);
}

#[tokio::test]
async fn the_sizes_of_a_segment_name_their_runs() {
    let bench = Bench::new().await;
    let size =
        |run: &str, members: u64| json!({ "run_id": run, "members": members, "at": "2026-11-22T06:00:00Z" });
    let upload = json!({ "rows": 1200, "bad_lines": 1, "uploaded_at": "2026-11-21T06:00:00Z",
        "expires_at": "2026-12-21T06:00:00Z", "is_expired": false });
    let found = json!({ "sizes": [size("r2", 1200), size("r1", 1100)], "upload": upload });
    bench.answer("GET", "/segments/vip/sizes", 200, found).await;
    assert_snapshot!("segments_sizes", bench.run(&["segments", "sizes", "vip"]).await.output);
}

#[tokio::test]
async fn all_members_are_downloaded_into_a_new_file() {
    let bench = Bench::new().await;
    bench.answer("POST", "/segments/all/downloads", 202, json!({ "preview_id": "p1" })).await;
    let result = json!({ "preview_id": "p1", "rows": 2, "members_file_bytes": 30 });
    bench.answer("GET", "/previews/p1", 200, json!({ "state": "succeeded", "result": result })).await;
    let link = json!({ "url": format!("{}/file", bench.server.uri()), "expires_at": "2026-11-22T06:15:00Z" });
    bench.answer("GET", "/previews/p1/members", 200, link).await;
    let csv = ResponseTemplate::new(200).set_body_string("member_key,email\n1,a@b.c\n2,d@e.f\n");
    bench.respond("GET", "/file", csv).await;
    let path = bench.folder().join("members.csv");
    let out = path.display().to_string();
    let arguments = ["segments", "download", "all", "--out", &out];
    let ran = bench.run(&arguments).await;
    assert_eq!(ran.output, "2 members in FOLDER/members.csv\n", "{}", ran.errors);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "member_key,email\n1,a@b.c\n2,d@e.f\n");
    // What is there is never overwritten.
    let ran = bench.run(&arguments).await;
    assert_eq!(ran.ending, relay_cli::Ending::Failed);
    assert!(ran.errors.contains("members.csv"), "{}", ran.errors);
    let error = json!({ "code": "upload_expired", "text": "its upload has come to its end" });
    let failed = json!({ "state": "failed", "result": { "preview_id": "p2", "error": error } });
    bench.answer("POST", "/segments/gone/downloads", 202, json!({ "preview_id": "p2" })).await;
    bench.answer("GET", "/previews/p2", 200, failed).await;
    let ran = bench.run(&["segments", "download", "gone", "--out", "unused.csv"]).await;
    assert_eq!(ran.output, "It cannot be downloaded: its upload has come to its end (upload_expired)\n");
}

#[tokio::test]
async fn a_segment_is_switched_off_and_on() {
    let bench = Bench::new().await;
    bench.answer("GET", "/segments/all", 200, saved(&segment("all"), 7)).await;
    bench.answer("PUT", "/segments/all", 200, json!({})).await;
    for (command, active) in [("deactivate", false), ("activate", true)] {
        let ran = bench.run(&["segments", command, "all"]).await;
        assert_eq!(ran.output, format!("Done: {command} segment all.\n"), "{}", ran.errors);
        let mut document = segment("all");
        document["active"] = active.into();
        let put = format!("PUT /segments/all?check=none  if-match: \"7\"  {document}");
        assert_eq!(bench.requests().await.last(), Some(&put));
    }
}

#[tokio::test]
async fn a_segment_goes_from_when_until_when() {
    let bench = Bench::new().await;
    bench.answer("GET", "/exports/news", 200, saved(&export("news"), 3)).await;
    bench.answer("PUT", "/exports/news", 200, json!({})).await;
    let times = ["--starts-at", "2026-11-29T06:00:00+01:00", "--ends-at", "2026-12-24T12:00:00+01:00"];
    let arguments = [&["exports", "add-segment", "news", "advent"][..], &times].concat();
    assert_eq!(bench.run(&arguments).await.ending, relay_cli::Ending::Done);
    let put = bench.requests().await.pop().unwrap();
    let entry = json!({ "segment": "advent", "starts_at": "2026-11-29T05:00:00Z", "ends_at": "2026-12-24T11:00:00Z" });
    assert!(put.contains(&entry.to_string()), "{put}");
    let ran = bench.run(&["exports", "add-segment", "news", "advent", "--starts-at", "tomorrow"]).await;
    assert_eq!(ran.ending, relay_cli::Ending::Failed);
    assert!(ran.errors.contains("--starts-at"), "{}", ran.errors);
}
