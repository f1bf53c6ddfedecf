//! `plan`, `apply`, `export` and `schema`.

use std::io::{self, ErrorKind, Write};

use insta::assert_snapshot;
use relay_cli::Ending;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{Bench, connection, export, policy, problem, saved, segment, source};

const SOURCE: &str = "id: people\nlocation: s3://lake/people/\nformat: csv\n";
const SEGMENT: &str =
    "id: all\nname: Everybody\nquery: |\n  SELECT id, email\n  FROM people\nmember_key: id\n";
const CONNECTION: &str = "id: account\nname: Our account\ndestination: omnisend\nsecret: relay/omnisend\n\
    consent: { by: file, at: 2026-01-01T00:00:00Z, text: I agree. }\n";
pub(crate) const EXPORT: &str = "id: news\nname: Newsletter\nconnection: account\nmatch_key: email\n\
    segments: [{ segment: all, target_list: \"${list}\" }]\nguard: { removed_percent: 50 }\n";

/// A folder with a definition of each kind, beside an API where three of them are and one differs.
async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench.file("catalog/sources/people.yaml", SOURCE);
    bench.file("catalog/segments/all.yaml", SEGMENT);
    bench.file("catalog/connections/account.yaml", CONNECTION);
    bench.file("catalog/exports/news.yaml", EXPORT);
    bench.list("sources", &[source("people")]).await;
    bench.list("segments", &[segment("old")]).await;
    bench.list("connections", &[connection("account")]).await;
    bench.list("policies", &[]).await;
    bench.list("settings", &[]).await;
    let mut there = export("news");
    there["segments"][0]["target_list"] = json!("1027");
    bench.list("exports", &[there]).await;
    bench
}

pub(crate) fn catalog(bench: &Bench) -> String {
    bench.folder().join("catalog").display().to_string()
}

async fn accept_changes(bench: &Bench) {
    let made = ResponseTemplate::new(201).insert_header("etag", "\"1\"").set_body_json(json!({}));
    bench.respond("PUT", "/segments/all", made).await;
    bench.answer("PUT", "/connections/account", 200, json!({ "warnings": ["it has not been tested"] })).await;
    bench.respond("DELETE", "/segments/old", ResponseTemplate::new(204)).await;
    let changed = ResponseTemplate::new(200).insert_header("etag", "\"2\"").set_body_json(json!({}));
    bench.respond("PUT", "/exports/news", changed).await;
}

#[tokio::test]
async fn a_plan_shows_what_differs() {
    let bench = bench().await;
    let folder = catalog(&bench);
    let arguments = ["plan", &folder, "--value", "list=1027", "--delete"];
    assert_snapshot!("plan", bench.transcript(&arguments).await);
    assert_snapshot!("plan_json", bench.run(&[&arguments[..], &["--json"]].concat()).await.output);
}

#[tokio::test]
async fn a_plan_has_colours_on_a_terminal() {
    let mut bench = bench().await;
    bench.screen.has_colours = true;
    let ran = bench.run(&["plan", &catalog(&bench), "--value", "list=1027", "--delete"]).await;
    let difference = "\u{1b}[33m~ export news:\u{1b}[0m guard.removed_percent \u{1b}[31m30\u{1b}[0m -> \u{1b}[32m50\u{1b}[0m\n";
    assert!(ran.output.contains("\u{1b}[32m+ segment all\u{1b}[0m\n"), "{}", ran.output);
    assert!(ran.output.contains("\u{1b}[31m- segment old\u{1b}[0m\n"), "{}", ran.output);
    assert!(ran.output.contains(difference), "{}", ran.output);
}

#[tokio::test]
async fn a_plan_can_end_with_a_status_of_its_own() {
    let bench = bench().await;
    let folder = catalog(&bench);
    let ran = bench.run(&["plan", &folder, "--value", "list=1027", "--detailed-exitcode"]).await;
    assert_eq!(ran.ending, Ending::Differences);
    bench.server.reset().await;
    for kind in ["sources", "segments", "connections", "exports"] {
        std::fs::remove_dir_all(bench.folder().join("catalog").join(kind)).unwrap();
        bench.list(kind, &[]).await;
    }
    bench.list("policies", &[]).await;
    bench.list("settings", &[]).await;
    bench.file("catalog/exports/README.md", "");
    let ran = bench.run(&["plan", &folder, "--detailed-exitcode"]).await;
    assert_eq!((ran.ending, ran.output.as_str()), (Ending::Done, "Nothing to do: 0 unchanged.\n"));
}

#[tokio::test]
async fn nothing_is_asked_for_a_folder_that_is_wrong() {
    let bench = bench().await;
    assert_snapshot!(bench.transcript(&["apply", &catalog(&bench), "--yes", "--json"]).await);
}

