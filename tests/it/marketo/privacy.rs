//! Runs to Marketo with errors, for the search for personal data, credentials and tokens.

use super::account::Account;
use crate::support::leaks::{Place, SearchedRuns};
use crate::support::{FinishedRun, Scene};
use fastrand::Rng;
use local::demo::People;
use relay_model::run::RunState;
use sandbox::faults::FaultKind;
use sandbox::marketo::{Endpoint, Fault};
use serde_json::json;

pub(crate) async fn runs_with_errors(scene: &Scene) -> SearchedRuns {
    let account = Account::open_with(scene, "marketo_private", |mut options| {
        options.logged_requests = 1_000;
        options
    })
    .await;
    let people = People::new(400, &mut Rng::with_seed(7)).persons;
    let mut runs: Vec<FinishedRun> = Vec::new();
    for (name, way) in [("marketo_private", "sync"), ("marketo_private_files", "bulk_import")] {
        let mut job = account.job(name);
        job.segment["query"] = json!(format!(
            "SELECT customer_id, email, name, city, points, address FROM {name} WHERE newsletter"
        ));
        let address = json!({ "attribute": "address", "field": "address" });
        job.export["mapping"].as_array_mut().unwrap().push(address);
        job.export["options"]["push"] = json!(way);
        job.ready(&people).await;
        // Errors are injected, because most log lines and texts report errors.
        for kind in [FaultKind::Status(611), FaultKind::BadJson, FaultKind::DropAfterProcessing] {
            account.add_fault(Fault::once(Endpoint::SyncLeads, kind.clone()));
            account.add_fault(Fault::once(Endpoint::ImportStatus, kind));
        }
        account.add_fault(Fault::once(Endpoint::FindLeads, FaultKind::Status(602)));
        runs.push(job.run().await);
        let mut people = people.clone();
        people.iter_mut().step_by(9).for_each(|person| person.newsletter = false);
        job.upload(&people).await;
        runs.push(job.run().await);
        account.clear_faults();
    }
    let mut job = account.job("marketo_private_refused");
    job.segment["query"] =
        json!("SELECT customer_id, email, name, city, points FROM marketo_private WHERE newsletter");
    let other = "ffffffffffffffffffffffffffffffff";
    job.change_secret(&json!({ "client_id": account.credentials.client_id, "client_secret": other })).await;
    account.change_secret(&account.credentials.client_id, "0123456789abcdef0123456789abcdef").unwrap();
    account.revoke_token(&account.credentials.client_id).unwrap();
    job.save().await;
    runs.push(job.run().await);

    for finished in &runs[..4] {
        assert_eq!(finished.run.state, RunState::Succeeded, "{:?}", finished.run.failure);
    }
    assert!(runs[0].report.counts.rejected > 0 && runs[3].report.counts.removed > 0);
    runs[4].failed("authentication_failed", &["client secret"]);

    let requested: Vec<String> = account.requests().into_iter().map(|request| request.path).collect();
    let addresses = Place {
        name: "the addresses of requests to Marketo",
        text: requested.join("\n"),
        must_be_there: "/rest/v1/leads.json".to_owned(),
    };
    let credentials = &account.credentials;
    let keys = vec![credentials.client_id.clone(), credentials.client_secret.clone(), other.to_owned()];
    SearchedRuns { people, keys, runs, places: vec![addresses] }
}
