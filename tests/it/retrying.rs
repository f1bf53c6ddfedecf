//! Retries: they send the rows that a run could not deliver, and no others.

use crate::canceling::cancel;
use crate::support::{Job, Scene, emails, person, persons};
use jiff::Timestamp;
use local::cloud::Moment::Before;
use relay_cloud::ledger::Requested;
use relay_model::run::{RunMode, Trigger, TriggerKind};
use relay_model::{Counts, RunId};
use relay_pipeline::StartError;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_sends_what_was_not_delivered() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    a_retry_sends_only_deferred_and_rejected_rows(&scene).await;
    a_retry_sends_removals(&scene).await;
    an_impossible_retry_gives_the_reason(&scene).await;
}

async fn ask(scene: &Scene, of: RunId, key: &str) -> Result<Requested, StartError> {
    let trigger = Trigger::new(TriggerKind::Retry, format!("retry/{key}"));
    scene.requests().retry(of, trigger, Timestamp::now()).await
}

/// Starts a run that retries another one.
async fn retry(scene: &Scene, of: RunId, key: &str) -> RunId {
    let requested = ask(scene, of, key).await.unwrap();
    assert!(matches!(requested, Requested::Started(_)), "{requested:?}");
    requested.run_id()
}

/// Runs an export and cancels the run while a batch is in flight.
async fn canceled_after_a_batch<'a>(
    scene: &'a Scene,
    job: &Job<'a>,
    batch: &str,
) -> crate::support::FinishedRun {
    let results = scene.hold(Before, "s3", "PUT Object", &format!("/0/{batch}.")).await;
    let run_id = job.start().await;
    scene.held(results).await;
    cancel(scene, run_id).await;
    scene.cloud.release(results).await.unwrap();
    job.wait_for(run_id).await
}

async fn a_retry_sends_only_deferred_and_rejected_rows(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "again");
    // With one lane the batches are sent one after the other.
    job.own_connection(&scene.account.api_key, 1).await;
    let mut people = persons(1_008);
    for broken in &mut people[6..9] {
        broken.email = Some("broken@".to_owned());
    }
    job.ready(&people).await;
    let first = canceled_after_a_batch(scene, &job, "000000").await;
    first.canceled(Counts { added: 1_000, deferred: 5, rejected: 3, ..Counts::default() });
    links_bring_the_files(scene, &first).await;

    // Two rows are corrected. A removal, a change and an addition do not concern the retry.
    people[6].email = person(7).email;
    people[7].email = person(8).email;
    people[49].newsletter = false;
    "Elsewhere".clone_into(&mut people[99].city);
    people.push(person(2_000));
    job.upload(&people).await;
    let before = job.listed();
    let run_id = retry(scene, first.run.run_id, "monday").await;
    assert_eq!(ask(scene, first.run.run_id, "monday").await.unwrap(), Requested::Repeated(run_id));
    let finished = job.wait_for(run_id).await;
    finished.succeeded(Counts { added: 7, rejected: 1, ..Counts::default() });
    assert_eq!((finished.report.rows_in, finished.run.mode), (8, RunMode::Retry { of: first.run.run_id }));
    assert_eq!(finished.report.trigger.kind, TriggerKind::Retry);
    assert_eq!(finished.report.targets[0].delivered, 1_007);
    assert!(finished.report.notices.iter().any(|notice| notice.contains(&first.run.run_id.to_string())));
    let after = job.listed();
    assert_eq!(after.len(), 1_007);
    assert!(
        before.iter().all(|(email, listed)| after.get(email) == Some(listed)),
        "no other member is changed"
    );

    // The next run finds all other members as the first run left them.
    let next = job.run().await;
    let counts =
        Counts { added: 1, changed: 1, removed: 1, unchanged: 1_005, rejected: 1, ..Counts::default() };
    next.succeeded(counts);
    assert_eq!(job.active(), emails(people.iter().filter(|person| person.id != "P0000009")));

    // A retry can be retried, and a row that is not corrected is rejected again.
    let run_id = retry(scene, run_id, "tuesday").await;
    job.wait_for(run_id).await.succeeded(Counts { rejected: 1, ..Counts::default() });
    people[8].email = person(9).email;
    job.upload(&people).await;
    let run_id = retry(scene, run_id, "wednesday").await;
    let finished = job.wait_for(run_id).await;
    finished.succeeded(Counts { added: 1, ..Counts::default() });
    assert_eq!(job.active(), emails(&people));
    let nothing = ask(scene, run_id, "thursday").await;
    assert!(matches!(nothing, Err(StartError::NothingToRetry(run)) if run == run_id), "{nothing:?}");
}

