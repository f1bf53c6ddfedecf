//! Commands about single sources, segments, connections and exports.

use insta::assert_snapshot;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{Bench, connection, export, saved, segment, source};

#[tokio::test]
async fn lists() {
    let bench = Bench::new().await;
    bench.list("sources", &[source("people"), source("orders")]).await;
    let mut inactive = segment("inactive");
    inactive["active"] = json!(false);
    let segments = [segment("all"), json!({ "id": "vip", "name": "VIPs", "upload": {} }), inactive];
    bench.list("segments", &segments).await;
    let settings = json!({ "id": "deployment", "refresh_schedule": { "every_minutes": 60 } });
    bench.list("settings", &[settings]).await;
    let mut agreed = connection("account");
    agreed["consent"] = json!({ "by": "jane", "at": "2026-01-01T00:00:00Z", "text": "Yes." });
    let hidden =
        json!({ "id": "other", "name": "Theirs", "destination": "marketo", "use_by": "contributors" });
    bench.list("connections", &[agreed, connection("new"), hidden]).await;
    let mut daily = export("news");
    daily["schedule"] = json!({ "daily": { "at": "06:30:00", "time_zone": "Europe/Rome" } });
    let mut detached = export("old");
    detached["connection"] = Value::Null;
    detached["enabled"] = json!(false);
    detached["schedule"] = json!("every_refresh");
    bench.list("exports", &[daily, detached]).await;
    for kind in ["settings", "sources", "segments", "connections", "exports"] {
        assert_snapshot!(format!("list_{kind}"), bench.run(&[kind, "list"]).await.output);
    }
}

#[tokio::test]
async fn unreadable_definitions_are_reported() {
    let bench = Bench::new().await;
    let list = json!({ "items": [], "next_cursor": null, "unreadable": ["segment \"old\": query: must not be empty"] });
    bench.answer("GET", "/segments", 200, list).await;
    let ran = bench.run(&["segments", "list"]).await;
    assert_eq!(ran.output, "There are no segments yet.\n");
    assert_eq!(ran.errors, "warning: segment \"old\": query: must not be empty\n");
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let bench = Bench::new().await;
    let page = |id: &str, next: Value| json!({ "items": [saved(&source(id), 1)], "next_cursor": next });
    bench.answers("GET", "/sources", &[page("people", json!("a/b")), page("orders", Value::Null)]).await;
    assert_snapshot!(bench.transcript(&["sources", "list", "--json"]).await);
}

#[tokio::test]
async fn one_is_shown_as_a_file_has_it() {
    let bench = Bench::new().await;
    bench.answer("GET", "/segments/all", 200, saved(&segment("all"), 7)).await;
    assert_snapshot!(bench.transcript(&["segments", "show", "all"]).await);
}

#[tokio::test]
async fn a_preview_is_waited_for() {
    let bench = Bench::new().await;
    bench.answer("POST", "/segments/all/preview", 202, json!({ "preview_id": "p1" })).await;
    let done = json!({
        "preview_id": "p1", "segment": "all", "rows": 12_345, "rows_without_key": 2, "duplicate_member_rows": 0,
        "columns": [{ "name": "id", "type": "integer" }, { "name": "email", "type": "text" }],
        "unusable_columns": ["column \"tags\" is a list; take one of its items"],
        "first_rows": [{ "id": 1, "email": "a@example.com" }, { "id": 2, "email": null }], "error": null,
    });
    let done = json!({ "state": "succeeded", "result": done });
    bench.answers("GET", "/previews/p1", &[json!({ "state": "running", "result": null }), done]).await;
    assert_snapshot!(bench.transcript(&["segments", "preview", "all"]).await);
}

#[tokio::test]
async fn a_preview_can_fail() {
    let bench = Bench::new().await;
    bench.answer("POST", "/segments/all/preview", 202, json!({ "preview_id": "p1" })).await;
    let error = json!({ "code": "query_invalid", "text": "there is no column \"emial\"" });
    let failed = json!({ "preview_id": "p1", "rows": null, "columns": [], "first_rows": [], "error": error });
    bench.answer("GET", "/previews/p1", 200, json!({ "state": "failed", "result": failed })).await;
    assert_snapshot!(bench.transcript(&["segments", "preview", "all"]).await);
}

#[tokio::test]
async fn a_preview_that_never_ends_is_given_up() {
    let bench = Bench::new().await;
    bench.answer("POST", "/segments/all/preview", 202, json!({ "preview_id": "p1" })).await;
    bench.answer("GET", "/previews/p1", 200, json!({ "state": "running", "result": null })).await;
    let ran = bench.run(&["segments", "preview", "all"]).await;
    assert_eq!(ran.ending, relay_cli::Ending::Failed);
    assert_eq!(ran.errors.matches("running the segment's query").count(), 1, "{}", ran.errors);
    assert!(ran.errors.contains("no result after 5 minutes") && ran.errors.contains("p1"), "{}", ran.errors);
}

