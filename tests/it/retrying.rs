//! What a run could not deliver is sent again, and nothing else.

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

/// A job of which a run was canceled when its first batch was under way.
async fn canceled_after_a_batch<'a>(scene: &'a Scene, job: &Job<'a>, batch: &str) -> crate::support::Over {
    let results = scene.hold(Before, "s3", "PUT Object", &format!("/0/{batch}.")).await;
    let run_id = job.start().await;
    scene.held(results).await;
    cancel(scene, run_id).await;
    scene.cloud.release(results).await.unwrap();
    job.over(run_id).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_was_deferred_or_rejected_goes_again() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    let mut job = Job::new(&scene, "again");
    // One lane: the batches go one after the other.
    job.own_connection(&scene.account.api_key, 1).await;
    let mut people = persons(1_008);
    for broken in &mut people[6..9] {
        broken.email = Some("broken@".to_owned());
    }
    job.ready(&people).await;
    let first = canceled_after_a_batch(&scene, &job, "000000").await;
    first.canceled(Counts { added: 1_000, deferred: 5, rejected: 3, ..Counts::default() });
    links_bring_the_files(&scene, &first).await;

    // Two are mended; one leaves, one moves and one comes, which is nothing to this run.
    people[6].email = person(7).email;
    people[7].email = person(8).email;
    people[49].newsletter = false;
    people[99].city = "Elsewhere".to_owned();
    people.push(person(2_000));
    job.upload(&people).await;
    let before = job.listed();
    let run_id = retry(&scene, first.run.run_id, "monday").await;
    assert_eq!(ask(&scene, first.run.run_id, "monday").await.unwrap(), Requested::Repeated(run_id));
    let over = job.over(run_id).await;
    over.succeeded(Counts { added: 7, rejected: 1, ..Counts::default() });
    assert_eq!((over.report.rows_in, over.run.mode), (8, RunMode::Retry { of: first.run.run_id }));
    assert_eq!(over.report.trigger.kind, TriggerKind::Retry);
    assert_eq!(over.report.targets[0].delivered, 1_007);
    assert!(over.report.notices.iter().any(|notice| notice.contains(&first.run.run_id.to_string())));
    let after = job.listed();
    assert_eq!(after.len(), 1_007);
    assert!(before.iter().all(|(email, listed)| after.get(email) == Some(listed)), "nobody else is touched");

    // The next run finds everybody else as the first one left them.
    let next = job.run().await;
    let counts =
        Counts { added: 1, changed: 1, removed: 1, unchanged: 1_005, rejected: 1, ..Counts::default() };
    next.succeeded(counts);
    assert_eq!(job.active(), emails(people.iter().filter(|person| person.id != "P0000009")));

    // A retry can be retried, and what nobody mends is rejected again.
    let run_id = retry(&scene, run_id, "tuesday").await;
    job.over(run_id).await.succeeded(Counts { rejected: 1, ..Counts::default() });
    people[8].email = person(9).email;
    job.upload(&people).await;
    let run_id = retry(&scene, run_id, "wednesday").await;
    let over = job.over(run_id).await;
    over.succeeded(Counts { added: 1, ..Counts::default() });
    assert_eq!(job.active(), emails(&people));
    let nothing = ask(&scene, run_id, "thursday").await;
    assert!(matches!(nothing, Err(StartError::NothingToRetry(run)) if run == run_id), "{nothing:?}");
}

