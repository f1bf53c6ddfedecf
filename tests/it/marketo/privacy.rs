//! Nothing about a person, and no credential or token, is anywhere but in the lake, the data bucket and Marketo.

use super::account::Account;
use crate::support::messages::dead_letters;
use crate::support::{Over, Scene};
use fastrand::Rng;
use local::demo::People;
use relay::run::RunState;
use sandbox::faults::FaultKind;
use sandbox::marketo::{Endpoint, Fault};
use serde_json::json;
use std::collections::BTreeSet;

/// Parts of the generated addresses, as they are and as they stand in URLs and forms.
const ADDRESSES: [&str; 6] = ["@mail", "%40mail", "@MAIL", "+news", "%2Bnews", "%40example"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_personal_and_no_credential_leaves_its_place() {
    let scene = Scene::open().await;
    let account = Account::open_with(&scene, "private", |mut options| {
        options.logged_requests = 1_000;
        options
    })
    .await;
    let mut people = People::new(400, &mut Rng::with_seed(7)).persons;
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

    let said: Vec<String> = runs.iter().map(|over| serde_json::to_string(&over.report).unwrap()).collect();
    let shown: Vec<String> = runs.iter().map(|over| serde_json::to_string(&over.run).unwrap()).collect();
    let requested: Vec<String> = account.requests().into_iter().map(|request| request.path).collect();
    let run_id = runs[0].run.run_id.to_string();
    let places = [
        ("the functions' logs", scene.cloud.function_logs().await.unwrap().join("\n"), run_id.as_str()),
        ("the log file", std::fs::read_to_string(scene.cloud.log_path()).unwrap(), "segment-relay"),
        ("the journal of messages, writes and events", scene.cloud.journal().unwrap(), &run_id),
        ("the reports", said.join("\n"), &run_id),
        ("the runs as the API shows them", shown.join("\n"), &run_id),
        ("the addresses of requests to Marketo", requested.join("\n"), "/rest/v1/leads.json"),
    ];
    let mut needles: BTreeSet<String> = ADDRESSES.map(str::to_owned).into();
    for person in people.drain(..) {
        let lines = person.address.lines().map(str::to_owned).collect::<Vec<_>>();
        let values = person.email.iter().map(|email| email.trim().to_owned());
        let long = |value: &String| value.len() > 8;
        for value in lines.into_iter().chain(values).chain([person.name]).filter(long) {
            needles.insert(value.to_lowercase());
            needles.insert(serde_json::to_string(&value).unwrap().trim_matches('"').to_owned());
            needles.insert(value);
        }
    }
    needles.extend([&account.credentials.client_id, &account.credentials.client_secret].map(Clone::clone));
    needles.insert(other.to_owned());
    for (place, text, must_be_there) in &places {
        // The search can find: what must be there is found.
        assert!(text.contains(must_be_there), "{place}");
        let found: Vec<&String> = needles.iter().filter(|needle| text.contains(needle.as_str())).collect();
        assert!(found.is_empty(), "{place}: {found:?}");
    }
    // And it would find them where they belong.
    let rejected = scene.data().get(runs[0].report.rejected_key.as_ref().unwrap()).await.unwrap();
    let rejected = String::from_utf8(rejected).unwrap();
    assert!(needles.iter().any(|needle| rejected.contains(needle.as_str())));
    assert_eq!(dead_letters(&scene).await, 0);
}
