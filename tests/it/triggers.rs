//! Triggers that come twice, at once or early: each due moment and each request is served by one run.

use crate::support::{Job, Scene, persons};
use jiff::Timestamp;
use relay_model::{Counts, RunId};
use reqwest::Method;
use sandbox::campaign_monitor::Pace;
use serde_json::{Value, json};

/// Asks for a run with an idempotency key: the run and what became of the request.
async fn ask(scene: &Scene, export: &str, key: &str) -> (RunId, String) {
    let path = format!("/exports/{export}/runs");
    let answer = scene.cloud.api_with(Method::POST, &path, &[("Idempotency-Key", key)], None).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.body);
    let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
    (text("run_id").parse().unwrap(), text("request"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_while_a_run_is_under_way_wait_and_merge() {
    let scene = Scene::open().await;
    let job = Job::new(&scene, "asked");
    job.save().await;
    job.upload(&persons(20)).await;
    // Slow enough that the first run is under way while the others are asked for.
    scene.sandbox.set_pace(Pace { latency_ms: 500, throttle: None });
    let (first, request) = ask(&scene, "asked", "monday").await;
    assert_eq!(request, "started");
    assert_eq!(ask(&scene, "asked", "monday").await, (first, "repeated".to_owned()));
    let (second, request) = ask(&scene, "asked", "tuesday").await;
    assert_eq!(request, "waiting");
    assert_ne!(first, second);
    assert_eq!(ask(&scene, "asked", "wednesday").await, (second, "merged".to_owned()));
    assert_eq!(ask(&scene, "asked", "wednesday").await, (second, "repeated".to_owned()));
    scene.sandbox.set_pace(Pace::default());
    job.over(first).await.succeeded(Counts { added: 20, ..Counts::default() });
    job.over(second).await.succeeded(Counts { unchanged: 20, ..Counts::default() });
    // Long after, the same key is still the same request.
    assert_eq!(ask(&scene, "asked", "monday").await, (first, "repeated".to_owned()));
    assert_eq!(scene.ledger().active_run(&job.id()).await.unwrap(), None);
}

/// A tick as the schedule makes one.
async fn tick(scene: &Scene) {
    let answer = scene.cloud.invoke("tick", &sample()).await.unwrap();
    assert!(!answer.function_error, "{}", answer.body);
}

fn sample() -> Value {
    serde_json::from_str(include_str!("../../events/tick.json")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_due_moment_makes_one_run_and_saving_makes_none() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "scheduled");
    job.upload(&persons(20)).await;
    // Due every 31 days: no further moment comes while the test runs.
    job.export["schedule"] = json!({ "every_minutes": 44_640 });
    let active = async || scene.ledger().active_run(&job.id()).await.unwrap();

    // It was due before it was saved: that is not its business.
    job.save().await;
    tick(&scene).await;
    assert_eq!(active().await, None);

    // Saved long ago, it is due; two ticks that overlap make one run.
    job.save_at(Timestamp::UNIX_EPOCH).await;
    scene.sandbox.set_pace(Pace { latency_ms: 500, throttle: None });
    tokio::join!(tick(&scene), tick(&scene));
    let run_id = active().await.unwrap();
    tick(&scene).await;
    assert_eq!(active().await, Some(run_id));
    scene.sandbox.set_pace(Pace::default());
    let over = job.over(run_id).await;
    over.succeeded(Counts { added: 20, ..Counts::default() });
    assert!(over.run.trigger.key.starts_with("schedule/"), "{:?}", over.run.trigger);

    // When it is over, the moment has been served.
    tick(&scene).await;
    assert_eq!(active().await, None);

    // A disabled export does not run by itself, and says so when it is asked.
    job.export["enabled"] = json!(false);
    job.save_at(Timestamp::UNIX_EPOCH).await;
    let answer = scene.cloud.api(Method::POST, "/exports/scheduled/runs", None).await.unwrap();
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("export_disabled")));
}
