//! A newcomer with nothing but `docs/getting-started.md`: runs its lines one after the other, from an empty local cloud to
//! a scheduled export.

use crate::support::Scene;
use local::console::Progress;
use local::demo::{self, Beginning};
use local::workspace;
use local::world::Destinations;
use relay_cli::{Ending, Screen, Surroundings};
use relay_model::catalog::{Export, Schedule};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Returns the lines of the page, without the one that starts the local cloud.
fn lines() -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(workspace::root().join("docs/getting-started.md")).unwrap();
    let (_, rest) = page.split_once("<!-- from nothing -->").unwrap();
    let block = rest.split("```").nth(1).unwrap();
    let (start, others): (Vec<&str>, Vec<&str>) =
        block.trim().lines().partition(|line| line.starts_with("cargo local "));
    assert!(start.len() == 1 && start[0].starts_with("cargo local up --empty "), "{start:?}");
    let arguments = |line: &str| {
        let command = line.split('#').next().unwrap().trim();
        let arguments = command.strip_prefix("cargo relay --local ").unwrap();
        arguments.split_whitespace().map(str::to_owned).collect()
    };
    others.into_iter().map(arguments).collect()
}

/// A terminal in a folder that looks as if `cargo local up --empty` had run in it.
struct Terminal {
    folder: tempfile::TempDir,
}

struct Ran {
    ending: Ending,
    output: String,
    errors: String,
}

impl Terminal {
    fn open(scene: &Scene, destinations: &Destinations, values: &BTreeMap<String, String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let credentials = folder.path().join(".local/credentials");
        std::fs::create_dir_all(&credentials).unwrap();
        for (connection, secret) in &destinations.credentials {
            std::fs::write(credentials.join(format!("{connection}.json")), secret.to_string()).unwrap();
        }
        let up = json!({
            "api_url": scene.cloud.api_url(), "issuer_url": scene.cloud.issuer().address(), "values": values,
        });
        std::fs::write(folder.path().join(".local/up.json"), up.to_string()).unwrap();
        Self { folder }
    }

    /// Resolves a path of the page, which is relative to the root of the repository.
    fn path(&self, argument: &str) -> String {
        let from = |root: PathBuf| root.join(argument).to_string_lossy().into_owned();
        match argument {
            argument if argument.starts_with("infra/") => from(workspace::root()),
            argument if argument.starts_with(".local/") => from(self.folder.path().to_path_buf()),
            other => other.to_owned(),
        }
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        let mut whole: Vec<String> = vec!["segment-relay".to_owned(), "--local".to_owned()];
        whole.extend(arguments.iter().map(|argument| self.path(argument)));
        // The test cannot answer the question that `apply` asks.
        whole.extend((arguments[0] == "apply").then(|| "--yes".to_owned()));
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let surroundings = Surroundings {
            output: &mut output,
            errors: &mut errors,
            input: &mut std::io::empty(),
            variables: BTreeMap::new(),
            folder: self.folder.path().to_path_buf(),
            poll: Duration::from_millis(200),
            screen: Screen::default(),
        };
        let ending = Box::pin(relay_cli::run(whole, surroundings)).await;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { ending, output: text(output), errors: text(errors) }
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat()).await;
        assert_eq!(ran.ending, Ending::Done, "{arguments:?}: {}", ran.errors);
        serde_json::from_str(ran.output.lines().last().unwrap()).unwrap()
    }
}

/// Checks that a line succeeds and prints what the page promises.
#[track_caller]
fn check(arguments: &[&str], ran: &Ran) {
    let Ran { ending, output, errors } = ran;
    assert_eq!(*ending, Ending::Done, "{arguments:?}: {output}{errors}");
    let must_say: &[&str] = match *arguments {
        ["apply", _] => &["created connection omnisend", "created export newsletter"],
        ["connections", "credentials", ..] => &["Stored."],
        ["connections", "test", _] => &["It is usable"],
        ["segments", "preview", _] => &["members", "customer_id"],
        ["exports", "dry-run", _] => &["added", "rejected"],
        ["exports", "run", ..] => &["succeeded", "added"],
        ["exports", "history", _] => &["succeeded"],
        ["runs", "rejects", _] => &["email_invalid"],
        ["exports", "schedule", ..] => &["newsletter"],
        _ => &["a line that this test knows"],
    };
    for text in must_say {
        assert!(output.contains(text), "{arguments:?} does not say {text:?}:\n{output}{errors}");
    }
    if arguments[0] == "apply" {
        // Missing credentials are a warning, not an error.
        assert_eq!(errors.matches("has no credentials yet").count(), 4, "{errors}");
    }
}

/// Checks that missing credentials do not hide other errors of an export.
async fn mistakes_are_told_without_credentials(scene: &Scene) {
    let export = json!({
        "id": "mistaken", "name": "Mistaken", "connection": "omnisend", "match_key": "email",
        "segments": [{ "segment": "subscribers" }], "options": { "tagg": { "name": "Newsletter" } },
    });
    let headers = [("if-none-match", "*")];
    let answer =
        scene.cloud.api_with(Method::PUT, "/exports/mistaken", &headers, Some(&export)).await.unwrap();
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert!(answer.body["detail"].as_str().unwrap().contains("tagg"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn getting_started_leads_from_nothing_to_a_scheduled_export() {
    let scene = Scene::unconnected().await;
    let quiet = Progress::quiet();
    let destinations = Destinations::start(&scene, &quiet).await.unwrap();
    let people = demo::Arguments { customers: 400, ..demo::Arguments::default() };
    let furnished = demo::furnish(&scene, &destinations, &people, Beginning::Empty, &quiet).await;
    let (_, values) = furnished.unwrap();
    let terminal = Terminal::open(&scene, &destinations, &values);

    let lines = lines();
    assert_eq!(lines.iter().filter(|line| line[0] == "connections").count(), 8, "{lines:?}");
    let mut run_id = String::new();
    for line in &lines {
        let arguments: Vec<&str> =
            line.iter().map(|word| if word == "RUN" { run_id.as_str() } else { word }).collect();
        check(&arguments, &terminal.run(&arguments).await);
        if arguments[0] == "apply" {
            mistakes_are_told_without_credentials(&scene).await;
        }
        if arguments[..2] == ["exports", "run"] {
            let history = terminal.json(&["exports", "history", arguments[2]]).await;
            run_id = history.pointer("/items/0/run_id").unwrap().as_str().unwrap().to_owned();
        }
    }

    // The rejected rows agree with the counts of the run.
    let run = terminal.json(&["runs", "show", &run_id]).await;
    let rejects = terminal.json(&["runs", "rejects", &run_id]).await;
    let counts = &run["counts"];
    let not_applied: u64 =
        ["rejected", "skipped", "deferred"].iter().map(|kind| counts[kind].as_u64().unwrap()).sum();
    assert!(counts["rejected"].as_u64().unwrap() >= 3, "{counts}");
    assert_eq!(rejects["rows"], not_applied, "{rejects}");
    let answer = scene.cloud.api(Method::GET, "/exports/newsletter", None).await.unwrap();
    let export: Export = serde_json::from_value(answer.body["document"].clone()).unwrap();
    assert!(matches!(export.schedule, Schedule::Daily { .. }), "{export:?}");

    // The other destinations work in the same way.
    for export in ["marketo", "omnisend", "dynamics365-sales"] {
        let ran = terminal.run(&["exports", "run", export, "--follow"]).await;
        assert_eq!(ran.ending, Ending::Done, "{export}: {}{}", ran.output, ran.errors);
    }
    destinations.stop().await;
}