#[tokio::test]
async fn nothing_is_sent_if_a_reference_is_missing() {
    let bench = bench().await;
    std::fs::remove_file(bench.folder().join("catalog/segments/all.yaml")).unwrap();
    let arguments = ["apply", &catalog(&bench), "--value", "list=1027", "--yes"];
    assert_snapshot!(bench.transcript(&arguments).await);
}

#[tokio::test]
async fn a_plan_is_applied_with_the_versions_that_it_saw() {
    let bench = bench().await;
    accept_changes(&bench).await;
    let arguments = ["apply", &catalog(&bench), "--value", "list=1027", "--yes", "--delete"];
    assert_snapshot!(bench.transcript(&arguments).await);
}

#[tokio::test]
async fn folders_can_be_applied_without_asking_sources_and_destinations() {
    let bench = bench().await;
    accept_changes(&bench).await;
    let arguments = ["apply", &catalog(&bench), "--value", "list=1027", "--yes", "--no-check"];
    assert_eq!(bench.run(&arguments).await.ending, Ending::Done);
    let requests = bench.requests().await;
    let puts: Vec<&str> =
        requests.iter().filter_map(|line| line.strip_prefix("PUT ")?.split(' ').next()).collect();
    assert_eq!(puts, ["/segments/all?check=none", "/connections/account", "/exports/news?check=none"]);
}

/// An output whose reader goes away after a number of lines.
struct Pipe {
    lines_left: usize,
}

impl Write for Pipe {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let lines = String::from_utf8_lossy(text).matches('\n').count();
        self.lines_left =
            self.lines_left.checked_sub(lines).filter(|left| *left > 0).ok_or(ErrorKind::BrokenPipe)?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_closed_output_does_not_stop_the_command() {
    for lines_left in [1, 3, 12] {
        let bench = bench().await;
        accept_changes(&bench).await;
        let folder = catalog(&bench);
        let arguments = ["apply", &folder, "--value", "list=1027", "--yes", "--delete"];
        let ran = bench.run_into(&mut Pipe { lines_left }, &arguments).await;
        assert_eq!(ran.ending, Ending::Done, "{}", ran.errors);
        let changes = bench.requests().await.iter().filter(|line| !line.starts_with("GET")).count();
        assert_eq!(changes, 4, "every step is taken");
        bench.answer_once("PUT", "/segments/all", problem(500, "internal", "try again")).await;
        let ran = bench.run_into(&mut Pipe { lines_left }, &arguments).await;
        assert_eq!(ran.ending, Ending::Failed, "the status is the work's");
    }
}

#[tokio::test]
async fn applying_asks_first() {
    let mut bench = bench().await;
    accept_changes(&bench).await;
    let folder = catalog(&bench);
    let arguments = ["apply", &folder, "--value", "list=1027"];
    let ran = bench.run(&arguments).await;
    assert!(ran.errors.contains("pass --yes to apply without asking"), "{}", ran.errors);
    bench.screen.is_interactive = true;
    bench.typed = "no\n".to_owned();
    let ran = bench.run(&arguments).await;
    assert_eq!((ran.ending, ran.errors.as_str()), (Ending::Failed, "Apply? [y/N] error: not applied\n"));
    assert!(bench.requests().await.iter().all(|request| request.starts_with("GET")));
    bench.typed = "yes\n".to_owned();
    assert_eq!(bench.run(&arguments).await.ending, Ending::Done);
}

#[tokio::test]
async fn concurrent_changes_are_not_overwritten() {
    let bench = bench().await;
    bench.respond("PUT", "/segments/all", ResponseTemplate::new(201)).await;
    bench.answer("PUT", "/connections/account", 200, json!({ "warnings": ["it has not been tested"] })).await;
    bench.respond("PUT", "/exports/news", problem(412, "version_old", "it is at version 9")).await;
    let mut theirs = export("news");
    theirs["name"] = json!("Theirs");
    bench.answer("GET", "/exports/news", 200, saved(&theirs, 9)).await;
    let arguments = ["apply", &catalog(&bench), "--value", "list=1027", "--yes", "--delete", "--json"];
    assert_snapshot!(bench.transcript(&arguments).await);
}

#[tokio::test]
async fn a_lost_response_is_a_success_if_the_change_was_made() {
    let bench = bench().await;
    accept_changes(&bench).await;
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "0");
    bench.answer_once("PUT", "/exports/news", busy).await;
    bench.answer_once("PUT", "/segments/all", problem(412, "exists", "it is there already")).await;
    bench.answer("GET", "/segments/all", 200, saved(&segment("all"), 1)).await;
    let ran = bench.run(&["apply", &catalog(&bench), "--value", "list=1027", "--yes"]).await;
    assert_eq!(ran.ending, Ending::Done, "{}", ran.errors);
    let requests = bench.requests().await;
    assert_eq!(requests.iter().filter(|request| request.starts_with("PUT /exports/news")).count(), 2);
}