async fn links_bring_the_files(scene: &Scene, finished: &crate::support::FinishedRun) {
    let data = scene.data();
    for (key, name) in [
        (finished.report.rejected_key.clone().unwrap(), "rejected.csv"),
        (finished.run.report_key.clone().unwrap(), "report.json"),
    ] {
        let address = data.presigned_get(&key, Duration::from_mins(15), name).await.unwrap();
        let answer = reqwest::get(address).await.unwrap();
        assert_eq!(answer.status(), 200);
        let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert_eq!(disposition, format!("attachment; filename=\"{name}\""));
        assert_eq!(answer.bytes().await.unwrap(), data.get(&key).await.unwrap());
    }
}

async fn a_retry_sends_removals(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "leavers");
    job.own_connection(&scene.account.api_key, 1).await;
    job.export["guard"] = json!({ "removed_percent": 100 });
    let mut people = persons(500);
    job.ready(&people).await;
    job.run().await.succeeded(Counts { added: 500, ..Counts::default() });
    for left in &mut people[..250] {
        left.newsletter = false;
    }
    job.upload(&people).await;
    let canceled = canceled_after_a_batch(scene, &job, "000001").await;
    canceled.canceled(Counts { removed: 200, unchanged: 250, deferred: 50, ..Counts::default() });

    // One member is in the segment again meanwhile, and another one is not.
    people[249].newsletter = true;
    people[299].newsletter = false;
    job.upload(&people).await;
    let finished = job.wait_for(retry(scene, canceled.run.run_id, "monday").await).await;
    // The outcome of the deferred removals is unknown, so the rows are sent again.
    finished.succeeded(Counts { removed: 49, changed: 1, ..Counts::default() });
    assert_eq!(job.active().len(), 251);
    job.run().await.succeeded(Counts { removed: 1, unchanged: 250, ..Counts::default() });
    assert_eq!(job.active(), emails(&people));
    assert_eq!(scene.sandbox.report().foreign_deletes, 0);
}

async fn an_impossible_retry_gives_the_reason(scene: &Scene) {
    scene.reset();
    let job = Job::new(scene, "expired");
    let mut people = persons(20);
    people[3].email = Some("broken@".to_owned());
    job.ready(&people).await;

    // A retry waits like any run; a delivery that is requested meanwhile widens it to all rows.
    let first = job.run().await;
    first.succeeded(Counts { added: 19, rejected: 1, ..Counts::default() });
    let manifest = scene.hold(Before, "s3", "PUT Object", "expired.json").await;
    let active = job.start().await;
    scene.held(manifest).await;
    let not_over = ask(scene, active, "active").await;
    assert!(matches!(not_over, Err(StartError::NotOver { run_id, .. }) if run_id == active), "{not_over:?}");
    let Requested::Waiting(waiting) = ask(scene, first.run.run_id, "waits").await.unwrap() else {
        unreachable!("the export is busy")
    };
    assert_eq!(scene.run(waiting).await.unwrap().mode, RunMode::Retry { of: first.run.run_id });
    let merged = scene.start_run("expired").await.unwrap();
    assert_eq!((merged.run_id, merged.request.as_str()), (waiting, "merged"));
    assert_eq!(scene.run(waiting).await.unwrap().mode, RunMode::Delivery);
    let as_well = ask(scene, first.run.run_id, "as well").await.unwrap();
    assert_eq!(as_well, Requested::Merged(waiting));
    assert_eq!(scene.run(waiting).await.unwrap().mode, RunMode::Delivery);
    scene.cloud.release(manifest).await.unwrap();
    job.wait_for(active).await.succeeded(Counts { unchanged: 19, rejected: 1, ..Counts::default() });
    job.wait_for(waiting).await.succeeded(Counts { unchanged: 19, rejected: 1, ..Counts::default() });

    // The lifecycle of the bucket has deleted some or all objects of the run.
    let of = first.run.run_id;
    scene.data().delete(&format!("deltas/{of}/0.frames")).await.unwrap();
    let finished = job.wait_for(retry(scene, of, "no rows").await).await;
    finished.failed("retry_expired", &[&of.to_string(), "RunDataRetentionDays"]);
    scene.data().delete(&format!("deltas/{of}/plan.json")).await.unwrap();
    let finished = job.wait_for(retry(scene, of, "no plan").await).await;
    finished.failed("retry_expired", &[&of.to_string()]);
    scene.data().delete(&format!("snapshots/{of}/definitions/export.json")).await.unwrap();
    let finished = job.wait_for(retry(scene, of, "nothing").await).await;
    finished.failed("retry_expired", &[&of.to_string()]);
    assert_eq!(finished.run.chunk_started_at, None, "nothing is evaluated in vain");
    assert_eq!(job.active().len(), 19);

    let unknown: RunId = "0198c0de-0000-7000-8000-000000000001".parse().unwrap();
    let missing = ask(scene, unknown, "unknown").await;
    assert!(matches!(missing, Err(StartError::RunMissing(run)) if run == unknown), "{missing:?}");
}
