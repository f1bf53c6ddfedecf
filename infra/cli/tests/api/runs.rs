//! Commands about runs.

use insta::assert_snapshot;
use relay_cli::Ending;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{Bench, problem};

const RUN: &str = "0195d0a0-0000-7000-8000-000000000001";

/// A run in a state, with what else there is to say.
fn run(state: &str, more: &Value) -> Value {
    let mut run = json!({
        "run_id": RUN, "export_id": "news", "state": state, "mode": "delivery",
        "trigger": { "kind": "on_demand", "key": "on-demand/x" }, "requested_at": "2026-11-22T06:00:00Z",
        "ended_at": null, "rows_in": null, "counts": {}, "batches": 0, "batches_open": 0, "calls": 0,
        "pause": null, "notices": [], "failure": null,
    });
    let fields = run.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    run
}

fn pushing(done: u64) -> Value {
    run(
        "pushing",
        &json!({
            "rows_in": 10_000, "rows_done": done, "progress_percent": done / 100, "calls": done / 1_000,
            "counts": { "added": done }, "remaining_ms": 60_000,
        }),
    )
}

fn succeeded() -> Value {
    run(
        "succeeded",
        &json!({
            "rows_in": 10_000, "rows_done": 10_000, "progress_percent": 100, "calls": 12, "ended_at": "2026-11-22T06:05:00Z",
            "counts": { "added": 9_990, "rejected": 3, "skipped": 7 }, "notices": ["list \"News\" was made"],
        }),
    )
}

#[tokio::test]
async fn a_run_is_asked_for() {
    let bench = Bench::new().await;
    bench.answer("POST", "/exports/news/runs", 202, json!({ "run_id": RUN, "request": "started" })).await;
    assert_snapshot!("run", bench.transcript(&["exports", "run", "news"]).await);
    bench.server.reset().await;
    bench.answer("POST", "/exports/news/runs", 202, json!({ "run_id": RUN, "request": "waiting" })).await;
    assert_snapshot!("run_waiting", bench.run(&["exports", "run", "news"]).await.output);
}

#[tokio::test]
async fn several_runs_are_asked_for() {
    let bench = Bench::new().await;
    let started = json!({ "export_id": "news", "run_id": RUN, "request": "started" });
    let refused = json!({ "export_id": "old", "code": "consent_missing", "problem": "nobody has agreed" });
    bench.answer("POST", "/runs", 202, json!({ "runs": [started], "not_started": [refused] })).await;
    bench.answer("POST", "/refreshes", 202, json!({ "runs": [], "not_started": [] })).await;
    assert_snapshot!("run_scheduled", bench.transcript(&["exports", "run-scheduled"]).await);
    assert_eq!(bench.run(&["exports", "run-refreshed"]).await.output, "There is no export to run.\n");
}

#[tokio::test]
async fn a_run_is_followed_in_lines() {
    let bench = Bench::new().await;
    bench.answer("POST", "/exports/news/runs", 202, json!({ "run_id": RUN, "request": "started" })).await;
    let begun = run("snapshotting", &json!({}));
    let states = [begun.clone(), begun, pushing(1_000), pushing(1_100), pushing(5_000), succeeded()];
    bench.answers("GET", &format!("/runs/{RUN}"), &states).await;
    assert_snapshot!(bench.transcript(&["exports", "run", "news", "--follow"]).await);
}

#[tokio::test]
async fn a_run_is_followed_with_a_bar() {
    let mut bench = Bench::new().await;
    bench.screen.has_progress = true;
    bench.answers("GET", &format!("/runs/{RUN}"), &[pushing(5_000), succeeded()]).await;
    let ran = bench.run(&["runs", "follow", RUN, "--json"]).await;
    let bars = "\r\u{1b}[2K[############------------]  50 %  pushing  5,000 of 10,000 rows  5 calls  about 60 s left\
        \r\u{1b}[2K[########################] 100 %  succeeded  10,000 of 10,000 rows  12 calls\n";
    assert_eq!(ran.errors, bars);
    assert_eq!(serde_json::from_str::<Value>(&ran.output).unwrap(), succeeded());
}

