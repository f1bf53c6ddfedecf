//! Snapshot, chunk and finish, killed at their most delicate calls: the same end state and the same counts as without.

use crate::interruptions::same;
use crate::support::messages::dead_letters;
use crate::support::{Job, Scene, emails, persons, wait_until};
use jiff::Timestamp;
use local::cloud::Moment::{After, Before};
use relay_cloud::ledger::DeliveredPointer;
use relay_model::run::RunState;
use relay_model::{Counts, ListId};
use sandbox::campaign_monitor::{Endpoint, Fault};
use sandbox::faults::FaultKind;

/// Longer than any test waits for it: the function never sees this answer.
const NEVER_MS: u64 = 120_000;

/// A world in which the message of a step that died is delivered again soon.
async fn open(step: &str) -> Scene {
    Scene::open_with(|options| options.timeouts(step, 40, 6)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_dies_is_made_again() {
    let scene = open("Snapshot").await;
    let (job, calm) = (Job::new(&scene, "killed"), Job::new(&scene, "calm"));
    let mut people = persons(400);
    people[7].email = Some("broken@".to_owned());
    for job in [&job, &calm] {
        job.ready(&people).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 399, rejected: 1, ..Counts::default() });

    // The members are there, and what makes a snapshot of them is not.
    let manifest = scene.hold(Before, "s3", "PUT Object", "/killed.json").await;
    let run_id = job.start().await;
    scene.kill_at("snapshot", manifest).await;
    // The run has gone on, and nobody has told the next step.
    let message = scene.hold(Before, "sqs", "SendMessageBatch", &format!("{run_id}/chunk/")).await;
    scene.kill_at("snapshot", message).await;
    assert_eq!(scene.run(run_id).await.unwrap().state, RunState::Chunking);
    let over = job.over(run_id).await;
    same((&job, &over), (&calm, &expected));
    assert_eq!(job.active().len(), 399);
    assert_eq!(dead_letters(&scene).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunk_that_dies_decides_nothing_anew() {
    let scene = open("Chunk").await;
    let (mut job, calm) = (Job::new(&scene, "killed"), Job::new(&scene, "calm"));
    // Two batches in each lane: more than one call brings to the queue.
    job.own_connection(&scene.account.api_key, 8).await;
    let people = persons(9_000);
    for job in [&job, &calm] {
        job.ready(&people).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 9_000, ..Counts::default() });

    // A field is made at the destination, and nobody hears of it.
    scene.sandbox.add_fault(Fault::once(Endpoint::CreateField, FaultKind::DelayAfter(NEVER_MS)));
    let plan = scene.hold(Before, "s3", "PUT Object", "/plan.json").await;
    let run_id = job.start().await;
    wait_until("a field is made", async || scene.sandbox.faults().is_empty()).await;
    scene.kill("chunk");
    // The batches are written, the plan is not.
    scene.kill_at("chunk", plan).await;
    // The first ten batches are on their way, the others are not.
    let messages = scene.hold(After, "sqs", "SendMessageBatch", &format!("{run_id}/0/0")).await;
    scene.kill_at("chunk", messages).await;
    assert_eq!(scene.run(run_id).await.unwrap().state, RunState::Pushing);
    let over = job.over(run_id).await;
    same((&job, &over), (&calm, &expected));
    assert_eq!(over.report.batches, 16);
    assert_eq!(job.active(), emails(&people));
    assert_eq!(scene.sandbox.report().import.rows, 18_000, "nobody is sent twice");
    assert_eq!(dead_letters(&scene).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finish_that_dies_accounts_for_everybody_once() {
    let scene = open("Finish").await;
    let (job, calm) = (Job::new(&scene, "killed"), Job::new(&scene, "calm"));
    let mut people = persons(300);
    for job in [&job, &calm] {
        job.ready(&people).await;
        job.run().await.succeeded(Counts { added: 300, ..Counts::default() });
    }
    let before = scene.delivered_states("killed").await;
    for left in &mut people[100..150] {
        left.newsletter = false;
    }
    people[7].name = "Another".to_owned();
    for job in [&job, &calm] {
        job.upload(&people).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { changed: 1, removed: 50, unchanged: 249, ..Counts::default() });

    // The next delivered state is stored, and nothing points at it.
    let pointer = scene.hold(Before, "dynamodb", "UpdateItem", "delivered#").await;
    let run_id = job.start().await;
    scene.kill_at("finish", pointer).await;
    // The pointer has moved and the report is written, and the run does not know: its accounts are made again from the
    // state that the pointer has left.
    let end = scene.hold(Before, "dynamodb", "UpdateItem", "succeeded").await;
    scene.kill_at("finish", end).await;
    assert_eq!(scene.delivered_states("killed").await.len(), 2);
    // The run is over, and its export not yet free.
    let end = scene.hold(After, "dynamodb", "UpdateItem", "succeeded").await;
    scene.kill_at("finish", end).await;
    assert_eq!(scene.ledger().active_run(&job.id()).await.unwrap(), Some(run_id));
    // All is done but for the state that nobody needs any more.
    let cleaning = scene.hold(Before, "s3", "DELETE Object", "/delivered/killed/").await;
    scene.kill_at("finish", cleaning).await;
    assert_eq!(scene.ledger().active_run(&job.id()).await.unwrap(), None);
    let over = job.over(run_id).await;
    same((&job, &over), (&calm, &expected));
    assert_eq!(job.active(), emails(&people));
    wait_until("the old state is gone", async || scene.delivered_states("killed").await.len() == 1).await;
    assert_ne!(scene.delivered_states("killed").await, before);

    // Nobody can point back at what is gone, however late they come.
    let list = ListId(job.list.to_string());
    let pointer = scene.ledger().delivered(&job.id(), &list).await.unwrap().unwrap();
    let stale = DeliveredPointer { object_key: before[0].clone(), ..pointer.clone() };
    for expected in [None, Some("delivered/killed/another"), Some(before[0].as_str())] {
        let ledger = scene.ledger();
        let moved = ledger.set_delivered(&job.id(), &list, expected, &stale, Timestamp::now()).await.unwrap();
        assert!(!moved, "{expected:?}");
    }
    assert_eq!(scene.ledger().delivered(&job.id(), &list).await.unwrap(), Some(pointer));

    job.run().await.succeeded(Counts { unchanged: 250, ..Counts::default() });
    assert_eq!(dead_letters(&scene).await, 0);
}
