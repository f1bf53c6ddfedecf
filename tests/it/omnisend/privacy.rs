//! Nothing about a person, and no key, is anywhere but in the lake, the data bucket and Omnisend.

use super::brand::Brand;
use crate::support::messages::dead_letters;
use crate::support::privacy::Needles;
use crate::support::{Over, Scene};
use fastrand::Rng;
use local::demo::People;
use relay_model::run::RunState;
use sandbox::faults::FaultKind;
use sandbox::omnisend::{Endpoint, FailItems, Fault, ItemWork, StopBatches};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_personal_and_no_key_leaves_its_place() {
    let scene = Scene::open().await;
    let brand = Brand::open(&scene, "private").await;
    let people = People::new(400, &mut Rng::with_seed(7)).persons;
    let mut runs: Vec<Over> = Vec::new();
    for (name, dialect) in [("private", "2026-03-15"), ("private_old", "v5")] {
        let mut job = brand.job(name);
        // Two exports to one brand: each has a connection of its own to it.
        job.connection["id"] = json!(name);
        job.connection["settings"]["dialect"] = json!(dialect);
        job.export["connection"] = json!(name);
        job.segment["query"] = json!(format!(
            "SELECT customer_id, email, name, city, points, address FROM {name} WHERE newsletter"
        ));
        let address = json!({ "attribute": "address", "field": "address" });
        job.export["mapping"].as_array_mut().unwrap().push(address);
        job.ready(&people).await;
        // Trouble is what makes programs talk.
        for kind in [FaultKind::Status(500), FaultKind::BadJson, FaultKind::DropAfterProcessing] {
            brand.add_fault(Fault::once(Endpoint::CreateBatch, kind.clone()));
            brand.add_fault(Fault::once(Endpoint::BatchItems, kind));
        }
        brand.add_fault(Fault::once(Endpoint::AddTags, FaultKind::Status(400)));
        brand.stop_batches(StopBatches { times: 1, after_items: 5 });
        for response_code in [400, 422, 429, 500] {
            let work = ItemWork::NotDone;
            brand.fail_items(FailItems { response_code, times: 2, every: 9, email: None, work });
        }
        runs.push(job.run().await);
        let mut people = people.clone();
        people.iter_mut().step_by(9).for_each(|person| person.newsletter = false);
        job.upload(&people).await;
        brand.add_fault(Fault::once(Endpoint::RemoveTags, FaultKind::Status(500)));
        brand.add_fault(Fault::once(Endpoint::UpdateContact, FaultKind::BadJson));
        runs.push(job.run().await);
        brand.clear_faults();
        brand.clear_orders();
    }
    let job = brand.job("private");
    job.change_secret(&json!({ "api_key": "ffffffffffffffffffffffffffffffff" })).await;
    job.save().await;
    runs.push(job.run().await);

    for over in &runs[..4] {
        assert_eq!(over.run.state, RunState::Succeeded, "{:?}", over.run.failure);
    }
    assert!(runs[0].report.counts.rejected > 0 && runs[2].report.counts.rejected > 0);
    assert!(runs[1].report.counts.removed > 0 && runs[3].report.counts.removed > 0);
    runs[4].failed("authentication_failed", &["API key"]);
    let keys = [brand.key.api_key.as_str(), "ffffffffffffffffffffffffffffffff"];
    Needles::of(&people).and(keys).are_nowhere(&scene, &runs, Vec::new()).await;
    assert_eq!(dead_letters(&scene).await, 0);
}
