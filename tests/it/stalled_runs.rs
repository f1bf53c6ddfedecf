//! Stalled runs: tick resumes them, and gives up runs that cannot complete. The tests choose the time of each tick.

use crate::support::messages::queues_are_empty;
use crate::support::{Job, Scene, emails, persons, wait_until};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use local::cloud::Moment::Before;
use relay_cloud::ledger::{Requested, RunChange, RunRequest};
use relay_model::run::{CancelReason, Cancellation, RunMode, RunState, Stage, Trigger, TriggerKind};
use relay_model::{Counts, RunId};
use relay_pipeline::tick::{Tick, Ticked};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_runs_are_resumed_or_given_up() {
    let scene = Scene::open().await;
    a_step_that_never_completes_fails_its_run(&scene).await;
    batches_without_results_for_a_day_are_given_up(&scene).await;
    runs_that_hold_no_slot_are_resumed(&scene).await;
    // The last story kills functions, whose messages block their message groups until the visibility timeout.
    stalled_runs_are_resumed(&scene).await;
}

/// Returns how many runs a tick at `now` resumes. Checks that no export is due and that no error occurs.
async fn pushed_on(scene: &Scene, now: Timestamp) -> u64 {
    let ticked = Tick { requests: scene.requests() }.run(now).await.unwrap();
    assert_eq!(ticked, Ticked { pushed_on: ticked.pushed_on, ..Ticked::default() });
    ticked.pushed_on
}

fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

fn later(minutes: i64) -> Timestamp {
    ago(-minutes)
}

/// Runs that are in the ledger and whose messages were never sent.
struct StalledRuns<'a> {
    scene: &'a Scene,
    job: &'a Job<'a>,
    asked: u64,
}

impl StalledRuns<'_> {
    /// Requests a run as if it were so many minutes ago.
    async fn run(&mut self, minutes: i64) -> RunId {
        self.asked += 1;
        let run_id: RunId = format!("0198c0de-0000-7000-8000-{:012}", self.asked).parse().unwrap();
        let request = RunRequest {
            run_id,
            export_id: self.job.id(),
            connection_id: "campaign-monitor".to_owned().try_into().unwrap(),
            mode: RunMode::Delivery,
            trigger: Trigger::new(TriggerKind::OnDemand, format!("request {}", self.asked)),
            now: ago(minutes),
        };
        let requested = self.scene.ledger().request_run(&request).await.unwrap();
        assert!(matches!(requested, Requested::Started(run) | Requested::Waiting(run) if run == run_id));
        run_id
    }

    /// Advances a run as if it were so many minutes ago.
    async fn advance(&self, run_id: RunId, from: RunState, to: RunState, minutes: i64, change: &RunChange) {
        let advanced = self.scene.ledger().advance(run_id, &[from], to, ago(minutes), change).await.unwrap();
        assert!(advanced);
    }

    /// Deletes a run from the ledger, as its expiry does after months.
    async fn forget(&self, run_id: RunId) {
        let request = self.scene.clients.dynamodb().delete_item();
        let request = request.table_name(&self.scene.cloud.outputs().ledger_table);
        let request = request.key("pk", AttributeValue::S(format!("run#{run_id}")));
        request.key("sk", AttributeValue::S("run".to_owned())).send().await.unwrap();
    }

    async fn active(&self) -> Option<RunId> {
        self.scene.ledger().active_run(&self.job.id()).await.unwrap()
    }
}

async fn job<'a>(scene: &'a Scene, name: &str) -> Job<'a> {
    let job = Job::new(scene, name);
    job.ready(&persons(20)).await;
    job
}

