//! Nothing about a person, and no credential or token, is anywhere but in the lake, the data bucket and Marketo.

use super::account::Account;
use crate::support::messages::dead_letters;
use crate::support::privacy::{Needles, Place};
use crate::support::{Over, Scene};
use fastrand::Rng;
use local::demo::People;
use relay_model::run::RunState;
use sandbox::faults::FaultKind;
use sandbox::marketo::{Endpoint, Fault};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_personal_and_no_credential_leaves_its_place() {
    let scene = Scene::open().await;
    let account = Account::open_with(&scene, "private", |mut options| {
        options.logged_requests = 1_000;
        options
    })
    .await;
    let people = People::new(400, &mut Rng::with_seed(7)).persons;
    let mut runs: Vec<Over> = Vec::new();
    for (name, way) in [("private", "sync"), ("private_files", "bulk_import")] {
        let mut job = account.job(name);
        job.segment["query"] = json!(format!(
            "SELECT customer_id, email, name, city, points, address FROM {name} WHERE newsletter"
        ));
        let address = json!({ "attribute": "address", "field": "address" });
        job.export["mapping"].as_array_mut().unwrap().push(address);
        job.export["options"]["push"] = json!(way);
        job.ready(&people).await;
        // Trouble is what makes programs talk.
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
    let mut job = account.job("private_refused");
    job.segment["query"] =
        json!("SELECT customer_id, email, name, city, points FROM private WHERE newsletter");
    let other = "ffffffffffffffffffffffffffffffff";
    job.change_secret(&json!({ "client_id": account.credentials.client_id, "client_secret": other })).await;
    account.change_secret(&account.credentials.client_id, "0123456789abcdef0123456789abcdef").unwrap();
    account.revoke_token(&account.credentials.client_id).unwrap();
    job.save().await;
    runs.push(job.run().await);

    for over in &runs[..4] {
        assert_eq!(over.run.state, RunState::Succeeded, "{:?}", over.run.failure);
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
    let keys = [credentials.client_id.as_str(), &credentials.client_secret, other];
    Needles::of(&people).and(keys).are_nowhere(&scene, &runs, vec![addresses]).await;
    assert_eq!(dead_letters(&scene).await, 0);
}
