//! Nothing about a person, and no key, is anywhere but in the lake, the data bucket and the destination.

use crate::support::{Job, Scene};
use fastrand::Rng;
use local::demo::{People, Person};
use relay::run::RunState;
use sandbox::campaign_monitor::{Endpoint, Fault};
use sandbox::faults::FaultKind;
use std::collections::BTreeSet;

/// Parts of the generated addresses, as they are and as they stand in URLs.
const ADDRESSES: [&str; 9] =
    ["@mail", "%40mail", "@MAIL", "+news", "%2Bnews", "+News", "[at]example", "@example.ie", "%40example"];

/// What must not be found: the people's own values, also as JSON writes them.
fn needles(people: &[Person]) -> BTreeSet<String> {
    let mut needles: BTreeSet<String> = ADDRESSES.map(str::to_owned).into();
    for person in people {
        let lines = person.address.lines().map(str::to_owned);
        let values = person.email.iter().map(|email| email.trim().to_owned());
        for value in lines.chain(values).chain([person.name.clone()]).filter(|value| value.len() > 8) {
            needles.insert(value.to_lowercase());
            let json = serde_json::to_string(&value).unwrap();
            needles.insert(json.trim_matches('"').to_owned());
            needles.insert(value);
        }
    }
    needles
}

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

    let runs = [&first, &second, &third];
    let said: Vec<String> = runs.iter().map(|over| serde_json::to_string(&over.report).unwrap()).collect();
    let shown: Vec<String> = runs.iter().map(|over| serde_json::to_string(&over.run).unwrap()).collect();
    let places = [
        ("the functions' logs", scene.cloud.function_logs().await.unwrap().join("\n")),
        ("the log file", std::fs::read_to_string(scene.cloud.log_path()).unwrap()),
        ("the journal of messages, writes and events", scene.cloud.journal().unwrap()),
        ("the reports", said.join("\n")),
        ("the runs as the API shows them", shown.join("\n")),
    ];
    let mut needles = needles(&people);
    needles.insert(scene.account.api_key.clone());
    needles.insert("ffffffffffffffffffffffffffffffff".to_owned());
    let run_id = first.run.run_id.to_string();
    for (place, text) in &places {
        // The search can find: what must be there is found.
        let must_be_there = if *place == "the log file" { "segment-relay" } else { run_id.as_str() };
        assert!(text.contains(must_be_there), "{place}");
        let found: Vec<&String> = needles.iter().filter(|needle| text.contains(needle.as_str())).collect();
        assert!(found.is_empty(), "{place}: {found:?}");
    }
    // And it would find them where they belong.
    let rejected = scene.data().get(first.report.rejected_key.as_ref().unwrap()).await.unwrap();
    let rejected = String::from_utf8(rejected).unwrap();
    assert!(needles.iter().any(|needle| rejected.contains(needle.as_str())));
}
