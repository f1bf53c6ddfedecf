//! What must not go without a person's word, and what must not go at all.

use crate::support::messages::announced;
use crate::support::{Job, Scene, emails, persons, wait_until};
use relay_model::run::{Run, RunState};
use relay_model::{Counts, RunId};
use reqwest::Method;
use sandbox::campaign_monitor::Endpoint;
use serde_json::{Value, json};

/// Starts a run that the guard must hold.
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_removals_wait_for_approval() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "guarded");
    job.save().await;
    let mut people = persons(300);
    job.upload(&people).await;
    let first = job.run().await;
    first.succeeded(Counts { added: 300, ..Counts::default() });
    assert_eq!(approve(&scene, first.run.run_id).await, 409, "there is nothing to approve");
    scene.sandbox.reset_report();

    for left in &mut people[..120] {
        left.newsletter = false;
    }
    job.upload(&people).await;
    let run = held(&scene, &job, &["120 of 300", "30 %"]).await;
    assert_eq!(job.active().len(), 300);
    let told: Vec<Value> = announced(&scene, "Run Held");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["run_id"], &told[0]["export_id"]), (&json!(run.run_id), &json!("guarded")));
    assert!(told[0]["text"].as_str().unwrap().contains("120 of 300"), "{told:?}");
    assert_eq!(approve(&scene, run.run_id).await, 200);
    let over = job.over(run.run_id).await;
    over.succeeded(Counts { removed: 120, unchanged: 180, ..Counts::default() });
    assert!(over.run.is_approved);
    assert_eq!(job.active(), emails(&people));
    scene.sandbox.reset_report();

    // Suddenly empty, most likely by a mistake of the query.
    for left in &mut people {
        left.newsletter = false;
    }
    job.upload(&people).await;
    let run = held(&scene, &job, &["segment \"guarded\" is suddenly empty", "180 of 180"]).await;
    assert_eq!(job.active().len(), 180);
    // The consent is taken back in the meantime: the approval does not help then.
    job.connection["consent"] = json!(null);
    job.save().await;
    assert_eq!(approve(&scene, run.run_id).await, 200);
    job.over(run.run_id).await.failed("consent_missing", &["has no consent"]);
    assert_eq!((job.active().len(), scene.calls(Endpoint::Remove)), (180, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_removal_removes_nobody_and_makes_place() {
    let scene = Scene::open().await;
    let job = Job::new(&scene, "refused");
    job.save().await;
    let everybody = persons(300);
    job.upload(&everybody).await;
    let first = job.run().await;
    first.succeeded(Counts { added: 300, ..Counts::default() });
    assert_eq!(answer(&scene, first.run.run_id, "reject").await, 409, "there is nothing to reject");
    scene.sandbox.reset_report();

    let mut few = everybody.clone();
    for left in &mut few[..200] {
        left.newsletter = false;
    }
    job.upload(&few).await;
    let run = held(&scene, &job, &["200 of 300"]).await;
    assert_eq!(answer(&scene, run.run_id, "reject").await, 200);
    job.over(run.run_id).await.failed("removal_refused", &["nothing was sent"]);
    assert_eq!((job.active().len(), scene.calls(Endpoint::Remove)), (300, 0));

    // The mistake is mended, and the export is free to run again.
    job.upload(&everybody).await;
    job.run().await.succeeded(Counts { unchanged: 300, ..Counts::default() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_belongs_to_one_export() {
    let scene = Scene::open().await;
    let (first, mut second) = (Job::new(&scene, "first"), Job::new(&scene, "second"));
    first.save().await;
    first.upload(&persons(20)).await;
    first.run().await.succeeded(Counts { added: 20, ..Counts::default() });
    let own = second.export["segments"][0]["target_list"].clone();
    second.export["segments"][0]["target_list"] = json!(first.list);
    second.save().await;
    second.upload(&persons(5)).await;
    let over = second.run().await;
    over.failed("list_taken", &["already belongs to export \"first\"", first.list.as_str()]);
    assert_eq!(first.active(), emails(&persons(20)));
    second.export["segments"][0]["target_list"] = own;
    second.save().await;
    second.run().await.succeeded(Counts { added: 5, ..Counts::default() });
}
