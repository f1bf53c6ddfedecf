//! Snapshot, chunk and finish, killed at critical calls: the same final state and the same counts as without.

use crate::dynamics365_sales;
use crate::killed_workers::same;
use crate::support::messages::dead_letters;
use crate::support::{Job, Scene, emails, persons, wait_until};
use jiff::Timestamp;
use local::cloud::Moment::{After, Before};
use relay_cloud::ledger::DeliveredPointer;
use relay_model::run::RunState;
use relay_model::{Counts, ListId};
use sandbox::campaign_monitor::{Endpoint, Fault};
use sandbox::faults::FaultKind;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_steps_change_nothing() {
    // The message of a killed step is delivered again after six seconds.
    let scene = Scene::open_with(|options| {
        ["Snapshot", "Chunk", "Finish"]
            .into_iter()
            .fold(options, |options, step| options.timeouts(step, 40, 6))
    })
    .await;
    a_killed_snapshot_is_repeated(&scene).await;
    a_killed_chunk_keeps_its_decisions(&scene).await;
    dynamics365_sales::a_chunk_killed_while_it_creates_a_list(&scene).await;
    a_killed_finish_counts_every_row_once(&scene).await;
}

/// Longer than any test waits: the function never gets this response.
const NEVER_MS: u64 = 120_000;

async fn a_killed_snapshot_is_repeated(scene: &Scene) {
    scene.reset();
    let (job, calm) = (Job::new(scene, "killed_snapshot"), Job::new(scene, "calm_snapshot"));
    let mut people = persons(400);
    people[7].email = Some("broken@".to_owned());
    for job in [&job, &calm] {
        job.ready(&people).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 399, rejected: 1, ..Counts::default() });

    // The members are stored, but the manifest of the snapshot is not.
    let manifest = scene.hold(Before, "s3", "PUT Object", "/killed_snapshot.json").await;
    let run_id = job.start().await;
    scene.kill_at("snapshot", manifest).await;
    // The run has advanced, but the next step has no message.
    let message = scene.hold(Before, "sqs", "SendMessageBatch", &format!("{run_id}/chunk/")).await;
    scene.kill_at("snapshot", message).await;
    assert_eq!(scene.run(run_id).await.unwrap().state, RunState::Chunking);
    let finished = job.wait_for(run_id).await;
    same((&job, &finished), (&calm, &expected));
    assert_eq!(job.active().len(), 399);
    assert_eq!(dead_letters(scene).await, 0);
}

async fn a_killed_chunk_keeps_its_decisions(scene: &Scene) {
    scene.reset();
    let (mut job, calm) = (Job::new(scene, "killed_chunk"), Job::new(scene, "calm_chunk"));
    // Two batches in each lane: more messages than one call sends.
    job.own_connection(&scene.account.api_key, 8).await;
    let people = persons(9_000);
    for job in [&job, &calm] {
        job.ready(&people).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 9_000, ..Counts::default() });

    // A field is created at the destination, and the response is lost.
    scene.sandbox.add_fault(Fault::once(Endpoint::CreateField, FaultKind::DelayAfter(NEVER_MS)));
    let plan = scene.hold(Before, "s3", "PUT Object", "/plan.json").await;
    let run_id = job.start().await;
    wait_until("a field is made", async || scene.sandbox.faults().is_empty()).await;
    scene.kill("chunk");
    // The batches are written, but the plan is not.
    scene.kill_at("chunk", plan).await;
    // The first ten messages are sent, the others are not.
    let messages = scene.hold(After, "sqs", "SendMessageBatch", &format!("{run_id}/0/0")).await;
    scene.kill_at("chunk", messages).await;
    assert_eq!(scene.run(run_id).await.unwrap().state, RunState::Pushing);
    let finished = job.wait_for(run_id).await;
    same((&job, &finished), (&calm, &expected));
    assert_eq!(finished.report.batches, 16);
    assert_eq!(job.active(), emails(&people));
    assert_eq!(scene.sandbox.report().import.rows, 18_000, "no row is sent twice");
    assert_eq!(dead_letters(scene).await, 0);
}

async fn a_killed_finish_counts_every_row_once(scene: &Scene) {
    scene.reset();
    let (job, calm) = (Job::new(scene, "killed_finish"), Job::new(scene, "calm_finish"));
    let mut people = persons(300);
    for job in [&job, &calm] {
        job.ready(&people).await;
        job.run().await.succeeded(Counts { added: 300, ..Counts::default() });
    }
    let before = scene.delivered_states("killed_finish").await;
    for left in &mut people[100..150] {
        left.newsletter = false;
    }
    "Another".clone_into(&mut people[7].name);
    for job in [&job, &calm] {
        job.upload(&people).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { changed: 1, removed: 50, unchanged: 249, ..Counts::default() });

    // The next delivered state is stored, but the pointer has not moved.
    let pointer = scene.hold(Before, "dynamodb", "UpdateItem", "delivered#").await;
    let run_id = job.start().await;
    scene.kill_at("finish", pointer).await;
    // The pointer has moved and the report is written, but the run has not ended: finish computes the outcomes again from the
    // previous state.
    let end = scene.hold(Before, "dynamodb", "UpdateItem", "succeeded").await;
    scene.kill_at("finish", end).await;
    assert_eq!(scene.delivered_states("killed_finish").await.len(), 2);
    // The run has ended, but its export is not released.
    let end = scene.hold(After, "dynamodb", "UpdateItem", "succeeded").await;
    scene.kill_at("finish", end).await;
    assert_eq!(scene.ledger().active_run(&job.id()).await.unwrap(), Some(run_id));
    // Only the old delivered state is left to delete.
    let cleaning = scene.hold(Before, "s3", "DELETE Object", "/delivered/killed_finish/").await;
    scene.kill_at("finish", cleaning).await;
    assert_eq!(scene.ledger().active_run(&job.id()).await.unwrap(), None);
    let finished = job.wait_for(run_id).await;
    same((&job, &finished), (&calm, &expected));
    assert_eq!(job.active(), emails(&people));
    wait_until("the old state is gone", async || scene.delivered_states("killed_finish").await.len() == 1)
        .await;
    assert_ne!(scene.delivered_states("killed_finish").await, before);

    // A late finish cannot set the pointer back to a deleted state.
    let list = ListId(job.list.to_string());
    let pointer = scene.ledger().delivered(&job.id(), &list).await.unwrap().unwrap();
    let stale = DeliveredPointer { object_key: before[0].clone(), ..pointer.clone() };
    for expected in [None, Some("delivered/killed_finish/another"), Some(before[0].as_str())] {
        let ledger = scene.ledger();
        let moved = ledger.set_delivered(&job.id(), &list, expected, &stale, Timestamp::now()).await.unwrap();
        assert!(!moved, "{expected:?}");
    }
    assert_eq!(scene.ledger().delivered(&job.id(), &list).await.unwrap(), Some(pointer));

    job.run().await.succeeded(Counts { unchanged: 250, ..Counts::default() });
    assert_eq!(dead_letters(scene).await, 0);
}
