//! Commands about one person.

use insta::assert_snapshot;
use relay_cli::Ending;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::Bench;

const REQUEST: &str = "0195d0a0-0000-7000-8000-000000000007";
const RUN: &str = "0195d0a0-0000-7000-8000-000000000001";
const ID: &str = "0123456789abcdef0123456789abcdef";

fn shown(kind: &str, state: &str, places: &[Value], runs: &[Value]) -> Value {
    let ends =
        json!({ "what": "members of earlier runs", "prefix": "snapshots/", "until": "2026-12-22T06:00:00Z" });
    let is_erased = kind == "erasure" && state == "succeeded";
    json!({
        "request": {
            "request_id": REQUEST, "kind": kind, "state": state, "requested_by": "ann",
            "requested_at": "2026-11-22T06:00:00Z", "progress": { "objects_read": 3, "objects": 12 }, "members": 1,
            "kept_out": if is_erased { json!([ID]) } else { json!([]) }, "places": places,
            "ends_by_itself": [ends], "failure": null,
        },
        "runs": runs, "found": null,
    })
}

fn place(action: Option<&str>, more: &Value) -> Value {
    let mut place = json!({
        "what": "delivered_state", "export": "news", "target_list": "1027", "records": 1,
        "object_key": "delivered/news/0/1.parquet", "kept_since": "2026-11-01T06:00:00Z", "action": action,
    });
    place.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    place
}

fn run(state: &str) -> Value {
    json!({ "export": "news", "run_id": RUN, "state": state })
}

async fn bench(states: &[Value]) -> Bench {
    let bench = Bench::new().await;
    bench.answer("POST", "/person-requests", 202, json!({ "request_id": REQUEST })).await;
    bench.answers("GET", &format!("/person-requests/{REQUEST}"), states).await;
    bench
}

fn exported(bench: &Bench) -> Value {
    let mut exported = shown("export", "succeeded", &[place(None, &json!({}))], &[]);
    exported["found"] =
        json!({ "url": format!("{}/files/found", bench.server.uri()), "expires_at": "2026-11-22T06:15:00Z" });
    exported
}

#[tokio::test]
async fn stored_data_is_exported() {
    let bench = bench(&[shown("export", "running", &[], &[])]).await;
    bench.answer("GET", &format!("/person-requests/{REQUEST}"), 200, exported(&bench)).await;
    let found = ResponseTemplate::new(200).set_body_raw("{\"places\":[]}", "application/json");
    bench.respond("GET", "/files/found", found).await;
    let file = bench.file("key.txt", "ann@example.com\r\n");
    let out = bench.folder().join("found.json");
    let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
    assert_snapshot!(
        "person_export",
        bench.transcript(&["person", "export", "--match-key-file", file, "--out", out]).await
    );
    assert_eq!(bench.text("found.json"), "{\"places\":[]}");
}

#[tokio::test]
async fn an_erasure_without_yes_is_a_preview() {
    let mut bench = bench(&[]).await;
    bench.answer("GET", &format!("/person-requests/{REQUEST}"), 200, exported(&bench)).await;
    bench.typed = "C4711\n".to_owned();
    assert_snapshot!(
        "person_erase_dry",
        bench.transcript(&["person", "erase", "--member-key-file", "-"]).await
    );
}

#[tokio::test]
async fn an_erasure_is_watched_until_its_runs_are_over() {
    let asked = place(Some("run_asked_for"), &json!({ "run_id": RUN }));
    let states = [
        shown("erasure", "running", &[], &[]),
        shown("erasure", "succeeded", std::slice::from_ref(&asked), &[run("pushing")]),
        shown("erasure", "succeeded", &[asked], &[run("succeeded")]),
    ];
    let mut bench = bench(&states).await;
    bench.typed = "C4711".to_owned();
    let arguments = ["person", "erase", "--member-key-file", "-", "--yes"];
    assert_snapshot!("person_erase", bench.transcript(&arguments).await);
}

async fn check_ending(places: &[Value], runs: &[Value], state: &str, expected: Ending) {
    let mut bench = bench(&[shown("erasure", state, places, runs)]).await;
    "C4711".clone_into(&mut bench.typed);
    let ran = bench.run(&["person", "erase", "--member-key-file", "-", "--yes"]).await;
    assert_eq!(ran.ending, expected, "{}", ran.output);
}

#[tokio::test]
async fn an_erasure_ends_as_well_as_its_places() {
    let place = |action: &str| place(Some(action), &json!({ "reason": "enable it" }));
    check_ending(&[], &[], "succeeded", Ending::Done).await;
    check_ending(&[place("forgotten")], &[], "succeeded", Ending::Done).await;
    check_ending(&[place("run_asked_for")], &[run("held")], "succeeded", Ending::Held).await;
    let mut behind = run("waiting");
    behind["waits_for"] = json!({ "run_id": REQUEST, "state": "held" });
    check_ending(&[place("run_asked_for")], &[behind], "succeeded", Ending::Held).await;
    check_ending(&[place("run_asked_for")], &[run("failed")], "succeeded", Ending::Failed).await;
    check_ending(&[place("cannot_run")], &[], "succeeded", Ending::Failed).await;
    check_ending(&[place("forgotten_but_on_list")], &[run("held")], "succeeded", Ending::Failed).await;
    check_ending(&[], &[], "failed", Ending::Failed).await;
}

#[tokio::test]
async fn a_key_is_one_line_and_is_never_repeated() {
    let mut bench = bench(&[]).await;
    for typed in ["", "\n", "C4711\nC4712\n"] {
        bench.typed = typed.to_owned();
        let ran = bench.run(&["person", "export", "--member-key-file", "-"]).await;
        assert_eq!(ran.ending, Ending::Failed);
        assert!(
            ran.errors.contains("one line with one key") && !ran.errors.contains("C4711"),
            "{}",
            ran.errors
        );
    }
    assert_eq!(bench.requests().await, Vec::<String>::new());
    for arguments in
        [&["person", "export"][..], &["person", "export", "--match-key-file", "a", "--member-key-file", "b"]]
    {
        assert_eq!(bench.run(arguments).await.ending, Ending::Failed);
    }
}

#[tokio::test]
async fn exclusions_are_listed_and_lifted() {
    let bench = Bench::new().await;
    let items = json!([{ "id": ID, "at": "2026-11-22T06:00:00Z", "by": "ann", "request_id": REQUEST }]);
    bench
        .answer("GET", "/erasures", 200, json!({ "kept_out": 1, "items": items, "next_cursor": null }))
        .await;
    assert_snapshot!("person_exclusions", bench.transcript(&["person", "exclusions", "list"]).await);
    bench.server.reset().await;
    bench.respond("DELETE", &format!("/erasures/{ID}"), ResponseTemplate::new(204)).await;
    assert_snapshot!("person_lift", bench.transcript(&["person", "exclusions", "lift", ID]).await);
}