async fn stalled_runs_are_resumed(scene: &Scene) {
    scene.reset();
    let job = job(scene, "still").await;
    let mut silent = StalledRuns { scene, job: &job, asked: 100 };

    // The message to the first step was lost.
    let run_id = silent.run(5).await;
    assert_eq!(pushed_on(scene, later(14)).await, 0, "it may be at work yet");
    assert_eq!(pushed_on(scene, later(16)).await, 1);
    job.wait_for(run_id).await.succeeded(Counts { added: 20, ..Counts::default() });
    assert_eq!(pushed_on(scene, later(60)).await, 0, "it is over");

    // The previous run ended, but its finish was killed before it started this run.
    let before = silent.run(30).await;
    let run_id = silent.run(25).await;
    assert_eq!(scene.ledger().release(&job.id(), before, None).await.unwrap(), Some(run_id));
    assert_eq!(pushed_on(scene, Timestamp::now()).await, 1);
    job.wait_for(run_id).await.succeeded(Counts { unchanged: 20, ..Counts::default() });

    // A finished run still holds the slot of its export.
    let run_id = silent.run(25).await;
    silent.advance(run_id, RunState::Snapshotting, RunState::Succeeded, 25, &RunChange::default()).await;
    assert_eq!(pushed_on(scene, Timestamp::now()).await, 1);
    wait_until("the export is free", async || silent.active().await.is_none()).await;

    // A run that was held until its ledger item expired does not block its export.
    let forgotten = silent.run(5).await;
    silent.forget(forgotten).await;
    assert_eq!(pushed_on(scene, Timestamp::now()).await, 1);
    assert_eq!(silent.active().await, None);
    let forgotten = silent.run(5).await;
    let run_id = silent.run(4).await;
    silent.forget(forgotten).await;
    assert_eq!(pushed_on(scene, Timestamp::now()).await, 1);
    job.wait_for(run_id).await.succeeded(Counts { unchanged: 20, ..Counts::default() });

    // The last batch is closed, but its worker was killed before it started finish.
    let mut people = persons(20);
    "Elsewhere".clone_into(&mut people[3].city);
    job.upload(&people).await;
    let message = scene.hold(Before, "sqs", "SendMessageBatch", "/finish/0").await;
    let run_id = job.start().await;
    scene.kill_at("push-campaign-monitor", message).await;
    assert_eq!(pushed_on(scene, later(21)).await, 1);
    job.wait_for(run_id).await.succeeded(Counts { changed: 1, unchanged: 19, ..Counts::default() });

    // A step was killed, and its message returns only after the long visibility timeout of the queue.
    let message = scene.hold(Before, "sqs", "SendMessageBatch", "/chunk/0").await;
    let run_id = job.start().await;
    scene.kill_at("snapshot", message).await;
    assert_eq!(pushed_on(scene, later(21)).await, 1);
    job.wait_for(run_id).await.succeeded(Counts { unchanged: 20, ..Counts::default() });

    // A held run waits for approval without a limit.
    let run_id = silent.run(5).await;
    silent.advance(run_id, RunState::Snapshotting, RunState::Held, 5, &RunChange::default()).await;
    assert_eq!(pushed_on(scene, later(100 * 24 * 60)).await, 0);
    assert_eq!(scene.run(run_id).await.unwrap().state, RunState::Held);
}

async fn a_step_that_never_completes_fails_its_run(scene: &Scene) {
    scene.reset();
    let job = job(scene, "endless").await;
    let mut silent = StalledRuns { scene, job: &job, asked: 200 };

    let run_id = silent.run(361).await;
    assert_eq!(pushed_on(scene, Timestamp::now()).await, 1);
    let finished = job.wait_for(run_id).await;
    finished.failed("step_never_ends", &["again and again", "more memory or time"]);
    assert_eq!(finished.run.failure.unwrap().stage, Stage::Snapshot);
    wait_until("the export is free", async || silent.active().await.is_none()).await;

    let run_id = silent.run(500).await;
    let began = RunChange { started: Some(Stage::Chunk), ..RunChange::default() };
    silent.advance(run_id, RunState::Snapshotting, RunState::Chunking, 361, &began).await;
    assert_eq!(pushed_on(scene, Timestamp::now()).await, 1);
    let finished = job.wait_for(run_id).await;
    finished.failed("step_never_ends", &["again and again"]);
    assert_eq!(finished.run.failure.unwrap().stage, Stage::Chunk);
    assert_eq!(scene.sandbox.report().calls.len(), 0, "nothing was sent");
    wait_until("the export is free", async || silent.active().await.is_none()).await;

    // The run is old but its step is not: the step is repeated.
    let run_id = silent.run(500).await;
    let began = RunChange { started: Some(Stage::Snapshot), ..RunChange::default() };
    silent.advance(run_id, RunState::Snapshotting, RunState::Snapshotting, 340, &began).await;
    assert_eq!(pushed_on(scene, Timestamp::now()).await, 1);
    job.wait_for(run_id).await.succeeded(Counts { added: 20, ..Counts::default() });
}

