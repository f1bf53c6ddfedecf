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
    assert_eq!(ran.ending, command::Ending::Failed);
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
    assert_eq!(bench.run(&arguments).await.ending, command::Ending::Done);
    let put = bench.requests().await.pop().unwrap();
    let entry = json!({ "segment": "advent", "starts_at": "2026-11-29T05:00:00Z", "ends_at": "2026-12-24T11:00:00Z" });
    assert!(put.contains(&entry.to_string()), "{put}");
    let ran = bench.run(&["exports", "add-segment", "news", "advent", "--starts-at", "tomorrow"]).await;
    assert_eq!(ran.ending, command::Ending::Failed);
    assert!(ran.errors.contains("--starts-at"), "{}", ran.errors);
}

/// What a preview says that has found something.
fn discovered(what: &str, found: &Value) -> Value {
    json!({ "state": "succeeded", "result": { (what): found } })
}

fn left_out() -> Value {
    json!([{ "column": "email", "why": "has more than 30 different values, or long ones" }])
}

#[tokio::test]
async fn people_like_a_segments_are_shown_and_saved() {
    let bench = Bench::new().await;
    let draft = json!({ "id": "like-vips", "name": "Like VIPs", "member_key": "id", "query": "SELECT 1" });
    let one = |column: &str, value: &str, members: u64, others: u64, odds: f64| json!({ "column": column, "value": value, "members_percent": members, "others_percent": others, "odds": odds });
    let found = json!({
        "draft": draft, "members": 4_017, "others": 95_983, "sampled": 29_017, "told_apart_percent": 83,
        "least_similarity": 0.7312, "others_expected": 19_200,
        "scores": [{ "from": 0.0, "below": 0.4, "others": 60_000 }, { "from": 0.4, "below": 0.55, "others": 35_983 }],
        "traits": [one("city", "Wien", 80, 20, 3.5), one("points", "100 or more", 61, 7, 2.25)],
        "columns": ["city", "points"], "left_out": left_out(),
    });
    bench.answer("POST", "/segments/vips/similar", 202, json!({ "preview_id": "p1" })).await;
    bench.answer("GET", "/previews/p1", 200, discovered("similar", &found)).await;
    bench.answer("POST", "/previews", 202, json!({ "preview_id": "p2" })).await;
    bench.answer("GET", "/previews/p2", 200, preview(Some(19_187), &Value::Null)).await;
    bench.answer("PUT", "/segments/like-vips", 201, json!({ "version": 1 })).await;
    let arguments = ["segments", "similar", "vips", "--source=people", "--member-key=id", "--save"];
    let measure = ["--measure", "orders=count:orders.id@day/90", "--share", "10"];
    assert_snapshot!("similar", bench.transcript(&[&arguments[..], &measure].concat()).await);
}

#[tokio::test]
async fn groups_that_stand_out_are_shown_and_the_wanted_ones_saved() {
    let bench = Bench::new().await;
    let suggestion = |number: u64, conditions: Value, figure: Value| {
        let id = format!("suggested-{number}");
        let draft = json!({ "id": id, "name": "A", "member_key": "id", "query": "SELECT 1" });
        json!({ "draft": draft, "conditions": conditions, "members_expected": 1_200, "percent": 12, "figures": [figure] })
    };
    let average = json!({ "column": "points", "unit": "average", "here": 120.5, "overall": 40.25 });
    let share =
        json!({ "column": "tier", "unit": "percent", "value": "gold", "here": 61.0, "overall": 22.5 });
    let suggestions = json!([
        suggestion(1, json!(["city is Wien", "tier is gold"]), average),
        suggestion(2, json!(["points at least 100"]), share),
    ]);
    let found = json!({ "people": 10_000, "sampled": 10_000, "suggestions": suggestions, "columns": ["city"], "left_out": left_out() });
    bench.answer("POST", "/segment-suggestions", 202, json!({ "preview_id": "p1" })).await;
    bench.answer("GET", "/previews/p1", 200, discovered("suggestions", &found)).await;
    bench.answer("POST", "/previews", 202, json!({ "preview_id": "p2" })).await;
    bench.answer("GET", "/previews/p2", 200, preview(Some(1_187), &Value::Null)).await;
    bench.answer("PUT", "/segments/suggested-2", 201, json!({ "version": 1 })).await;
    let arguments = ["segments", "suggest", "--among", "all", "--goal", "points", "--save", "2"];
    assert_snapshot!("suggest", bench.transcript(&arguments).await);
    let ran = bench.run(&["segments", "suggest", "--goal", "points"]).await;
    assert!(ran.errors.contains("say among whom: --source SOURCE"), "{}", ran.errors);
    let ran = bench.run(&["segments", "suggest", "--among", "all", "--save", "3"]).await;
    assert!(ran.errors.contains("--save 3: there are 2 suggestions"), "{}", ran.errors);
}

#[tokio::test]
async fn a_description_is_saved_where_all_of_it_is_understood() {
    let bench = Bench::new().await;
    let draft = json!({ "id": "rich", "name": "rich in Wien", "member_key": "id", "query": "SELECT 1" });
    let understood = json!([{ "words": "Wien", "meaning": "city is Wien" }]);
    let not = json!([{ "words": "rich", "why": "is neither a column, a value, a source nor a comparison" }]);
    let found = json!({ "draft": draft, "understood": understood, "not_understood": not });
    bench.answer("POST", "/segment-descriptions", 202, json!({ "preview_id": "p1" })).await;
    bench.answer("GET", "/previews/p1", 200, discovered("described", &found)).await;
    let arguments =
        ["segments", "describe", "rich", "rich in Wien", "--source=people", "--member-key=id", "--save"];
    assert_snapshot!("describe", bench.transcript(&arguments).await);
    bench.answer("POST", "/previews", 202, json!({ "preview_id": "p2" })).await;
    bench.answer("GET", "/previews/p2", 200, preview(Some(7), &Value::Null)).await;
    bench.answer("PUT", "/segments/rich", 201, json!({ "version": 1 })).await;
    let ran = bench.run(&[&arguments[..], &["--partly"]].concat()).await;
    assert_eq!(ran.ending, command::Ending::Done);
    assert!(ran.errors.contains("Made segment rich. It has 7 members now."), "{}", ran.errors);
    let error = json!({ "state": "failed", "result": { "error": { "code": "discovery_not_understood", "text": "why" } } });
    let other = Bench::new().await;
    other.answer("POST", "/segment-descriptions", 202, json!({ "preview_id": "p1" })).await;
    other.answer("GET", "/previews/p1", 200, error).await;
    let ran = other.run(&arguments).await;
    let words = "There is no draft: why (discovery_not_understood)\n";
    assert_eq!((ran.ending, ran.output.as_str()), (command::Ending::Failed, words));
}