#[tokio::test]
async fn a_connection_is_tested() {
    let bench = Bench::new().await;
    let problem = json!({ "code": "permission", "text": "the key is revoked" });
    let bad = json!({ "usable": false, "problem": problem });
    let account = json!({ "name": "Example Ltd", "notices": ["it is on the free plan"] });
    let good = json!({ "usable": true, "account": account });
    bench.answers("POST", "/connections/account/test", &[bad, good]).await;
    assert_snapshot!("test_bad", bench.transcript(&["connections", "test", "account"]).await);
    assert_snapshot!("test_good", bench.run(&["connections", "test", "account"]).await.output);
}

#[tokio::test]
async fn credentials_come_from_the_input_or_a_file() {
    let mut bench = Bench::new().await;
    bench.respond("PUT", "/connections/account/credentials", ResponseTemplate::new(204)).await;
    bench.typed = "{\"api_key\": \"typed\"}\n".to_owned();
    assert_snapshot!(bench.transcript(&["connections", "credentials", "account"]).await);
    let file = bench.file("secret.json", "{\"api_key\": \"kept\"}");
    bench.run(&["connections", "credentials", "account", "--file", file.to_str().unwrap()]).await;
    assert_eq!(bench.requests().await[1], "PUT /connections/account/credentials  {\"api_key\":\"kept\"}");
}

#[tokio::test]
async fn invalid_credentials_are_neither_sent_nor_shown() {
    let mut bench = Bench::new().await;
    for typed in ["sk-12345", "\"sk-12345\"", "", "{\"api_key\": \"sk-12345\""] {
        bench.typed = typed.to_owned();
        let ran = bench.run(&["connections", "credentials", "account", "--json"]).await;
        assert_eq!(ran.ending, relay_cli::Ending::Failed);
        assert!(
            ran.errors.contains("must be a JSON object") && !ran.errors.contains("12345"),
            "{}",
            ran.errors
        );
        assert!(!ran.output.contains("12345"), "{}", ran.output);
    }
    assert!(bench.requests().await.is_empty());
}

#[tokio::test]
async fn a_consent_is_recorded_and_withdrawn() {
    let bench = Bench::new().await;
    bench.answer("GET", "/connections/account", 200, saved(&connection("account"), 7)).await;
    bench.respond("PUT", "/connections/account/consent", ResponseTemplate::new(204)).await;
    bench.respond("DELETE", "/connections/account/consent", ResponseTemplate::new(204)).await;
    let words = ["connections", "consent", "account", "--text", "I agree."];
    assert_snapshot!("consent", bench.transcript(&words).await);
    bench.server.reset().await;
    bench.answer("GET", "/connections/account", 200, saved(&connection("account"), 8)).await;
    bench.respond("DELETE", "/connections/account/consent", ResponseTemplate::new(204)).await;
    assert_snapshot!(
        "withdraw",
        bench.transcript(&["connections", "consent", "account", "--withdraw"]).await
    );
}

#[tokio::test]
async fn a_connection_is_removed_with_what_becomes_of_its_exports() {
    let mut bench = Bench::new().await;
    bench.answer("GET", "/connections/account", 200, saved(&connection("account"), 7)).await;
    bench.respond("DELETE", "/connections/account", ResponseTemplate::new(204)).await;
    let arguments = ["connections", "remove", "account", "--exports", "detach"];
    let ran = bench.run(&arguments).await;
    assert!(ran.errors.contains("pass --yes to remove without asking"), "{}", ran.errors);
    bench.screen.is_interactive = true;
    bench.typed = "n\n".to_owned();
    assert!(bench.run(&arguments).await.errors.contains("not removed"));
    bench.typed = "y\n".to_owned();
    let asked = bench.requests().await.len();
    bench.run(&arguments).await;
    let requests = bench.requests().await.split_off(asked);
    assert_eq!(
        requests,
        ["GET /connections/account", "DELETE /connections/account?exports=detach  if-match: \"7\"",]
    );
}

/// The schedule that is saved for these arguments. Only what turns it off is saved whatever the destination has.
#[track_caller]
fn check_schedule(requests: &[String], expected: &Value) {
    let (head, body) = requests.last().unwrap().split_once("  {").unwrap();
    let query = if expected == "off" { "?check=none" } else { "" };
    assert_eq!(head, format!("PUT /exports/news{query}  if-match: \"7\""));
    let body: Value = serde_json::from_str(&format!("{{{body}")).unwrap();
    assert_eq!(&body["schedule"], expected);
    assert_eq!(body["name"], "Newsletter");
}

