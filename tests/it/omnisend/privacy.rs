//! Runs to Omnisend with errors, for the search for personal data and keys.

use super::brand::Brand;
use crate::support::leaks::SearchedRuns;
use crate::support::{FinishedRun, Scene};
use fastrand::Rng;
use local::demo::People;
use relay_model::run::RunState;
use sandbox::faults::FaultKind;
use sandbox::omnisend::{Endpoint, FailItems, Fault, ItemWork, StopBatches};
use serde_json::json;

pub(crate) async fn runs_with_errors(scene: &Scene) -> SearchedRuns {
    let brand = Brand::open(scene, "omnisend_private").await;
    let people = People::new(400, &mut Rng::with_seed(7)).persons;
    let mut runs: Vec<FinishedRun> = Vec::new();
    for (name, dialect) in [("omnisend_private", "2026-03-15"), ("omnisend_private_old", "v5")] {
        let mut job = brand.job(name);
        // Two exports to one brand, each with its own connection.
        job.connection["id"] = json!(name);
        job.connection["settings"]["dialect"] = json!(dialect);
        job.export["connection"] = json!(name);
        job.segment["query"] = json!(format!(
            "SELECT customer_id, email, name, city, points, address FROM {name} WHERE newsletter"
        ));
        let address = json!({ "attribute": "address", "field": "address" });
        job.export["mapping"].as_array_mut().unwrap().push(address);
        job.ready(&people).await;
        // Errors are injected, because most log lines and texts report errors.
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
    let job = brand.job("omnisend_private");
    job.change_secret(&json!({ "api_key": "ffffffffffffffffffffffffffffffff" })).await;
    job.save().await;
    runs.push(job.run().await);

    for finished in &runs[..4] {
        assert_eq!(finished.run.state, RunState::Succeeded, "{:?}", finished.run.failure);
    }
    assert!(runs[0].report.counts.rejected > 0 && runs[2].report.counts.rejected > 0);
    assert!(runs[1].report.counts.removed > 0 && runs[3].report.counts.removed > 0);
    runs[4].failed("authentication_failed", &["API key"]);
    let keys = vec![brand.key.api_key.clone(), "ffffffffffffffffffffffffffffffff".to_owned()];
    SearchedRuns { people, keys, runs, places: Vec::new() }
}