#[tokio::test]
async fn field_errors_name_their_path() {
    let bench = bench().await;
    let body = json!({
        "code": "invalid", "detail": "the segment cannot be saved",
        "errors": [{ "field": "/query", "problem": "there is no column \"emial\"; there are id, email" }],
    });
    bench.answer("PUT", "/segments/all", 422, body).await;
    let ran = bench.run(&["apply", &catalog(&bench), "--value", "list=1027", "--yes"]).await;
    assert_snapshot!(ran.errors);
}

/// Everything that is there, with one definition of each kind.
pub(crate) async fn full() -> Bench {
    let bench = Bench::new().await;
    bench.list("sources", &[source("people")]).await;
    bench.list("segments", &[segment("all")]).await;
    let mut agreed = connection("account");
    agreed["consent"] = json!({ "by": "jane", "at": "2026-01-01T00:00:00Z", "text": "I agree." });
    bench.list("connections", &[agreed]).await;
    bench.list("policies", &[policy("no-third-party")]).await;
    let settings = json!({ "id": "deployment", "refresh_schedule": { "every_minutes": 60 } });
    bench.list("settings", &[settings]).await;
    let mut whole = export("news");
    whole["guard"] = json!({ "removed_percent": 50, "removed_rows": 100 });
    whole["options"] = json!({ "tag": { "name": "${News}" } });
    whole["cap"] = json!({ "rows": null, "over": "fail" });
    bench.list("exports", &[whole]).await;
    bench
}

fn openapi() -> Value {
    let object = json!({ "type": "object" });
    json!({ "components": { "schemas": {
        "Source": object, "Segment": object, "Connection": object,
        "Policy": object, "DeploymentSettings": object,
        "Export": { "properties": { "guard": { "$ref": "#/components/schemas/Guard" } } }, "Guard": object,
    }}})
}

#[tokio::test]
async fn an_exported_folder_has_an_empty_plan() {
    let bench = full().await;
    bench.answer("GET", "/openapi.json", 200, openapi()).await;
    let folder = catalog(&bench);
    assert_snapshot!("export", bench.transcript(&["export", &folder]).await);
    for (kind, name) in [
        ("connections", "account"),
        ("exports", "news"),
        ("policies", "no-third-party"),
        ("segments", "all"),
        ("settings", "deployment"),
    ] {
        assert_snapshot!(format!("export_{kind}"), bench.text(&format!("catalog/{kind}/{name}.yaml")));
    }
    let schema: Value = serde_json::from_str(&bench.text("catalog/.schemas/export.json")).unwrap();
    assert_eq!(schema["$defs"]["Export"]["properties"]["guard"]["$ref"], "#/$defs/Guard");
    let ran = bench.run(&["plan", &folder, "--delete", "--detailed-exitcode"]).await;
    assert_eq!((ran.ending, ran.output.as_str()), (Ending::Done, "Nothing to do: 6 unchanged.\n"));
}

#[tokio::test]
async fn files_that_say_something_else_are_kept() {
    let bench = full().await;
    let folder = catalog(&bench);
    bench.file("catalog/exports/mine.yaml", EXPORT);
    bench
        .file("catalog/sources/people.yaml", "# ours\nid: people\nlocation: s3://lake/people\nformat: csv\n");
    bench.file("catalog/sources/gone.yaml", &SOURCE.replace("people", "gone"));
    assert_snapshot!("export_refused", bench.run(&["export", &folder]).await.errors);
    assert!(!bench.folder().join("catalog/segments").exists(), "nothing was written");
    assert_snapshot!("export_overwritten", bench.run(&["export", &folder, "--overwrite"]).await.output);
    assert!(bench.text("catalog/exports/mine.yaml").contains("$${News}"));
    assert!(bench.text("catalog/sources/people.yaml").starts_with("# ours"), "it says the same");
}

#[tokio::test]
async fn schemas_come_from_the_api() {
    let bench = Bench::new().await;
    bench.answer("GET", "/openapi.json", 200, openapi()).await;
    assert_snapshot!("schema", bench.transcript(&["schema", &catalog(&bench)]).await);
    bench.server.reset().await;
    bench.answer("GET", "/openapi.json", 200, json!({ "components": { "schemas": {} } })).await;
    assert_snapshot!("schema_missing", bench.run(&["schema", &catalog(&bench)]).await.errors);
}
