//! Guards and caps: runs that wait for approval, and runs that fail before they send.

use crate::support::messages::announced;
use crate::support::{Job, Scene, emails, persons, wait_until};
use crate::{caps, dynamics365_sales};
use relay_model::run::{Run, RunState};
use relay_model::{Counts, RunId};
use reqwest::Method;
use sandbox::campaign_monitor::Endpoint;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guards_and_caps_stop_a_run_before_it_sends() {
    let scene = Scene::open().await;
    large_removals_wait_for_approval(&scene).await;
    a_rejected_run_removes_no_members(&scene).await;
    a_list_belongs_to_one_export(&scene).await;
    caps::a_run_over_the_cap_fails_or_is_truncated(&scene).await;
    dynamics365_sales::a_segment_over_the_cap_fails_before_the_first_call(&scene).await;
}

/// Starts a run that the guard holds.
async fn held(scene: &Scene, job: &Job<'_>, words: &[&str]) -> Run {
    let run_id = job.start().await;
    let state = async || scene.run(run_id).await.unwrap().state;
    wait_until("the run is held", async || state().await == RunState::Held).await;
    let run = scene.run(run_id).await.unwrap();
    let notices = run.notices.join("\n");
    for word in words {
        assert!(notices.contains(word), "no {word:?} in {notices}");
    }
    assert_eq!((scene.calls(Endpoint::Import), scene.calls(Endpoint::Remove)), (0, 0), "nothing is sent");
    run
}

async fn approve(scene: &Scene, run_id: RunId) -> u16 {
    answer(scene, run_id, "approve").await
}

async fn answer(scene: &Scene, run_id: RunId, word: &str) -> u16 {
    scene.cloud.api(Method::POST, &format!("/runs/{run_id}/{word}"), None).await.unwrap().status
}

async fn large_removals_wait_for_approval(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "guarded");
    job.save().await;
    let mut people = persons(300);
    job.upload(&people).await;
    let first = job.run().await;
    first.succeeded(Counts { added: 300, ..Counts::default() });
    assert_eq!(approve(scene, first.run.run_id).await, 409, "there is nothing to approve");
    scene.sandbox.reset_report();

    for left in &mut people[..120] {
        left.newsletter = false;
    }
    job.upload(&people).await;
    let run = held(scene, &job, &["120 of 300", "30 %"]).await;
    assert_eq!(job.active().len(), 300);
    let told: Vec<Value> = announced(scene, "Run Held");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["run_id"], &told[0]["export_id"]), (&json!(run.run_id), &json!("guarded")));
    assert!(told[0]["text"].as_str().unwrap().contains("120 of 300"), "{told:?}");
    assert_eq!(approve(scene, run.run_id).await, 200);
    let finished = job.wait_for(run.run_id).await;
    finished.succeeded(Counts { removed: 120, unchanged: 180, ..Counts::default() });
    assert!(finished.run.is_approved);
    assert_eq!(job.active(), emails(&people));
    scene.sandbox.reset_report();

    // A segment that is suddenly empty is most likely a mistake in the query.
    for left in &mut people {
        left.newsletter = false;
    }
    job.upload(&people).await;
    let run = held(scene, &job, &["segment \"guarded\" is suddenly empty", "180 of 180"]).await;
    assert_eq!(job.active().len(), 180);
    // The consent is withdrawn meanwhile: the approved run fails.
    job.connection["consent"] = json!(null);
    job.save().await;
    assert_eq!(approve(scene, run.run_id).await, 200);
    job.wait_for(run.run_id).await.failed("consent_missing", &["has no consent"]);
    assert_eq!((job.active().len(), scene.calls(Endpoint::Remove)), (180, 0));
}

async fn a_rejected_run_removes_no_members(scene: &Scene) {
    scene.reset();
    let job = Job::new(scene, "refused");
    job.save().await;
    let people = persons(300);
    job.upload(&people).await;
    let first = job.run().await;
    first.succeeded(Counts { added: 300, ..Counts::default() });
    assert_eq!(answer(scene, first.run.run_id, "reject").await, 409, "there is nothing to reject");
    scene.sandbox.reset_report();

    let mut few = people.clone();
    for left in &mut few[..200] {
        left.newsletter = false;
    }
    job.upload(&few).await;
    let run = held(scene, &job, &["200 of 300"]).await;
    assert_eq!(answer(scene, run.run_id, "reject").await, 200);
    job.wait_for(run.run_id).await.failed("removal_refused", &["nothing was sent"]);
    assert_eq!((job.active().len(), scene.calls(Endpoint::Remove)), (300, 0));

    // The query is corrected, and the export runs again.
    job.upload(&people).await;
    job.run().await.succeeded(Counts { unchanged: 300, ..Counts::default() });
}

async fn a_list_belongs_to_one_export(scene: &Scene) {
    scene.reset();
    let (first, mut second) = (Job::new(scene, "first"), Job::new(scene, "second"));
    first.save().await;
    first.upload(&persons(20)).await;
    first.run().await.succeeded(Counts { added: 20, ..Counts::default() });
    let own = second.export["segments"][0]["target_list"].clone();
    second.export["segments"][0]["target_list"] = json!(first.list);
    second.save().await;
    second.upload(&persons(5)).await;
    let finished = second.run().await;
    finished.failed("list_taken", &["already belongs to export \"first\"", first.list.as_str()]);
    assert_eq!(first.active(), emails(&persons(20)));
    second.export["segments"][0]["target_list"] = own;
    second.save().await;
    second.run().await.succeeded(Counts { added: 5, ..Counts::default() });
}
