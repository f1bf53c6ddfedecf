//! Changes of exports that need no file: schedules of several, and segments.

use insta::assert_snapshot;
use relay_cli::Ending;
use serde_json::{Value, json};

use crate::support::{Bench, export, problem, saved};

fn scheduled(id: &str, schedule: &Value) -> Value {
    let mut export = export(id);
    export["schedule"] = schedule.clone();
    export
}

/// Three exports: the first has the schedule already, the others have not.
async fn with_three() -> Bench {
    let bench = Bench::new().await;
    let daily = json!({ "daily": { "at": "06:30:00", "time_zone": "Europe/Rome" } });
    let schedules = [("news", daily), ("old", json!("off")), ("winback", json!({ "every_minutes": 60 }))];
    for ((id, schedule), version) in schedules.iter().zip(7..) {
        let found = saved(&scheduled(id, schedule), version);
        bench.answer("GET", &format!("/exports/{id}"), 200, found).await;
        let done = json!({ "warnings": [format!("{id} has no consent yet")] });
        bench.answer("PUT", &format!("/exports/{id}"), 200, done).await;
    }
    bench
}

const DAILY: [&str; 4] = ["--daily", "06:30", "--time-zone", "Europe/Rome"];

fn schedule<'a>(which: &[&'a str]) -> Vec<&'a str> {
    [&["exports", "schedule"], which, &DAILY].concat()
}

/// Whether anything was changed.
async fn changes(bench: &Bench) -> usize {
    bench.requests().await.iter().filter(|request| request.starts_with("PUT")).count()
}

#[tokio::test]
async fn several_exports_get_one_schedule() {
    let bench = with_three().await;
    let arguments = schedule(&["news", "old", "winback", "old", "--yes"]);
    assert_snapshot!("schedule_several", bench.transcript(&arguments).await);
    let ran = bench.run(&[&arguments[..], &["--json"]].concat()).await;
    assert_snapshot!("schedule_several_json", ran.output);
}

#[tokio::test]
async fn one_change_needs_no_confirmation() {
    let bench = with_three().await;
    assert_eq!(bench.run(&schedule(&["news", "old"])).await.ending, Ending::Done);
    assert_eq!(changes(&bench).await, 1);
}

#[tokio::test]
async fn several_changes_are_asked_for() {
    let mut bench = with_three().await;
    let ran = bench.run(&schedule(&["old", "winback"])).await;
    assert_eq!(ran.ending, Ending::Failed);
    assert!(
        ran.errors.contains("2 exports would change, and there is no terminal to ask for confirmation"),
        "{}",
        ran.errors
    );
    bench.screen.is_interactive = true;
    bench.typed = "n\n".to_owned();
    let ran = bench.run(&schedule(&["news", "old", "winback"])).await;
    assert_eq!((ran.ending, changes(&bench).await), (Ending::Failed, 0));
    assert_snapshot!("schedule_asked", ran.errors);
    bench.typed = "y\n".to_owned();
    let ran = bench.run(&schedule(&["news", "old", "winback"])).await;
    assert_eq!((ran.ending, changes(&bench).await), (Ending::Done, 2), "{}", ran.errors);
}

#[tokio::test]
async fn one_that_fails_keeps_no_other_from_it() {
    let bench = with_three().await;
    let missing = problem(404, "catalog_missing", "export \"gone\" is not in the catalog");
    bench.respond("GET", "/exports/gone", missing).await;
    let refused = problem(412, "changed_in_the_meantime", "somebody was faster");
    bench.answer_once("PUT", "/exports/old", refused).await;
    let ran = bench.run(&schedule(&["gone", "old", "winback", "--yes"])).await;
    assert_eq!((ran.ending, changes(&bench).await), (Ending::Failed, 2));
    assert_snapshot!("schedule_partly", ran.output);
}

#[tokio::test]
async fn all_are_those_that_may_be_edited() {
    let bench = with_three().await;
    let mut mine = saved(&scheduled("old", &json!("off")), 8);
    mine["overview"] = json!({ "permission": "edit" });
    let mut theirs = saved(&scheduled("winback", &json!("off")), 9);
    theirs["overview"] = json!({ "permission": "view" });
    bench.answer("GET", "/exports", 200, json!({ "items": [mine, theirs], "next_cursor": null })).await;
    assert_snapshot!("schedule_all", bench.transcript(&schedule(&["--all"])).await);
    for wrong in [&["exports", "schedule", "--off"][..], &["exports", "schedule", "news", "--all", "--off"]] {
        assert_eq!(bench.run(wrong).await.ending, Ending::Failed, "{wrong:?}");
    }
}

/// An export with the segment `all` for a list of its own and for list 1, and what is saved of its segments.
async fn check_segments(arguments: &[&str], expected: Result<&Value, &str>) {
    let bench = Bench::new().await;
    let mut export = export("news");
    export["segments"] = json!([
        { "segment": "all", "target_list": null }, { "segment": "all", "target_list": "1" }, { "segment": "vip" },
    ]);
    bench.answer("GET", "/exports/news", 200, saved(&export, 7)).await;
    bench.answer("PUT", "/exports/news", 200, json!({})).await;
    let ran = bench.run(&[&["exports"], arguments].concat()).await;
    let requests = bench.requests().await;
    match expected {
        Ok(segments) => {
            assert_eq!(ran.ending, Ending::Done, "{}", ran.errors);
            let (head, body) = requests[1].split_once("  {").unwrap();
            let query = if arguments.contains(&"--no-check") { "?check=none" } else { "" };
            assert_eq!(head, format!("PUT /exports/news{query}  if-match: \"7\""));
            let body: Value = serde_json::from_str(&format!("{{{body}")).unwrap();
            assert_eq!((&body["segments"], &body["name"]), (segments, &json!("Newsletter")));
        }
        Err(words) => {
            assert!(ran.ending == Ending::Failed && ran.errors.contains(words), "{}", ran.errors);
            assert_eq!(requests.len(), 1, "{requests:?}");
        }
    }
}

#[tokio::test]
async fn segments_come_and_go() {
    let (own, first) =
        (json!({ "segment": "all", "target_list": null }), json!({ "segment": "all", "target_list": "1" }));
    let (vip, new) = (json!({ "segment": "vip" }), json!({ "segment": "new" }));
    let second = json!({ "segment": "vip", "target_list": "2" });
    let there = "it is already in the export";
    let add = ["add-segment", "news"];
    check_segments(&[&add[..], &["new"]].concat(), Ok(&json!([own, first, vip, new]))).await;
    let to_second = [&add[..], &["vip", "--target-list", "2", "--no-check"]].concat();
    check_segments(&to_second, Ok(&json!([own, first, vip, second]))).await;
    check_segments(&[&add[..], &["all"]].concat(), Err(there)).await;
    check_segments(&[&add[..], &["all", "--target-list", "1"]].concat(), Err(there)).await;
    let remove = ["remove-segment", "news"];
    check_segments(&[&remove[..], &["all"]].concat(), Ok(&json!([vip]))).await;
    let of_first = [&remove[..], &["all", "--target-list", "1"]].concat();
    check_segments(&of_first, Ok(&json!([own, vip]))).await;
    check_segments(&[&remove[..], &["gone"]].concat(), Err("it is not in the export")).await;
    check_segments(&[&remove[..], &["vip", "--target-list", "1"]].concat(), Err("it is not in the export"))
        .await;
}
