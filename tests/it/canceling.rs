//! Canceled runs: delivered rows are kept, and the next run delivers exactly the rest.

use crate::support::messages::{Sent, dead_letters, queues_are_empty};
use crate::support::{Definitions, FinishedRun, Job, Scene, emails, persons, wait_until};
use crate::{marketo, removed_connections};
use jiff::Timestamp;
use local::cloud::HoldNumber;
use local::cloud::Moment::Before;
use relay_cloud::ledger::Place;
use relay_model::run::{Run, RunState};
use relay_model::{Counts, RunId};
use relay_pipeline::StartError;
use sandbox::campaign_monitor::{Endpoint, Fault, Pace};
use sandbox::faults::FaultKind;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canceled_run_keeps_what_was_delivered() {
    let scene = Scene::open().await;
    canceling_during_the_push_keeps_delivered_rows(&scene).await;
    a_batch_in_flight_completes_and_no_other_starts(&scene).await;
    batches_in_backoff_do_not_delay_canceling(&scene).await;
    canceling_before_the_first_batch_sends_nothing(&scene).await;
    canceling_a_waiting_run_frees_its_slot(&scene).await;
    removed_connections::removing_a_connection_stops_its_runs_only(&scene).await;
    removed_connections::deleting_through_the_api_stops_runs(&scene).await;
    marketo::canceling_reports_an_accepted_import(&scene).await;
}

/// More than the calls of any test.
const ALWAYS: usize = 1_000_000;

pub(crate) async fn cancel(scene: &Scene, run_id: RunId) -> Run {
    try_cancel(scene, run_id).await.unwrap()
}

async fn try_cancel(scene: &Scene, run_id: RunId) -> Result<Run, StartError> {
    scene.requests().cancel(run_id, "the test", Timestamp::now()).await
}

/// Checks that a finished run cannot be canceled, and that the error has its state.
async fn too_late(scene: &Scene, run_id: RunId, expected: RunState) {
    let refused = try_cancel(scene, run_id).await;
    let is_told = matches!(refused, Err(StartError::NothingToCancel { run_id: id, state }) if id == run_id && state == expected);
    assert!(is_told, "{refused:?}");
}

/// Cancels a run while a function is held at a call, and releases the call.
async fn cancel_at(scene: &Scene, hold: HoldNumber, run_id: RunId, expected: RunState) {
    scene.held(hold).await;
    let run = scene.run(run_id).await.unwrap();
    assert_eq!(run.state, expected);
    let canceled = cancel(scene, run_id).await.canceled.unwrap();
    assert_eq!(canceled.by, "the test");
    scene.cloud.release(hold).await.unwrap();
}

async fn is_free(scene: &Scene, job: &Definitions<'_>) {
    wait_until("the export is free", async || {
        scene.ledger().place(&job.id()).await.unwrap() == Place::default()
    })
    .await;
}

/// Checks that the next run delivers exactly the rows that the canceled run did not.
pub(crate) async fn the_next_run_delivers_the_rest(job: &Job<'_>, canceled: &FinishedRun, unchanged: u64) {
    let counts = canceled.report.counts;
    let unchanged = unchanged + counts.added;
    job.run().await.succeeded(Counts { added: counts.deferred, unchanged, ..Counts::default() });
}

async fn canceling_during_the_push_keeps_delivered_rows(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "stopped");
    job.own_connection(&scene.account.api_key, 2).await;
    let people = persons(6_500);
    job.ready(&people).await;
    scene.sandbox.set_pace(Pace { latency_ms: 400, throttle: None });
    let run_id = job.start().await;
    let on_the_list = || u64::try_from(scene.sandbox.counts(&job.list).unwrap().total).unwrap();
    wait_until("the first people are on the list", async || on_the_list() > 0).await;
    let run = cancel(scene, run_id).await;
    let again = cancel(scene, run_id).await;
    assert_eq!(again.canceled, run.canceled, "the first one stays");
    let finished = job.wait_for(run_id).await;
    let counts = finished.report.counts;
    finished.canceled(Counts { added: on_the_list(), deferred: 6_500 - on_the_list(), ..Counts::default() });
    assert!(counts.added > 0 && counts.deferred > 0, "{counts:?}");
    is_free(scene, &job).await;

    // A repeated cancel and late or doubled messages change nothing.
    assert_eq!(cancel(scene, run_id).await, finished.run);
    for sent in Sent::all(scene) {
        sent.again(scene, "late").await;
    }
    wait_until("all messages are handled", async || queues_are_empty(scene).await).await;
    assert_eq!(on_the_list(), counts.added);
    assert_eq!(scene.run(run_id).await.unwrap(), finished.run);

    scene.sandbox.set_pace(Pace::default());
    the_next_run_delivers_the_rest(&job, &finished, 0).await;
    assert_eq!(job.active(), emails(&people));
    assert_eq!(dead_letters(scene).await, 0);
}

async fn a_batch_in_flight_completes_and_no_other_starts(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "flight");
    job.own_connection(&scene.account.api_key, 1).await;
    let people = persons(2_500);
    job.ready(&people).await;
    let results = scene.hold(Before, "s3", "PUT Object", "/0/000000.").await;
    let run_id = job.start().await;
    cancel_at(scene, results, run_id, RunState::Pushing).await;
    let finished = job.wait_for(run_id).await;
    finished.canceled(Counts { added: 1_000, deferred: 1_500, ..Counts::default() });
    assert_eq!((scene.calls(Endpoint::Import), job.active().len()), (1, 1_000));

    // The result of a removal in flight counts too.
    the_next_run_delivers_the_rest(&job, &finished, 0).await;
    let mut fewer = people.clone();
    for left in &mut fewer[..250] {
        left.newsletter = false;
    }
    job.upload(&fewer).await;
    let results = scene.hold(Before, "s3", "PUT Object", "/0/000001.").await;
    let run_id = job.start().await;
    cancel_at(scene, results, run_id, RunState::Pushing).await;
    let finished = job.wait_for(run_id).await;
    finished.canceled(Counts { removed: 200, unchanged: 2_250, deferred: 50, ..Counts::default() });
    assert_eq!(job.active().len(), 2_300);
    job.run().await.succeeded(Counts { removed: 50, unchanged: 2_250, ..Counts::default() });
    assert_eq!(job.active(), emails(&fewer));
    assert_eq!(scene.sandbox.report().foreign_deletes, 0);
}