/// How following ends for a run that ended so.
async fn check_ending(state: &str, expected: Ending) {
    let bench = Bench::new().await;
    bench.answer("GET", &format!("/runs/{RUN}"), 200, run(state, &json!({}))).await;
    assert_eq!(bench.run(&["runs", "follow", RUN]).await.ending, expected, "{state}");
}

#[tokio::test]
async fn following_ends_as_the_run_does() {
    check_ending("succeeded", Ending::Done).await;
    check_ending("failed", Ending::Failed).await;
    check_ending("canceled", Ending::Failed).await;
    check_ending("held", Ending::Held).await;
}

#[tokio::test]
async fn a_run_says_why_it_stopped_or_waits() {
    let bench = Bench::new().await;
    let failure = json!({ "stage": "chunk", "code": "over_the_cap", "text": "1,200,000 people are more than 1,000,000" });
    let failed = run("failed", &json!({ "failure": failure, "ended_at": "2026-11-22T06:05:00Z" }));
    let held = run("held", &json!({ "rows_in": 900, "notices": ["it would remove 400 of 1,000 people"] }));
    bench.answers("GET", &format!("/runs/{RUN}"), &[failed, held]).await;
    assert_snapshot!("show_failed", bench.run(&["runs", "show", RUN]).await.output);
    assert_snapshot!("show_held", bench.run(&["runs", "show", RUN]).await.output);
}

#[tokio::test]
async fn a_run_is_canceled_approved_rejected_and_retried() {
    for word in ["cancel", "approve", "reject", "retry"] {
        let bench = Bench::new().await;
        let answer =
            if word == "retry" { json!({ "run_id": "the-new-one" }) } else { run("canceled", &json!({})) };
        bench.answer("POST", &format!("/runs/{RUN}/{word}"), 200, answer).await;
        assert_snapshot!(format!("runs_{word}"), bench.transcript(&["runs", word, RUN]).await);
    }
}

#[tokio::test]
async fn a_dry_run_is_waited_for() {
    let bench = Bench::new().await;
    bench.answer("POST", "/exports/news/dry-runs", 202, json!({ "run_id": RUN })).await;
    let over = run("succeeded", &json!({ "mode": "dry_run", "ended_at": "2026-11-22T06:05:00Z" }));
    bench
        .answers("GET", &format!("/runs/{RUN}"), &[run("chunking", &json!({ "mode": "dry_run" })), over])
        .await;
    let target = json!({
        "target_list": "1027", "label": "News", "rows_in": 1_500, "added": 1_200, "changed": 0, "removed": 3,
        "unchanged": 290, "skipped": 0, "rejected": 7,
        "reasons": [{ "kind": "rejected", "code": "email_invalid", "text": "the e-mail address is not one", "rows": 7 }],
    });
    let sample = |kind: &str, fields: Value, reason: Value| json!({ "target_list": "1027", "kind": kind, "member": "c***", "match_key": "j***@e***", "fields": fields, "reason": reason });
    let reason = json!({ "code": "email_invalid", "text": "the e-mail address is not one" });
    let found = json!({
        "export_id": "news", "run_id": RUN, "rows_in": 1_500, "targets": [target], "batches": 2,
        "counts": { "added": 1_200, "removed": 3, "unchanged": 290, "rejected": 7 },
        "calls_estimated": 14, "seconds_estimated": 95, "calls_spent": 2,
        "quota": { "used_today": 1_000, "limit_today": 50_000 },
        "would_be_held": "it would remove 3 of 5 people", "over_cap": null,
        "samples": [sample("added", json!({ "Name": "J***" }), Value::Null), sample("rejected", json!({}), reason)],
        "warnings": ["field \"City\" is cut to 30 characters for 2 people"], "notices": ["list \"News\" would be made"],
    });
    bench.answer("GET", &format!("/runs/{RUN}/dry-run"), 200, found).await;
    assert_snapshot!(bench.transcript(&["exports", "dry-run", "news"]).await);
}