async fn batches_without_results_for_a_day_are_given_up(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "lost");
    // With one lane the batches are sent one after the other.
    job.own_connection(&scene.account.api_key, 1).await;
    let people = persons(1_500);
    job.ready(&people).await;

    // The people of the second batch are on the list, but their results are not stored.
    let results = scene.hold(Before, "s3", "PUT Object", "/0/000001.").await;
    let run_id = job.start().await;
    scene.held(results).await;
    let run = scene.run(run_id).await.unwrap();
    assert_eq!((run.state, run.batches, run.batches_open), (RunState::Pushing, 2, 1));
    assert_eq!(pushed_on(scene, later(23 * 60 + 50)).await, 0, "they may wait behind those of others");
    assert_eq!(pushed_on(scene, later(24 * 60 + 1)).await, 1);
    let finished = job.wait_for(run_id).await;
    finished.failed("batches_lost", &["deferred", "dead-letter queue"]);
    let counts = finished.report.counts;
    assert_eq!((finished.report.rows_in, counts.added + counts.deferred), (1_500, 1_500));
    assert!(counts.added > 0 && counts.deferred > 0, "{counts:?}");

    // Late results change nothing, because these rows have outcomes.
    scene.cloud.release(results).await.unwrap();
    wait_until("all messages are handled", async || queues_are_empty(scene).await).await;
    assert_eq!(scene.run(run_id).await.unwrap(), finished.run);
    assert_eq!(job.active(), emails(&people));

    // The people are on the list already, and this time the results are stored.
    let next = job.run().await;
    next.succeeded(Counts { added: counts.deferred, unchanged: counts.added, ..Counts::default() });
    assert_eq!(job.active(), emails(&people));
}

/// The next time from `at` on at which tick checks runs without a slot.
fn next_check(at: Timestamp) -> Timestamp {
    const SECONDS: i64 = 20 * 60;
    Timestamp::from_second((at.as_second() + SECONDS - 1).div_euclid(SECONDS) * SECONDS).unwrap()
}

async fn runs_that_hold_no_slot_are_resumed(scene: &Scene) {
    scene.reset();
    let job = job(scene, "placeless").await;
    let mut silent = StalledRuns { scene, job: &job, asked: 300 };

    // The message of a dry run was lost. A dry run blocks no other run, so it is given up after hours only.
    let dry_run: RunId = "0198c0de-0000-7000-8000-999999999999".parse().unwrap();
    let request = RunRequest {
        run_id: dry_run,
        export_id: job.id(),
        connection_id: "campaign-monitor".to_owned().try_into().unwrap(),
        mode: RunMode::DryRun,
        trigger: Trigger::new(TriggerKind::OnDemand, "dry".to_owned()),
        now: Timestamp::now(),
    };
    scene.ledger().request_beside(&request).await.unwrap();
    assert_eq!(pushed_on(scene, next_check(later(0))).await, 0);
    assert_eq!(scene.run(dry_run).await.unwrap().state, RunState::Snapshotting);
    assert_eq!(pushed_on(scene, next_check(later(6 * 60 + 1))).await, 1);
    let run = scene.run(dry_run).await.unwrap();
    assert_eq!((run.state, run.failure.unwrap().code.as_str()), (RunState::Failed, "step_never_ends"));
    assert_eq!(pushed_on(scene, next_check(later(6 * 60 + 1))).await, 0, "it is over");

    // A waiting run was canceled, but finish was never started.
    let first = silent.run(5).await;
    let waiting = silent.run(4).await;
    let reason = CancelReason::Asked;
    let cancellation = Cancellation { by: "the test".to_owned(), at: Timestamp::now(), reason };
    let now = Timestamp::now();
    assert!(scene.ledger().cancel_waiting(&job.id(), waiting, &cancellation, now).await.unwrap());
    let held = RunChange::default();
    silent.advance(first, RunState::Snapshotting, RunState::Held, 5, &held).await;
    assert_eq!(pushed_on(scene, next_check(later(21))).await, 1);
    job.wait_for(waiting).await.canceled(Counts::default());
}
