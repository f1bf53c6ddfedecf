//! Nothing about a person, and no key, is anywhere but in the lake, the data bucket and the destination.

use crate::support::privacy::Needles;
use crate::support::{Job, Scene};
use fastrand::Rng;
use local::demo::People;
use relay_model::run::RunState;
use sandbox::campaign_monitor::{Endpoint, Fault};
use sandbox::faults::FaultKind;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_personal_and_no_key_leaves_its_place() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "private");
    let address = serde_json::json!({ "attribute": "address", "field": "Address" });
    job.export["mapping"].as_array_mut().unwrap().push(address);
    let field = serde_json::json!({ "name": "Address", "type": "Text" });
    job.export["options"]["create_missing_fields"].as_array_mut().unwrap().push(field);
    job.segment["query"] =
        "SELECT customer_id, email, name, city, points, address FROM private WHERE newsletter".into();
    job.own_connection(&scene.account.api_key, 4).await;
    job.save().await;
    let mut rng = Rng::with_seed(7);
    let mut people = People::new(400, &mut rng).persons;
    job.upload(&people).await;
    // Trouble is what makes programs talk.
    for kind in [FaultKind::Status(500), FaultKind::BadJson, FaultKind::DropAfterProcessing] {
        scene.sandbox.add_fault(Fault::once(Endpoint::Import, kind));
    }
    let first = job.run().await;
    assert_eq!(first.run.state, RunState::Succeeded);
    assert!(first.report.counts.rejected > 0, "{:?}", first.report.reasons);
    for left in people.iter_mut().step_by(9) {
        left.newsletter = false;
    }
    job.upload(&people).await;
    scene.sandbox.add_fault(Fault::once(Endpoint::Remove, FaultKind::Status(500)));
    scene.sandbox.add_fault(Fault::once(Endpoint::Details, FaultKind::BadJson));
    let second = job.run().await;
    assert!(second.report.counts.removed > 0, "{:?}", second.report.counts);
    job.change_key("ffffffffffffffffffffffffffffffff").await;
    for person in &mut people {
        person.name.push_str(" the Second");
    }
    job.upload(&people).await;
    let third = job.run().await;
    third.failed("authentication_failed", &["API key"]);

    let keys = [scene.account.api_key.as_str(), "ffffffffffffffffffffffffffffffff"];
    Needles::of(&people).and(keys).are_nowhere(&scene, &[first, second, third], Vec::new()).await;
}