#[tokio::test]
async fn a_dry_run_can_fail() {
    let bench = Bench::new().await;
    bench.answer("POST", "/exports/news/dry-runs", 202, json!({ "run_id": RUN })).await;
    let failure = json!({ "code": "query_failed", "text": "there is no table \"people\"" });
    bench.answer("GET", &format!("/runs/{RUN}"), 200, run("failed", &json!({ "failure": failure }))).await;
    let ran = bench.run(&["exports", "dry-run", "news"]).await;
    assert_eq!(ran.ending, Ending::Failed);
    assert!(ran.output.contains("It stopped: there is no table \"people\" (query_failed)"), "{}", ran.output);
}

const REJECTED: &str = "target_list,member_key,match_key,operation,outcome,code,reason
1027,c-1,a@,add,rejected,email_invalid,the e-mail address is not one
1027,c-2,b@,add,rejected,email_invalid,the e-mail address is not one
1027,c-3,c@example.com,add,skipped,unsubscribed,\"they unsubscribed, and are left alone\"
";

async fn with_rejects() -> Bench {
    let bench = Bench::new().await;
    let url = format!("{}/files/rejected.csv?signature=abc", bench.server.uri());
    let link = json!({ "url": url, "expires_at": "2026-11-22T06:15:00Z" });
    bench.answer("GET", &format!("/runs/{RUN}/rejected"), 200, link).await;
    bench.respond("GET", "/files/rejected.csv", ResponseTemplate::new(200).set_body_string(REJECTED)).await;
    let reasons = json!([
        { "kind": "rejected", "code": "email_invalid", "text": "the e-mail address is not one", "rows": 2 },
        { "kind": "skipped", "code": "unsubscribed", "text": "they unsubscribed, and are left alone", "rows": 1 },
        report_without_members(),
    ]);
    bench
        .answer(
            "GET",
            &format!("/runs/{RUN}/report"),
            200,
            json!({ "state": "succeeded", "reasons": reasons }),
        )
        .await;
    bench
}

/// Rows without a member are in the report and in no file.
fn report_without_members() -> Value {
    json!({ "kind": "rejected", "code": "member_key_missing", "text": "rows without a member key", "rows": 1_005 })
}

#[tokio::test]
async fn rejects_are_counted_and_shown() {
    let bench = with_rejects().await;
    assert_snapshot!("rejects", bench.transcript(&["runs", "rejects", RUN, "--rows", "2"]).await);
    assert_snapshot!("rejects_json", bench.run(&["runs", "rejects", RUN, "--json"]).await.output);
}

#[tokio::test]
async fn rejects_go_into_a_file_that_was_not_there() {
    let bench = with_rejects().await;
    let out = bench.folder().join("rejected.csv").display().to_string();
    assert_snapshot!("rejects_out", bench.run(&["runs", "rejects", RUN, "--out", &out]).await.output);
    assert_eq!(bench.text("rejected.csv"), REJECTED);
    bench.file("rejected.csv", "mine");
    assert_eq!(bench.run(&["runs", "rejects", RUN, "--out", &out]).await.ending, Ending::Failed);
    assert_eq!(bench.text("rejected.csv"), "mine");
}

