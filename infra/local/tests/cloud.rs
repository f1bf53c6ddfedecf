//! The local cloud with a stand-in for every function: what runs, what is seen of it, and that nothing stays.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it must be")]

use std::path::Path;
use std::time::{Duration, Instant};

use local::binaries::{self, Binaries};
use local::cloud::{Cloud, Hold, Moment, Options};
use local::console::Progress;
use local::issuer::{Role, TokenRequest};
use local::{processes, venv};
use serde_json::json;

/// Every function is the script `probe.py`.
fn probes(python: &Path, folder: &Path) -> Binaries {
    use std::os::unix::fs::PermissionsExt;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/probe.py");
    let probe = folder.join("probe");
    std::fs::write(&probe, format!("#!/bin/sh\nexec '{}' '{}'\n", python.display(), script.display()))
        .unwrap();
    std::fs::set_permissions(&probe, std::fs::Permissions::from_mode(0o755)).unwrap();
    binaries::functions().unwrap().into_iter().map(|function| (function, probe.clone())).collect()
}

async fn start(folder: &Path, enforce_permissions: bool) -> Cloud {
    let progress = Progress::quiet();
    let venv = venv::ensure(&progress).unwrap();
    let functions = probes(&venv.python(), folder);
    let options = Options::new(venv, functions).parameter("TickScheduleState", "DISABLED");
    let options = Options { enforce_permissions, ..options };
    Cloud::start(options, &progress).await.unwrap()
}

async fn wait_until(what: &str, mut good: impl FnMut() -> bool) {
    let began = Instant::now();
    while !good() {
        assert!(began.elapsed() < Duration::from_secs(20), "still not: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_stack_answers_and_nothing_of_it_stays() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = start(folder.path(), false).await;

    let answer = cloud.invoke("tick", &json!({"say": "hello from tick"})).await.unwrap();
    assert!(!answer.function_error, "{answer:?}");
    // The template's timeout of tick is 60 s.
    let left_ms = answer.body["left_ms"].as_i64().unwrap();
    assert!((50_000..=60_000).contains(&left_ms), "{left_ms}");
    let environment = answer.body["environment"].to_string();
    for name in ["CATALOG_TABLE", "FINISH_QUEUE_URL", "AWS_ENDPOINT_URL"] {
        assert!(environment.contains(name), "{environment}");
    }
    for name in ["DATA_BUCKET", "CARGO", "HTTP_PROXY", "AWS_PROFILE", "LOCAL_CLOUD"] {
        assert!(!environment.contains(name), "{name} in {environment}");
    }

    let answer = cloud.api(reqwest::Method::POST, "/exports/news/runs", None).await.unwrap();
    assert_eq!((answer.status, &answer.body["path"]), (200, &json!("/exports/news/runs")));
    let path = async |token: Option<&str>| {
        let answer = cloud.api_as(token, reqwest::Method::GET, "/else/where", &[], None).await.unwrap();
        (answer.status, answer.body["path"].clone())
    };
    let viewer = cloud.issuer().token(&TokenRequest::of(Role::Viewer)).unwrap();
    assert_eq!(path(Some(&viewer)).await, (200, json!("/else/where")));
    assert_eq!(path(None).await, (401, json!(null)));

    let logs = cloud.function_logs().await.unwrap();
    assert!(logs.iter().any(|line| line.contains("hello from tick")), "{logs:?}");
    let tick = cloud.function_processes("tick");
    assert_eq!((tick.len(), cloud.function_processes("chunk").len()), (1, 0));

    let emulator = cloud.emulator_process().unwrap();
    let everyone = [emulator, tick[0]].map(|pid| processes::Identity::of(pid).unwrap());
    let state = cloud.journal_path().parent().unwrap().to_path_buf();
    cloud.stop().await.unwrap();
    wait_until("all processes ended", || everyone.iter().all(|process| !process.is_alive())).await;
    assert!(!state.exists(), "{state:?}");
}

#[tokio::test]
async fn a_function_is_held_to_its_role_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = start(folder.path(), true).await;
    // Snapshot may announce nothing, finish may.
    for (function, may) in [("snapshot", false), ("finish", true)] {
        let answer = cloud.invoke(function, &json!({"announce": true})).await.unwrap();
        let said = answer.body.to_string();
        assert_eq!(answer.body["announced"], json!(may), "{function}: {said}");
    }
    let answer = cloud.api(reqwest::Method::GET, "/runs/1", None).await.unwrap();
    assert_eq!((answer.status, &answer.body["path"]), (200, &json!("/runs/1")));
    let logs = cloud.function_logs().await.unwrap();
    assert!(!logs.is_empty());
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn a_held_call_waits_until_it_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = start(folder.path(), true).await;
    let hold = |moment| Hold {
        service: "events".to_owned(),
        action: "PutEvents".to_owned(),
        contains: "\"Probe\"".to_owned(),
        moment,
    };
    // Before the call the event is not published; after it, only the response is missing.
    for (moment, announced) in [(Moment::Before, false), (Moment::After, true)] {
        let number = cloud.hold(&hold(moment)).await.unwrap();
        let earlier = cloud.journal().unwrap().matches("PutEvents").count();
        let order = json!({"announce": true});
        let (answer, ()) = tokio::join!(cloud.invoke("finish", &order), async {
            let began = Instant::now();
            while !cloud.is_held(number).await.unwrap() {
                assert!(began.elapsed() < Duration::from_secs(20), "no call is held");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let heard = cloud.journal().unwrap().matches("PutEvents").count() > earlier;
            assert_eq!(heard, announced, "{moment:?}");
            cloud.release(number).await.unwrap();
        });
        assert_eq!(answer.unwrap().body["announced"], json!(true), "{moment:?}");
    }
    // Each hold was for one call.
    let answer = cloud.invoke("finish", &json!({"announce": true})).await.unwrap();
    assert_eq!(answer.body["announced"], json!(true));
    cloud.stop().await.unwrap();
}
