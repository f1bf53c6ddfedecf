//! Lists that people look at all day: exports with where they stand, connections with what uses them, all runs.

use insta::assert_snapshot;
use relay_cli::Ending;
use serde_json::{Value, json};

use crate::support::{Bench, connection, export, problem, saved};

/// An export in a list, with where it stands.
fn listed(id: &str, name: &str, document: &Value, overview: &Value) -> Value {
    let mut export = export(id);
    export["name"] = json!(name);
    for (field, value) in document.as_object().unwrap() {
        export[field] = value.clone();
    }
    let mut item = saved(&export, 1);
    item["overview"] = json!({
        "connection_name": "Our account", "destination": "omnisend", "last_run": null, "next_run_at": null,
        "delivered_at": null, "permission": "edit",
    });
    for (field, value) in overview.as_object().unwrap() {
        item["overview"][field] = value.clone();
    }
    item
}

fn last_run(state: &str, failure_code: Option<&str>) -> Value {
    json!({ "run_id": "r1", "state": state, "mode": "delivery", "failure_code": failure_code })
}

async fn with_exports() -> Bench {
    let bench = Bench::new().await;
    let daily = json!({ "schedule": { "daily": { "at": "06:30:00", "time_zone": "Europe/Rome" } } });
    let fine = json!({
        "last_run": last_run("succeeded", None), "delivered_at": "2026-11-22T05:31:07.250Z",
        "next_run_at": "2026-11-23T05:30:00Z",
    });
    let broken = json!({
        "last_run": last_run("failed", Some("list_missing")), "delivered_at": "2026-11-20T05:31:07Z",
        "next_run_at": "2026-11-22T09:00:00Z", "permission": "view",
    });
    let hourly = json!({ "schedule": { "every_minutes": 60 } });
    let detached = json!({ "connection": null, "enabled": false, "schedule": "every_refresh" });
    let nowhere = json!({ "connection_name": null, "destination": null });
    let items = [
        listed("news", "Newsletter", &daily, &fine),
        listed("old", "An old one", &detached, &nowhere),
        listed("winback", "Come back", &hourly, &broken),
    ];
    bench.answer("GET", "/exports", 200, json!({ "items": items, "next_cursor": null })).await;
    bench
}

#[tokio::test]
async fn exports_say_where_they_stand() {
    let bench = with_exports().await;
    assert_snapshot!("exports_list", bench.transcript(&["exports", "list"]).await);
    assert_snapshot!("exports_by_state", bench.run(&["exports", "list", "--sort", "state"]).await.output);
}

/// The ids that a list has, in its order.
async fn check_ids(bench: &Bench, arguments: &[&str], expected: &[&str]) {
    let ran = bench.run(&[&["exports", "list", "--json"], arguments].concat()).await;
    assert_eq!(ran.ending, Ending::Done, "{}", ran.errors);
    let found: Value = serde_json::from_str(&ran.output).unwrap();
    let ids: Vec<&Value> =
        found["items"].as_array().unwrap().iter().map(|item| &item["document"]["id"]).collect();
    assert_eq!(ids, expected, "{arguments:?}");
}

#[tokio::test]
async fn exports_are_found_and_sorted() {
    let bench = with_exports().await;
    check_ids(&bench, &["--sort", "name"], &["old", "winback", "news"]).await;
    check_ids(&bench, &["--sort", "delivered"], &["news", "winback", "old"]).await;
    check_ids(&bench, &["--sort", "next"], &["winback", "news", "old"]).await;
    check_ids(&bench, &["--search", "LETTER"], &["news"]).await;
    check_ids(&bench, &["--search", "winb"], &["winback"]).await;
    check_ids(&bench, &["--search", "o", "--sort", "state"], &["winback", "old"]).await;
    check_ids(&bench, &["--search", "nothing"], &[]).await;
    let ran = bench.run(&["exports", "list", "--search", "nothing"]).await;
    assert_eq!(ran.output, "No export has \"nothing\" in its id or name.\n");
}