async fn batches_in_backoff_do_not_delay_canceling(scene: &Scene) {
    scene.reset();
    let job = Job::new(scene, "patient");
    let people = persons(1_500);
    job.ready(&people).await;
    scene.sandbox.add_fault(Fault::once(Endpoint::Import, FaultKind::Status(503)).times(ALWAYS));
    let run_id = job.start().await;
    // The backoff starts with ten seconds and grows.
    let calls = || scene.calls(Endpoint::Import);
    wait_until("the destination is in trouble", async || calls() >= 2).await;
    cancel(scene, run_id).await;
    let finished = job.wait_for(run_id).await;
    finished.canceled(Counts { deferred: 1_500, ..Counts::default() });
    scene.sandbox.clear_faults();
    the_next_run_delivers_the_rest(&job, &finished, 0).await;
    assert_eq!(job.active(), emails(&people));
}

async fn canceling_before_the_first_batch_sends_nothing(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "early");
    let people = persons(300);
    job.ready(&people).await;

    let manifest = scene.hold(Before, "s3", "PUT Object", "early.json").await;
    let run_id = job.start().await;
    cancel_at(scene, manifest, run_id, RunState::Snapshotting).await;
    job.wait_for(run_id).await.canceled(Counts::default());
    is_free(scene, &job).await;

    let plan = scene.hold(Before, "s3", "PUT Object", "plan.json").await;
    let run_id = job.start().await;
    cancel_at(scene, plan, run_id, RunState::Chunking).await;
    job.wait_for(run_id).await.canceled(Counts::default());
    is_free(scene, &job).await;
    assert_eq!(scene.calls(Endpoint::Import), 0);
    let delivered = job.run().await;
    delivered.succeeded(Counts { added: 300, ..Counts::default() });
    too_late(scene, delivered.run.run_id, RunState::Succeeded).await;

    // A held run can be canceled.
    let mut few = people.clone();
    for left in &mut few[..200] {
        left.newsletter = false;
    }
    job.upload(&few).await;
    let run_id = job.start().await;
    let state = async || scene.run(run_id).await.unwrap().state;
    wait_until("the run is held", async || state().await == RunState::Held).await;
    cancel(scene, run_id).await;
    job.wait_for(run_id).await.canceled(Counts::default());
    assert_eq!((job.active().len(), scene.calls(Endpoint::Remove)), (300, 0));
    is_free(scene, &job).await;

    // A failed run cannot be canceled.
    job.connection["consent"] = json!(null);
    job.upload(&people).await;
    let definitions = scene.hold(Before, "s3", "PUT Object", "definitions/").await;
    let run_id = job.start().await;
    scene.held(definitions).await;
    job.save().await;
    scene.cloud.release(definitions).await.unwrap();
    job.wait_for(run_id).await.failed("consent_missing", &["has no consent"]);
    too_late(scene, run_id, RunState::Failed).await;
}

async fn canceling_a_waiting_run_frees_its_slot(scene: &Scene) {
    scene.reset();
    let job = Job::new(scene, "waiting");
    let people = persons(20);
    job.ready(&people).await;
    let snapshot = scene.hold(Before, "s3", "PUT Object", "waiting.json").await;
    let first = job.start().await;
    scene.held(snapshot).await;
    let ask = async || scene.start_run("waiting").await.unwrap();
    let second = ask().await;
    assert_eq!(second.request, "waiting");
    cancel(scene, second.run_id).await;
    job.wait_for(second.run_id).await.canceled(Counts::default());
    let place = async || scene.ledger().place(&job.id()).await.unwrap();
    assert_eq!(place().await, Place { active: Some(first), waiting: None });

    // A new request is not merged into the canceled run.
    let third = ask().await;
    assert_eq!(third.request, "waiting");
    assert_ne!(third.run_id, second.run_id);
    scene.cloud.release(snapshot).await.unwrap();
    job.wait_for(first).await.succeeded(Counts { added: 20, ..Counts::default() });
    job.wait_for(third.run_id).await.succeeded(Counts { unchanged: 20, ..Counts::default() });

    // Runs are listed newest first, with the canceled one.
    let ledger = scene.ledger();
    let (runs, cursor) = ledger.runs(&job.id(), 2, None).await.unwrap();
    let states: Vec<_> = runs.iter().map(|run| (run.run_id, run.state)).collect();
    assert_eq!(states, [(third.run_id, RunState::Succeeded), (second.run_id, RunState::Canceled)]);
    let (runs, cursor) = ledger.runs(&job.id(), 2, cursor).await.unwrap();
    assert_eq!((runs.iter().map(|run| run.run_id).collect::<Vec<_>>(), cursor), (vec![first], None));
    let (runs, cursor) = ledger.runs(&job.id(), 3, None).await.unwrap();
    assert_eq!((runs.len(), cursor), (3, None));
    let unknown = "unknown".to_owned().try_into().unwrap();
    assert_eq!(ledger.runs(&unknown, 3, None).await.unwrap(), (Vec::new(), None));
}
