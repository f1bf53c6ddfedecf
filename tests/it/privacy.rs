//! Personal data and secrets are only in the lake, the data bucket and the destination.

use crate::support::leaks::{Needles, SearchedRuns};
use crate::support::messages::dead_letters;
use crate::support::{Job, Scene};
use crate::{dynamics365_sales, marketo, omnisend};
use fastrand::Rng;
use local::demo::People;
use relay_model::run::RunState;
use sandbox::campaign_monitor::{Endpoint, Fault};
use sandbox::faults::FaultKind;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_personal_data_and_no_secrets_leave_their_places() {
    let scene = Scene::open().await;
    let searched: [SearchedRuns; 4] = tokio::join!(
        runs_with_errors(&scene),
        marketo::runs_with_errors(&scene),
        omnisend::runs_with_errors(&scene),
        dynamics365_sales::runs_with_errors(&scene),
    )
    .into();
    let (mut people, mut keys, mut runs, mut places) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for destination in searched {
        people.extend(destination.people);
        keys.extend(destination.keys);
        runs.extend(destination.runs);
        places.extend(destination.places);
    }
    Needles::of(&people).and(keys).are_nowhere(&scene, &runs, places).await;
    assert_eq!(dead_letters(&scene).await, 0);
}

async fn runs_with_errors(scene: &Scene) -> SearchedRuns {
    scene.reset();
    let mut job = Job::new(scene, "private");
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
    // Errors are injected, because most log lines and texts report errors.
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

    let keys = vec![scene.account.api_key.clone(), "ffffffffffffffffffffffffffffffff".to_owned()];
    SearchedRuns { people, keys, runs: vec![first, second, third], places: Vec::new() }
}