async fn links_bring_the_files(scene: &Scene, over: &crate::support::Over) {
    let data = scene.data();
    for (key, name) in [
        (over.report.rejected_key.clone().unwrap(), "rejected.csv"),
        (over.run.report_key.clone().unwrap(), "report.json"),
    ] {
        let address = data.presigned_get(&key, Duration::from_mins(15), name).await.unwrap();
        let answer = reqwest::get(address).await.unwrap();
        assert_eq!(answer.status(), 200);
        let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert_eq!(disposition, format!("attachment; filename=\"{name}\""));
        assert_eq!(answer.bytes().await.unwrap(), data.get(&key).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removals_go_again_too() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "leavers");
    job.own_connection(&scene.account.api_key, 1).await;
    job.export["guard"] = json!({ "removed_percent": 100 });
    let mut people = persons(500);
    job.ready(&people).await;
    job.run().await.succeeded(Counts { added: 500, ..Counts::default() });
    for left in &mut people[..250] {
        left.newsletter = false;
    }
    job.upload(&people).await;
    let canceled = canceled_after_a_batch(&scene, &job, "000001").await;
    canceled.canceled(Counts { removed: 200, unchanged: 250, deferred: 50, ..Counts::default() });

    // One of them is back meanwhile, and another one leaves.
    people[249].newsletter = true;
    people[299].newsletter = false;
    job.upload(&people).await;
    let over = job.over(retry(&scene, canceled.run.run_id, "monday").await).await;
    // Whether they were still there was not known, so they are sent.
    over.succeeded(Counts { removed: 49, changed: 1, ..Counts::default() });
    assert_eq!(job.active().len(), 251);
    job.run().await.succeeded(Counts { removed: 1, unchanged: 250, ..Counts::default() });
    assert_eq!(job.active(), emails(&people));
    assert_eq!(scene.sandbox.report().foreign_deletes, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_that_cannot_be_says_why() {
    let scene = Scene::open().await;
    let job = Job::new(&scene, "expired");
    let mut people = persons(20);
    people[3].email = Some("broken@".to_owned());
    job.ready(&people).await;

    // A retry waits like any run, and whoever wants everything meanwhile gets everything.
    let first = job.run().await;
    first.succeeded(Counts { added: 19, rejected: 1, ..Counts::default() });
    let manifest = scene.hold(Before, "s3", "PUT Object", "expired.json").await;
    let active = job.start().await;
    scene.held(manifest).await;
    let not_over = ask(&scene, active, "active").await;
    assert!(matches!(not_over, Err(StartError::NotOver { run_id, .. }) if run_id == active), "{not_over:?}");
    let Requested::Waiting(waiting) = ask(&scene, first.run.run_id, "waits").await.unwrap() else {
        panic!("the export is busy")
    };
    assert_eq!(scene.run(waiting).await.unwrap().mode, RunMode::Retry { of: first.run.run_id });
    let merged = scene.start_run("expired").await.unwrap();
    assert_eq!((merged.run_id, merged.request.as_str()), (waiting, "merged"));
    assert_eq!(scene.run(waiting).await.unwrap().mode, RunMode::Delivery);
    let as_well = ask(&scene, first.run.run_id, "as well").await.unwrap();
    assert_eq!(as_well, Requested::Merged(waiting));
    assert_eq!(scene.run(waiting).await.unwrap().mode, RunMode::Delivery);
    scene.cloud.release(manifest).await.unwrap();
    job.over(active).await.succeeded(Counts { unchanged: 19, rejected: 1, ..Counts::default() });
    job.over(waiting).await.succeeded(Counts { unchanged: 19, rejected: 1, ..Counts::default() });

    // The bucket's lifecycle has deleted what the run left behind, in part or as a whole.
    let of = first.run.run_id;
    scene.data().delete(&format!("deltas/{of}/0.frames")).await.unwrap();
    let over = job.over(retry(&scene, of, "no rows").await).await;
    over.failed("retry_expired", &[&of.to_string(), "RunDataRetentionDays"]);
    scene.data().delete(&format!("deltas/{of}/plan.json")).await.unwrap();
    let over = job.over(retry(&scene, of, "no plan").await).await;
    over.failed("retry_expired", &[&of.to_string()]);
    scene.data().delete(&format!("snapshots/{of}/definitions/export.json")).await.unwrap();
    let over = job.over(retry(&scene, of, "nothing").await).await;
    over.failed("retry_expired", &[&of.to_string()]);
    assert_eq!(over.run.chunk_started_at, None, "nothing is evaluated in vain");
    assert_eq!(job.active().len(), 19);

    let unknown: RunId = "0198c0de-0000-7000-8000-000000000001".parse().unwrap();
    let missing = ask(&scene, unknown, "unknown").await;
    assert!(matches!(missing, Err(StartError::RunMissing(run)) if run == unknown), "{missing:?}");
}
