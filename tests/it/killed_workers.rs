//! Killed push workers: the same final state and the same counts as without.

use crate::support::messages::dead_letters;
use crate::support::{FinishedRun, Job, Scene, emails, persons, wait_until};
use crate::{dynamics365_sales, marketo, omnisend, removed_connections};
use relay_model::Counts;
use sandbox::campaign_monitor::{Endpoint, Fault};
use sandbox::faults::FaultKind;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_workers_change_nothing() {
    let scene = Scene::open_with(|options| options.timeouts("Push", 40, 4)).await;
    tokio::join!(
        campaign_monitor(&scene),
        marketo::killed_workers(&scene),
        omnisend::killed_workers(&scene),
        dynamics365_sales::killed_workers(&scene),
    );
    removed_connections::a_killed_worker_does_not_block_canceling(&scene).await;
    assert_eq!(dead_letters(&scene).await, 0);
}

async fn campaign_monitor(scene: &Scene) {
    workers_killed_during_imports(scene).await;
    a_worker_killed_during_removals(scene).await;
}

/// Longer than any test waits: the worker never gets this response.
const NEVER_MS: u64 = 120_000;

/// Kills the push worker as soon as Campaign Monitor processes a call with this fault.
async fn kill_in_mid_call(scene: &Scene, fault: Fault) {
    scene.sandbox.add_fault(fault);
    wait_until("a call is under way", async || scene.sandbox.faults().is_empty()).await;
    scene.kill("push-campaign-monitor");
}

/// Checks that two exports of the same people to two lists have the same results.
#[track_caller]
pub(crate) fn same(disturbed: (&Job<'_>, &FinishedRun), undisturbed: (&Job<'_>, &FinishedRun)) {
    let (job, finished) = disturbed;
    let (other, expected) = undisturbed;
    finished.is_as(expected);
    assert_eq!(job.listed(), other.listed());
}

async fn workers_killed_during_imports(scene: &Scene) {
    scene.reset();
    let (job, calm) = (Job::new(scene, "killed_imports"), Job::new(scene, "calm_imports"));
    let mut people = persons(2_500);
    people[7].email = Some("broken@".to_owned());
    for job in [&job, &calm] {
        job.ready(&people).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 2_499, rejected: 1, ..Counts::default() });

    let run_id = job.start().await;
    // The first worker is killed before the destination carries out its call, which happens later.
    kill_in_mid_call(scene, Fault::once(Endpoint::Import, FaultKind::DelayBefore(3_000))).await;
    // The second worker is killed after all people are imported, before it receives the response.
    kill_in_mid_call(scene, Fault::once(Endpoint::Import, FaultKind::DelayAfter(NEVER_MS))).await;
    let finished = job.wait_for(run_id).await;
    same((&job, &finished), (&calm, &expected));
    assert_eq!(job.active(), emails(people.iter().filter(|person| person.id != "P0000008")));
    assert_eq!(dead_letters(scene).await, 0);
}

async fn a_worker_killed_during_removals(scene: &Scene) {
    scene.reset();
    let (job, calm) = (Job::new(scene, "killed_removals"), Job::new(scene, "calm_removals"));
    let mut people = persons(300);
    for job in [&job, &calm] {
        job.ready(&people).await;
        job.run().await.succeeded(Counts { added: 300, ..Counts::default() });
    }
    for left in &mut people[100..180] {
        left.newsletter = false;
    }
    for job in [&job, &calm] {
        job.upload(&people).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { removed: 80, unchanged: 220, ..Counts::default() });

    let run_id = job.start().await;
    // Some are removed already; this one is removed too, but the response is lost.
    let fault = Fault::once(Endpoint::Remove, FaultKind::DelayAfter(NEVER_MS)).every(10);
    kill_in_mid_call(scene, fault).await;
    let finished = job.wait_for(run_id).await;
    same((&job, &finished), (&calm, &expected));
    assert_eq!(job.active(), emails(&people));
    let report = scene.sandbox.report();
    assert_eq!((report.deletes, report.foreign_deletes), (160, 0), "no member is deleted twice");
}
