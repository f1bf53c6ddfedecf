//! Messages that are delivered twice: the same final state and the same counts as with single messages.

use crate::killed_workers::same;
use crate::support::messages::{Sent, dead_letters, doubling, queues_are_empty};
use crate::support::{FinishedRun, Job, Scene, person, persons, wait_until};
use crate::{dynamics365_sales, marketo, omnisend};
use relay_model::Counts;
use sandbox::campaign_monitor::{Endpoint, Fault};
use sandbox::faults::FaultKind;

/// A destination after its runs with doubled messages.
pub(crate) struct Delivered<'a> {
    /// Returns how many calls the destination has received.
    pub(crate) calls: Box<dyn Fn() -> usize + 'a>,
    /// The last run.
    pub(crate) last_run: FinishedRun,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doubled_messages_change_nothing() {
    let scene = Scene::open().await;
    let delivered = [
        campaign_monitor(&scene).await,
        marketo::doubled_messages(&scene).await,
        omnisend::doubled_messages(&scene).await,
        dynamics365_sales::doubled_messages(&scene).await,
    ];

    // All messages are sent once more after the runs: finished runs do not change, and no call is made.
    let calls = || delivered.iter().map(|destination| (destination.calls)()).sum::<usize>();
    let calls_before = calls();
    for sent in Sent::all(&scene) {
        sent.again(&scene, "late").await;
    }
    wait_until("all messages are handled", async || queues_are_empty(&scene).await).await;
    assert_eq!(calls(), calls_before);
    for Delivered { last_run, .. } in &delivered {
        let again = FinishedRun::of(&scene, scene.run(last_run.run.run_id).await.unwrap()).await;
        assert_eq!((&again.run, &again.report), (&last_run.run, &last_run.report));
    }
    assert_eq!(dead_letters(&scene).await, 0);
}

async fn campaign_monitor(scene: &Scene) -> Delivered<'_> {
    scene.reset();
    let (job, calm) = (Job::new(scene, "doubled"), Job::new(scene, "calm"));
    let mut people = persons(1_200);
    people[7].email = Some("broken@".to_owned());
    for job in [&job, &calm] {
        job.ready(&people).await;
    }
    let expected = calm.run().await;
    // The second message of each batch arrives while a worker processes the first one.
    scene.sandbox.add_fault(Fault::once(Endpoint::Import, FaultKind::DelayAfter(700)).times(3));
    let finished = doubling(scene, Box::pin(job.run())).await;
    same((&job, &finished), (&calm, &expected));

    people.truncate(1_150);
    people.extend((2_000..2_020).map(person));
    for job in [&job, &calm] {
        job.upload(&people).await;
    }
    let expected = calm.run().await;
    let finished = doubling(scene, Box::pin(job.run())).await;
    expected.succeeded(Counts { added: 20, removed: 50, unchanged: 1_149, rejected: 1, ..Counts::default() });
    same((&job, &finished), (&calm, &expected));

    Delivered {
        calls: Box::new(|| scene.calls(Endpoint::Import) + scene.calls(Endpoint::Remove)),
        last_run: finished,
    }
}