#[tokio::test]
async fn one_export_is_shown_with_where_it_stands() {
    let bench = Bench::new().await;
    let broken = json!({ "last_run": last_run("failed", Some("list_missing")), "next_run_at": "2026-11-22T09:00:00Z" });
    let item = listed("news", "Newsletter", &json!({ "schedule": { "every_minutes": 60 } }), &broken);
    bench.answer("GET", "/exports/news", 200, item).await;
    assert_snapshot!("exports_show", bench.run(&["exports", "show", "news"]).await.output);
}

#[tokio::test]
async fn connections_say_who_made_them_and_what_uses_them() {
    let bench = Bench::new().await;
    let mut agreed = connection("account");
    agreed["consent"] = json!({ "by": "jane", "at": "2026-01-01T00:00:00Z", "text": "Yes." });
    agreed["use_by"] = json!("contributors");
    let mut first = saved(&agreed, 3);
    first["created_at"] = json!("2026-01-01T08:00:00Z");
    first["created_by"] = json!("joe");
    first["used_by"] = json!(["news", "winback"]);
    let mut seeded = connection("seeded");
    seeded["use_by"] = json!("administrators");
    let mut second = saved(&seeded, 1);
    second["created_at"] = json!("2026-01-02T08:00:00Z");
    second["used_by"] = json!([]);
    bench.answer("GET", "/connections", 200, json!({ "items": [first, second], "next_cursor": null })).await;
    assert_snapshot!("connections_list", bench.run(&["connections", "list"]).await.output);
}

fn run(export: &str, state: &str, more: &Value) -> Value {
    let mut run = json!({
        "run_id": format!("run-of-{export}"), "export_id": export, "state": state, "mode": "delivery",
        "trigger": { "kind": "schedule", "key": "x" }, "requested_at": "2026-11-22T06:00:00Z",
        "snapshot_started_at": "2026-11-22T06:00:01Z", "ended_at": "2026-11-22T06:05:31Z", "rows_in": 10_000,
        "counts": { "added": 9_990, "rejected": 10 }, "failure": null,
    });
    for (field, value) in more.as_object().unwrap() {
        run[field] = value.clone();
    }
    run
}

#[tokio::test]
async fn the_runs_of_all_exports_are_listed() {
    let bench = Bench::new().await;
    let by_jane = json!({ "kind": "on_demand", "key": "x", "by": "jane" });
    let looked = run("winback", "succeeded", &json!({ "mode": "dry_run", "trigger": by_jane }));
    let failure = json!({ "stage": "chunk", "code": "list_missing", "text": "there is no list 1027" });
    let failed = run("winback", "failed", &json!({ "rows_in": null, "counts": {}, "failure": failure }));
    let first = json!({ "items": [looked, failed], "next_cursor": "c1" });
    // Where states are asked for, a page may have nothing and go on.
    let empty = json!({ "items": [], "next_cursor": "c2" });
    let rest = json!({ "items": [run("news", "held", &json!({ "ended_at": null }))], "next_cursor": null });
    bench.answers("GET", "/runs", &[first, empty, rest]).await;
    let arguments = [
        "runs",
        "list",
        "--state",
        "failed,held,succeeded",
        "--since",
        "2026-11-22T00:00:00Z",
        "--limit",
        "5",
    ];
    assert_snapshot!("runs_list", bench.transcript(&arguments).await);
}

#[tokio::test]
async fn the_runs_of_one_export_and_none() {
    let bench = Bench::new().await;
    bench.answer("GET", "/runs", 200, json!({ "items": [], "next_cursor": null })).await;
    let ran = bench.run(&["runs", "list", "--export", "news"]).await;
    assert_eq!(ran.output, "No runs match.\n");
    assert_eq!(bench.requests().await, ["GET /runs?export=news&limit=20"]);
    bench.server.reset().await;
    bench.respond("GET", "/runs", problem(400, "query_malformed", "there is no state \"gone\"")).await;
    let ran = bench.run(&["runs", "list", "--state", "gone"]).await;
    assert!(ran.errors.contains("there is no state \"gone\""), "{}", ran.errors);
}
