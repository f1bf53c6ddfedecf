//! Push workers that die and messages that come twice: the same end state and the same counts as without.

use crate::support::messages::{Sent, dead_letters, doubling, queues_are_empty};
use crate::support::{Job, Over, Scene, emails, person, persons, wait_until};
use relay_model::Counts;
use sandbox::campaign_monitor::{Endpoint, Fault};
use sandbox::faults::FaultKind;

/// Longer than any test waits for it: the worker never sees this answer.
const NEVER_MS: u64 = 120_000;

/// A world in which the message of a dead worker is delivered again soon.
async fn open() -> Scene {
    Scene::open_with(|options| options.timeouts("Push", 40, 4)).await
}

/// Ends the push worker as nothing can prevent, as soon as the destination has begun with a call that goes wrong.
async fn kill_in_mid_call(scene: &Scene, fault: Fault) {
    scene.sandbox.add_fault(fault);
    wait_until("a call is under way", async || scene.sandbox.faults().is_empty()).await;
    scene.kill("push-campaign-monitor");
}

/// Two exports of the same people to two lists have come to the same.
#[track_caller]
pub(crate) fn same(disturbed: (&Job<'_>, &Over), undisturbed: (&Job<'_>, &Over)) {
    let (job, over) = disturbed;
    let (other, expected) = undisturbed;
    over.is_as(expected);
    assert_eq!(job.listed(), other.listed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_in_mid_import_changes_nothing() {
    let scene = open().await;
    let (job, calm) = (Job::new(&scene, "killed"), Job::new(&scene, "calm"));
    let mut people = persons(2_500);
    people[7].email = Some("broken@".to_owned());
    for job in [&job, &calm] {
        job.ready(&people).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 2_499, rejected: 1, ..Counts::default() });

    let run_id = job.start().await;
    // The first worker dies before its call does anything: the destination does it later all the same.
    kill_in_mid_call(&scene, Fault::once(Endpoint::Import, FaultKind::DelayBefore(3_000))).await;
    // The second one dies when everybody is imported and the answer is on its way.
    kill_in_mid_call(&scene, Fault::once(Endpoint::Import, FaultKind::DelayAfter(NEVER_MS))).await;
    let over = job.over(run_id).await;
    same((&job, &over), (&calm, &expected));
    assert_eq!(job.active(), emails(people.iter().filter(|person| person.id != "P0000008")));
    assert_eq!(dead_letters(&scene).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_in_mid_removal_changes_nothing() {
    let scene = open().await;
    let (job, calm) = (Job::new(&scene, "killed"), Job::new(&scene, "calm"));
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
    // Some are gone already; this one is too, and nobody has heard of it.
    let fault = Fault::once(Endpoint::Remove, FaultKind::DelayAfter(NEVER_MS)).every(10);
    kill_in_mid_call(&scene, fault).await;
    let over = job.over(run_id).await;
    same((&job, &over), (&calm, &expected));
    assert_eq!(job.active(), emails(&people));
    let report = scene.sandbox.report();
    assert_eq!((report.deletes, report.foreign_deletes), (160, 0), "nobody is deleted twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_come_twice_change_nothing() {
    let scene = Scene::open().await;
    let (job, calm) = (Job::new(&scene, "doubled"), Job::new(&scene, "calm"));
    let mut people = persons(1_200);
    people[7].email = Some("broken@".to_owned());
    for job in [&job, &calm] {
        job.ready(&people).await;
    }
    let expected = calm.run().await;
    // So that the second message of each batch comes while the first one is being worked on.
    scene.sandbox.add_fault(Fault::once(Endpoint::Import, FaultKind::DelayAfter(700)).times(3));
    let over = doubling(&scene, Box::pin(job.run())).await;
    same((&job, &over), (&calm, &expected));

    people.truncate(1_150);
    people.extend((2_000..2_020).map(person));
    for job in [&job, &calm] {
        job.upload(&people).await;
    }
    let expected = calm.run().await;
    let over = doubling(&scene, Box::pin(job.run())).await;
    expected.succeeded(Counts { added: 20, removed: 50, unchanged: 1_149, rejected: 1, ..Counts::default() });
    same((&job, &over), (&calm, &expected));

    // Long after, all of them once more: runs that are over stay as they are.
    let calls = scene.calls(Endpoint::Import) + scene.calls(Endpoint::Remove);
    for sent in Sent::all(&scene) {
        sent.again(&scene, "late").await;
    }
    wait_until("all messages are handled", async || queues_are_empty(&scene).await).await;
    assert_eq!(scene.calls(Endpoint::Import) + scene.calls(Endpoint::Remove), calls);
    let again = Over::of(&scene, scene.run(over.run.run_id).await.unwrap()).await;
    assert_eq!(again.run, over.run);
    same((&job, &again), (&calm, &expected));
    assert_eq!(dead_letters(&scene).await, 0);
}