#[tokio::test]
async fn a_run_without_rejects_says_so() {
    let bench = Bench::new().await;
    let none = problem(404, "nothing_rejected", "every row was applied");
    bench.respond("GET", &format!("/runs/{RUN}/rejected"), none).await;
    let report = |state: &str, reasons: &[Value]| json!({ "state": state, "reasons": reasons });
    let reports = [
        report("succeeded", &[]),
        report("succeeded", &[report_without_members()]),
        report("failed", &[]),
        report("canceled", &[]),
    ];
    bench.answers("GET", &format!("/runs/{RUN}/report"), &reports).await;
    let ran = bench.run(&["runs", "rejects", RUN]).await;
    assert_eq!((ran.ending, ran.output.as_str()), (Ending::Done, "Every row was applied.\n"));
    assert_snapshot!("rejects_without_member", bench.run(&["runs", "rejects", RUN]).await.output);
    for state in ["failed", "canceled"] {
        let ran = bench.run(&["runs", "rejects", RUN]).await;
        assert!(ran.output.starts_with("No row has an outcome."), "{state}: {}", ran.output);
    }
}

#[tokio::test]
async fn a_link_that_could_leak_or_has_expired_is_refused() {
    let bench = Bench::new().await;
    let expired = format!("{}/files/rejected.csv", bench.server.uri());
    let links = [json!({ "url": "http://elsewhere.example.com/x" }), json!({ "url": expired })];
    bench.answers("GET", &format!("/runs/{RUN}/rejected"), &links).await;
    bench.respond("GET", "/files/rejected.csv", ResponseTemplate::new(403)).await;
    let ran = bench.run(&["runs", "rejects", RUN]).await;
    assert!(ran.errors.contains("elsewhere.example.com must begin with https://"), "{}", ran.errors);
    let ran = bench.run(&["runs", "rejects", RUN]).await;
    assert!(
        ran.errors.contains("HTTP 403; the link may have expired; run the command again"),
        "{}",
        ran.errors
    );
}

#[tokio::test]
async fn a_download_that_fails_leaves_no_file() {
    let bench = with_rejects().await;
    bench.answer_once("GET", "/files/rejected.csv", ResponseTemplate::new(403)).await;
    let out = bench.folder().join("rejected.csv").display().to_string();
    let arguments = ["runs", "rejects", RUN, "--out", &out];
    assert_eq!(bench.run(&arguments).await.ending, Ending::Failed);
    assert_eq!(std::fs::read_dir(bench.folder()).unwrap().count(), 0);
    let ran = bench.run(&arguments).await;
    assert_eq!(ran.ending, Ending::Done, "{}", ran.errors);
}

#[tokio::test]
async fn a_report_is_shown() {
    let bench = Bench::new().await;
    let report = json!({
        "run_id": RUN, "export_id": "news", "state": "succeeded", "trigger": { "kind": "schedule", "key": "x" },
        "requested_at": "2026-11-22T06:00:00Z", "ended_at": "2026-11-22T06:05:00Z",
        "durations": { "wait_ms": 20, "snapshot_ms": 4_200, "chunk_ms": 900, "push_ms": 61_000, "finish_ms": 300 },
        "rows_in": 10_000, "counts": { "added": 9_997, "rejected": 3 }, "calls": 12, "throttled": 0, "batches": 10,
        "reasons": [{ "kind": "rejected", "code": "email_invalid", "text": "the e-mail address is not one", "rows": 3 }],
        "targets": [{ "target_list": "1027", "rows_in": 10_000, "counts": { "added": 9_997, "rejected": 3 }, "delivered": 9_997, "members_counted": 10_003 }],
        "notices": [], "failure": null,
    });
    bench.answer("GET", &format!("/runs/{RUN}/report"), 200, report).await;
    assert_snapshot!(bench.transcript(&["runs", "report", RUN]).await);
}

#[tokio::test]
async fn the_history_respects_the_limit() {
    let bench = Bench::new().await;
    let page =
        |next: Value| json!({ "items": [succeeded(), run("failed", &json!({}))], "next_cursor": next });
    bench.answers("GET", "/exports/news/runs", &[page(json!("c")), page(json!("d"))]).await;
    assert_snapshot!(bench.transcript(&["exports", "history", "news", "--limit", "3"]).await);
}
