//! A destination in trouble: nobody is lost, nobody is doubled, and the counts are right.

use crate::support::messages::dead_letters;
use crate::support::{Job, Scene, emails, persons};
use relay_model::Counts;
use sandbox::campaign_monitor::{Endpoint, Fault};
use sandbox::faults::FaultKind;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stumbles_of_the_destination_are_got_over() {
    let scene = Scene::open().await;
    let job = Job::new(&scene, "trouble");
    job.save().await;
    let mut people = persons(2_000);
    job.upload(&people).await;
    for kind in [
        FaultKind::Status(500),
        FaultKind::DropAfterProcessing,
        FaultKind::TooManyRequests,
        FaultKind::StatusAfterProcessing(502),
        FaultKind::DropConnection,
    ] {
        scene.sandbox.add_fault(Fault::once(Endpoint::Import, kind));
    }
    scene.sandbox.add_fault(Fault::once(Endpoint::List, FaultKind::Status(503)));
    job.run().await.succeeded(Counts { added: 2_000, ..Counts::default() });
    assert_eq!(job.active(), emails(&people));
    assert_eq!(job.listed().len(), 2_000);
    assert_eq!(scene.sandbox.report().faults, 6);

    for left in &mut people[500..560] {
        left.newsletter = false;
    }
    job.upload(&people).await;
    for kind in [FaultKind::DropAfterProcessing, FaultKind::Status(500), FaultKind::TooManyRequests] {
        scene.sandbox.add_fault(Fault::once(Endpoint::Remove, kind).every(7));
    }
    job.run().await.succeeded(Counts { removed: 60, unchanged: 1_940, ..Counts::default() });
    assert_eq!(job.active(), emails(&people));
    let report = scene.sandbox.report();
    assert_eq!((report.faults, report.deletes, report.foreign_deletes), (9, 60, 0));

    // Those whose removal stumbled were removed by us all the same, so they may come back.
    for back in &mut people[500..560] {
        back.newsletter = true;
    }
    job.upload(&people).await;
    job.run().await.succeeded(Counts { added: 60, unchanged: 1_940, ..Counts::default() });
    assert_eq!(job.active(), emails(&people));
    assert_eq!(dead_letters(&scene).await, 0);
}