#[tokio::test]
async fn an_export_is_scheduled() {
    let bench = Bench::new().await;
    bench.answer("GET", "/exports/news", 200, saved(&export("news"), 7)).await;
    let done = ResponseTemplate::new(200).insert_header("etag", "\"8\"").set_body_json(json!({}));
    bench.respond("PUT", "/exports/news", done).await;
    let zone = ["--time-zone", "Europe/Rome"];
    let ways = [
        (vec!["--off"], json!("off")),
        (vec!["--every-minutes", "60"], json!({ "every_minutes": 60 })),
        (
            vec!["--daily", "06:30", zone[0], zone[1]],
            json!({ "daily": { "at": "06:30", "time_zone": "Europe/Rome" } }),
        ),
        (vec!["--every-refresh"], json!("every_refresh")),
        (
            vec!["--cron", "30 6 * * 1-5", zone[0], zone[1]],
            json!({ "cron": { "expression": "30 6 * * 1-5", "time_zone": "Europe/Rome" } }),
        ),
    ];
    for (arguments, expected) in ways {
        let all: Vec<&str> = ["exports", "schedule", "news"].into_iter().chain(arguments).collect();
        let ran = bench.run(&all).await;
        assert_eq!(
            (ran.ending, ran.output.as_str()),
            (relay_cli::Ending::Done, "Done: schedule export news.\n")
        );
        check_schedule(&bench.requests().await, &expected);
    }
    for wrong in [vec![], vec!["--off", "--every-refresh"], vec!["--daily", "06:30"], vec!["--cron", "x"]] {
        let all: Vec<&str> = ["exports", "schedule", "news"].into_iter().chain(wrong).collect();
        assert_eq!(bench.run(&all).await.ending, relay_cli::Ending::Failed, "{all:?}");
    }
}

#[tokio::test]
async fn an_export_is_enabled_and_disabled() {
    let bench = Bench::new().await;
    bench.answer("GET", "/exports/news", 200, saved(&export("news"), 7)).await;
    bench.answer("PUT", "/exports/news", 200, json!({})).await;
    for (arguments, query, expected) in [
        (&["enable", "news"][..], "", "\"enabled\":true"),
        (&["enable", "news", "--no-check"], "?check=none", "\"enabled\":true"),
        (&["disable", "news"], "?check=none", "\"enabled\":false"),
        (&["schedule", "news", "--every-refresh", "--no-check"], "?check=none", "\"every_refresh\""),
    ] {
        let ran = bench.run(&[&["exports"], arguments].concat()).await;
        assert_eq!(ran.ending, relay_cli::Ending::Done, "{}", ran.errors);
        let requests = bench.requests().await;
        let put = requests.last().unwrap();
        assert!(put.starts_with(&format!("PUT /exports/news{query}  ")) && put.contains(expected), "{put}");
    }
}

#[tokio::test]
async fn an_export_is_duplicated_detached_and_removed() {
    let bench = Bench::new().await;
    bench.answer("POST", "/exports/news/duplicate", 201, saved(&export("copy"), 1)).await;
    let arguments = ["exports", "duplicate", "news", "--as", "copy", "--name", "A copy"];
    assert_snapshot!("duplicate", bench.transcript(&arguments).await);
    bench.server.reset().await;
    bench.answer("GET", "/exports/news", 200, saved(&export("news"), 7)).await;
    bench.answer("POST", "/exports/news/detach", 200, saved(&export("news"), 8)).await;
    assert_snapshot!("detach", bench.transcript(&["exports", "detach", "news"]).await);
    bench.server.reset().await;
    bench.answer("GET", "/exports/news", 200, saved(&export("news"), 8)).await;
    bench.respond("DELETE", "/exports/news", ResponseTemplate::new(204)).await;
    assert_snapshot!("remove", bench.transcript(&["exports", "remove", "news", "--yes"]).await);
}

#[tokio::test]
async fn the_audit_names_who_changed_what() {
    let bench = Bench::new().await;
    let mut after = export("news");
    after["name"] = json!("News");
    let items = json!([
        { "at": "2026-11-22T06:00:00Z", "by": "jane", "action": "replace", "kind": "export", "id": "news", "before": export("news"), "after": after },
        { "at": "2026-11-22T05:00:00Z", "by": "joe", "action": "create", "kind": "export", "id": "news", "after": export("news") },
    ]);
    bench.answer("GET", "/audit", 200, json!({ "items": items, "next_cursor": "more" })).await;
    assert_snapshot!(bench.transcript(&["audit", "--limit", "2"]).await);
}

#[tokio::test]
async fn whoami_names_the_role() {
    let bench = Bench::new().await;
    bench
        .answer(
            "GET",
            "/me",
            200,
            json!({ "subject": "jane", "role": "viewer", "may": [{ "method": "GET", "path": "/exports", "what": "the exports" }, { "method": "GET", "path": "/me", "what": "who I am" }] }),
        )
        .await;
    assert_snapshot!(bench.transcript(&["whoami"]).await);
}
