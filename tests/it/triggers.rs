//! Doubled, concurrent and early triggers: each due time and each request has one run.

use crate::support::{Job, Scene, persons};
use jiff::Timestamp;
use relay_model::{Counts, RunId};
use reqwest::Method;
use sandbox::campaign_monitor::Pace;
use serde_json::{Value, json};

/// Requests a run with an idempotency key, and returns the run and the result of the request.
async fn ask(scene: &Scene, export: &str, key: &str) -> (RunId, String) {
    let path = format!("/exports/{export}/runs");
    let answer = scene.cloud.api_with(Method::POST, &path, &[("Idempotency-Key", key)], None).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.body);
    let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
    (text("run_id").parse().unwrap(), text("request"))
}

pub(crate) async fn requests_during_a_run_wait_and_merge(scene: &Scene) {
    scene.reset();
    let job = Job::new(scene, "asked");
    job.save().await;
    job.upload(&persons(20)).await;
    // The first run is slow, so that it is still running during the other requests.
    scene.sandbox.set_pace(Pace { latency_ms: 500, throttle: None });
    let (first, request) = ask(scene, "asked", "monday").await;
    assert_eq!(request, "started");
    assert_eq!(ask(scene, "asked", "monday").await, (first, "repeated".to_owned()));
    let (second, request) = ask(scene, "asked", "tuesday").await;
    assert_eq!(request, "waiting");
    assert_ne!(first, second);
    assert_eq!(ask(scene, "asked", "wednesday").await, (second, "merged".to_owned()));
    assert_eq!(ask(scene, "asked", "wednesday").await, (second, "repeated".to_owned()));
    scene.sandbox.set_pace(Pace::default());
    job.wait_for(first).await.succeeded(Counts { added: 20, ..Counts::default() });
    job.wait_for(second).await.succeeded(Counts { unchanged: 20, ..Counts::default() });
    // Later the same key is still the same request.
    assert_eq!(ask(scene, "asked", "monday").await, (first, "repeated".to_owned()));
    assert_eq!(scene.ledger().active_run(&job.id()).await.unwrap(), None);
}

/// Invokes tick as its schedule does.
async fn tick(scene: &Scene) {
    let answer = scene.cloud.invoke("tick", &sample()).await.unwrap();
    assert!(!answer.function_error, "{}", answer.body);
}

fn sample() -> Value {
    serde_json::from_str(include_str!("../../events/tick.json")).unwrap()
}

pub(crate) async fn a_due_schedule_starts_one_run_and_saving_starts_none(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "scheduled");
    job.upload(&persons(20)).await;
    // Due every 31 days, so that no other time is due during the test.
    job.export["schedule"] = json!({ "every_minutes": 44_640 });
    let active = async || scene.ledger().active_run(&job.id()).await.unwrap();

    // Times before the export was saved are ignored.
    job.save().await;
    tick(scene).await;
    assert_eq!(active().await, None);

    // The export was saved long ago and is due; two concurrent ticks start one run.
    job.save_at(Timestamp::UNIX_EPOCH).await;
    scene.sandbox.set_pace(Pace { latency_ms: 500, throttle: None });
    tokio::join!(tick(scene), tick(scene));
    let run_id = active().await.unwrap();
    tick(scene).await;
    assert_eq!(active().await, Some(run_id));
    scene.sandbox.set_pace(Pace::default());
    let finished = job.wait_for(run_id).await;
    finished.succeeded(Counts { added: 20, ..Counts::default() });
    assert!(finished.run.trigger.key.starts_with("schedule/"), "{:?}", finished.run.trigger);

    // After the run the time is no longer due.
    tick(scene).await;
    assert_eq!(active().await, None);

    // A disabled export is not started, and a request is refused.
    job.export["enabled"] = json!(false);
    job.save_at(Timestamp::UNIX_EPOCH).await;
    let answer = scene.cloud.api(Method::POST, "/exports/scheduled/runs", None).await.unwrap();
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("export_disabled")));
}
