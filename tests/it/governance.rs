//! Data governance: exports that violate a policy are neither saved nor sent.

use crate::control_plane::{Person, check};
use crate::preview::saved_preview;
use crate::support::{Job, Scene, emails, persons, wait_until};
use local::cloud::Response;
use local::issuer::Role;
use relay_model::Counts;
use relay_model::catalog::{Document, Export, Policy};
use relay_model::run::RunState;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_are_checked_when_definitions_change_and_in_runs() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    a_violating_export_is_not_saved(&scene).await;
    a_change_that_violates_a_policy_is_refused(&scene).await;
    a_violating_export_sends_nothing(&scene).await;
    columns_of_an_upload_have_labels(&scene).await;
    columns_that_may_not_be_exported_are_not_previewed(&scene).await;
    columns_that_may_not_be_exported_are_not_downloaded(&scene).await;
}

const PEOPLE: u64 = 20;

fn policy(id: &str, actions: &[&str], forbids: &[&[&str]]) -> Value {
    let forbids: Vec<Value> = forbids.iter().map(|labels| json!({ "all_of": labels })).collect();
    json!({
        "id": id, "name": "Contracts", "summary": "Our contracts say so.", "marketing_actions": actions,
        "forbids": forbids, "enabled": true,
    })
}

/// An export of people with labelled columns to a connection of a third party.
async fn labelled<'a>(scene: &'a Scene, name: &str) -> Job<'a> {
    let mut job = Job::new(scene, name);
    job.source["data_labels"] = json!({ "city": ["C2"], "email": ["I1"], "address": ["C2", "S1"] });
    job.connection["marketing_actions"] = json!(["email_targeting", "export_to_third_party"]);
    job.ready(&persons(PEOPLE)).await;
    job
}

/// Checks that a change is refused at these fields with these words.
#[track_caller]
fn refused(answer: &Response, fields: &[&str], words: &[&str]) {
    check(answer, 422, "policy_violated");
    let errors = answer.body["errors"].as_array().unwrap();
    let found: Vec<&str> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(found, fields, "{}", answer.body);
    let detail = answer.body["detail"].as_str().unwrap();
    for word in words {
        assert!(detail.contains(word), "no {word:?} in {detail}");
    }
}

async fn a_violating_export_is_not_saved(scene: &Scene) {
    scene.reset();
    let job = labelled(scene, "held").await;
    let admin = Person::new(scene, Role::Administrator, "ann");
    let viewer = Person::new(scene, Role::Viewer, "vic");
    let rule = policy("no-third-party", &["export_to_third_party"], &[&["C2"]]);
    let lineage = "held.city (C2, leaves as city) → segment \"held\" → export \"held\" → connection \
                   \"campaign-monitor\"";

    // A disabled policy forbids nothing.
    let mut off = rule.clone();
    off["enabled"] = json!(false);
    let saved = admin.create("/policies/no-third-party", &off).await;
    check(&saved, 201, "");
    assert_eq!((&saved.headers["etag"], saved.body.get("warnings")), (&"\"1\"".to_owned(), None));
    check(&viewer.change("/policies/no-third-party", 1, &rule).await, 403, "role_insufficient");
    let usage = viewer.get("/exports/held/data-usage").await.body;
    assert_eq!(
        usage["policies"],
        json!([
            { "policy": "no-third-party", "name": "Contracts", "verdict": "disabled" }
        ])
    );
    assert_eq!((&usage["never_exported"], &usage["violations"]), (&json!("allowed"), &json!([])));
    let columns = usage["segments"][0]["columns"].as_array().unwrap();
    let column = |name: &str| columns.iter().find(|column| column["column"] == name).cloned();
    assert_eq!(
        column("city").unwrap(),
        json!({ "source": "held", "column": "city", "data_labels": ["C2"], "leaves_as": ["city"] })
    );
    assert_eq!(column("newsletter").unwrap()["leaves_as"], json!([]));
    assert_eq!(column("address"), None);

    // A policy cannot be enabled while an enabled export violates it.
    let answer = admin.change("/policies/no-third-party", 1, &rule).await;
    refused(&answer, &["/enabled"], &[lineage, "stop enabled exports: \"held\"", "contracts say so"]);

    // Without the attribute the export complies, and the policy is enabled.
    let mut without = job.export.clone();
    without["mapping"].as_array_mut().unwrap().retain(|mapping| mapping["attribute"] != "city");
    check(&admin.change("/exports/held", 1, &without).await, 200, "");
    let enabled = admin.change("/policies/no-third-party", 1, &rule).await;
    check(&enabled, 200, "");
    assert_eq!(enabled.body.get("warnings"), None);
    let usage = viewer.get("/exports/held/data-usage").await.body;
    assert_eq!(usage["policies"][0]["verdict"], "allowed");

    // The attribute can be mapped again in a disabled export only.
    refused(&admin.change("/exports/held", 2, &job.export).await, &["/mapping/1/attribute"], &[lineage]);
    let mut disabled = job.export.clone();
    disabled["enabled"] = json!(false);
    let saved = admin.change("/exports/held", 2, &disabled).await;
    check(&saved, 200, "");
    let warning = saved.body["warnings"][0].as_str().unwrap();
    assert!(warning.contains("cannot be enabled") && warning.contains(lineage), "{warning}");
    let usage = viewer.get("/exports/held/data-usage").await.body;
    assert_eq!(usage["policies"][0]["verdict"], "violated");
    assert_eq!(usage["violations"][0]["lineage"], lineage);
    check(&admin.change("/exports/held", 3, &without).await, 200, "");

    // Policies are listed and deleted.
    let listed = viewer.get("/policies").await.body;
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["items"][0]["document"]), (1, &rule));
    let removed = admin.ask(Method::DELETE, "/policies/no-third-party", &[("if-match", "\"2\"")], None).await;
    check(&removed, 204, "");
    assert_eq!(viewer.get("/policies").await.body["items"], json!([]));
    without["enabled"] = json!(false);
    check(&admin.change("/exports/held", 4, &without).await, 200, "");
}

async fn a_change_that_violates_a_policy_is_refused(scene: &Scene) {
    scene.reset();
    let mut job = labelled(scene, "changed").await;
    job.export["mapping"].as_array_mut().unwrap().retain(|mapping| mapping["attribute"] != "city");
    let now = jiff::Timestamp::now();
    scene.catalog().put(&Export::parse(&job.export.to_string()).unwrap(), now).await.unwrap();
    let rule = policy("no-third-party", &["export_to_third_party"], &[&["C2"]]);
    scene.catalog().put(&Policy::parse(&rule.to_string()).unwrap(), now).await.unwrap();
    let admin = Person::new(scene, Role::Administrator, "ann");

    let mut source = job.source.clone();
    source["data_labels"]["name"] = json!(["C2"]);
    refused(
        &admin.change("/sources/changed", 1, &source).await,
        &["/data_labels"],
        &["changed.name (C2, leaves as name)"],
    );
    source["data_labels"] = job.source["data_labels"].clone();
    source["data_labels"]["newsletter"] = json!(["C2"]);
    refused(
        &admin.change("/sources/changed", 1, &source).await,
        &["/data_labels"],
        &["changed.newsletter (C2) →"],
    );
    source["data_labels"] = job.source["data_labels"].clone();
    source["data_labels"]["address"] = json!(["C2", "S2"]);
    source["data_labels"]["adress"] = json!(["C2"]);
    let saved = admin.change("/sources/changed", 1, &source).await;
    check(&saved, 200, "");
    let warnings = saved.body["warnings"].as_array().unwrap();
    assert!(
        warnings.len() == 1 && warnings[0].as_str().unwrap().contains("no column adress,"),
        "{warnings:?}"
    );
    let mut segment = job.segment.clone();
    let query = segment["query"].as_str().unwrap().to_owned();
    segment["query"] = json!(format!("{query} AND address <> ''"));
    refused(
        &admin.change("/segments/changed", 1, &segment).await,
        &["/query"],
        &["changed.address (C2, S2) → segment"],
    );
    segment["query"] = json!(format!("{query} AND name <> ''"));
    check(&admin.change("/segments/changed", 1, &segment).await, 200, "");
    let other = policy("no-identity", &["analytics"], &[&["I1", "C4"], &["I1"]]);
    check(&admin.create("/policies/no-identity", &other).await, 201, "");
    let mut connection = job.connection.clone();
    let saved = admin.get("/connections/campaign-monitor").await.body["version"].as_u64().unwrap();
    connection["marketing_actions"] = json!(["analytics"]);
    refused(
        &admin.change("/connections/campaign-monitor", saved, &connection).await,
        &["/marketing_actions"],
        &["forbids analytics with data labelled I1", "changed.email (I1, leaves as email)"],
    );

    // Columns with label C12 need no policy.
    source["data_labels"] = json!({ "points": ["C12"], "newsletter": ["C12"] });
    refused(
        &admin.change("/sources/changed", 2, &source).await,
        &["/data_labels"],
        &["data labelled C12 must not be exported: changed.points (C12, leaves as points) →"],
    );
    source["data_labels"] = json!({ "newsletter": ["C12"] });
    check(&admin.change("/sources/changed", 2, &source).await, 200, "");
    for id in ["no-third-party", "no-identity"] {
        let path = format!("/policies/{id}");
        check(&admin.ask(Method::DELETE, &path, &[("if-match", "\"1\"")], None).await, 204, "");
    }
    job.export["enabled"] = json!(false);
    job.save().await;
}

async fn a_violating_export_sends_nothing(scene: &Scene) {
    scene.reset();
    let mut job = labelled(scene, "sent").await;
    // A run checks the policies too, whatever saved the definitions.
    let rule = policy("no-third-party", &["export_to_third_party"], &[&["C2"]]);
    let rule = Policy::parse(&rule.to_string()).unwrap();
    scene.catalog().put(&rule, jiff::Timestamp::now()).await.unwrap();
    scene.sandbox.reset_report();
    let finished = job.run().await;
    finished.failed(
        "policy_violated",
        &[
            "policy \"no-third-party\" (Contracts) forbids export_to_third_party with data labelled C2",
            "sent.city (C2, leaves as city) → segment \"sent\" → export \"sent\" → connection \"campaign-monitor\"",
            "Remove the columns",
        ],
    );
    assert_eq!((finished.report.counts, finished.report.batches), (Counts::default(), 0));
    assert_eq!((scene.sandbox.report().calls.len(), job.listed().len()), (0, 0), "nothing was asked or sent");

    let dry = job.finished_dry_run(job.request_dry_run("look").await).await;
    assert_eq!((dry.state, dry.failure.unwrap().code.as_str()), (RunState::Failed, "policy_violated"));

    job.export["mapping"].as_array_mut().unwrap().retain(|mapping| mapping["attribute"] != "city");
    job.save().await;
    let finished = job.run().await;
    finished.succeeded(Counts { added: PEOPLE, ..Counts::default() });
    assert_eq!((finished.run.state, job.active()), (RunState::Succeeded, emails(&persons(PEOPLE))));
}

async fn columns_of_an_upload_have_labels(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "fair");
    job.segment = json!({ "id": "fair", "name": "Fair", "upload": {
        "identity_column": "email", "data_labels": { "city": ["C12"] },
    } });
    job.export["enabled"] = json!(false);
    job.save().await;
    let admin = Person::new(scene, Role::Administrator, "ann");
    job.export["enabled"] = json!(true);
    let path = "/exports/fair";
    refused(
        &admin.change(path, 1, &job.export).await,
        &["/mapping/1/attribute"],
        &["upload.city (C12, leaves as city)"],
    );
    job.export["mapping"].as_array_mut().unwrap().retain(|mapping| mapping["attribute"] != "city");
    check(&admin.change(path, 1, &job.export).await, 200, "");
    job.segment["upload"]["data_labels"]["name"] = json!(["C12"]);
    refused(
        &admin.change("/segments/fair", 1, &job.segment).await,
        &["/upload"],
        &["upload.name (C12, leaves as name)"],
    );
}

async fn columns_that_may_not_be_exported_are_not_previewed(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "shown");
    job.source["data_labels"] = json!({ "points": ["C12"], "newsletter": ["C12"], "city": ["C2"] });
    job.segment["query"] =
        json!("SELECT customer_id, email, name || points AS name, city, points FROM shown WHERE newsletter");
    job.ready(&persons(PEOPLE)).await;
    let found = saved_preview(scene, "shown").await.unwrap();
    assert_eq!(found.counts.rows, PEOPLE);
    let described = found.description;
    let columns: Vec<&str> = described.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["customer_id", "email", "city"]);
    let told: Vec<bool> = ["name", "points"]
        .map(|name| described.unusable_columns.iter().any(|one| one.contains(name)))
        .to_vec();
    assert_eq!(told, [true, true], "{:?}", described.unusable_columns);
    assert!(found.first_rows.iter().all(|row| row.keys().eq(["city", "customer_id", "email"])));
}

async fn columns_that_may_not_be_exported_are_not_downloaded(scene: &Scene) {
    let admin = Person::new(scene, Role::Administrator, "ann");
    let mut job = Job::new(scene, "downloaded");
    job.source["data_labels"] = json!({ "points": ["C12"], "newsletter": ["C12"], "city": ["C2"] });
    job.segment["query"] = json!(
        "SELECT customer_id, email, name || points AS name, city, points FROM downloaded WHERE newsletter"
    );
    job.ready(&persons(PEOPLE)).await;
    let requested = admin.ask(Method::POST, "/segments/downloaded/downloads", &[], None).await;
    check(&requested, 202, "");
    let preview = format!("/previews/{}", requested.body["preview_id"].as_str().unwrap());
    wait_until("the file is written", async || admin.get(&preview).await.body["state"] != "running").await;
    assert_eq!(admin.get(&preview).await.body["result"]["rows"], PEOPLE);
    let link = admin.get(&format!("{preview}/members")).await;
    check(&link, 200, "");
    let csv = reqwest::get(link.body["url"].as_str().unwrap()).await.unwrap().text().await.unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    let expected = ("member_key,customer_id,email,city", 1 + usize::try_from(PEOPLE).unwrap());
    assert_eq!((lines[0], lines.len()), expected);
    let none = admin.get("/previews/01938f5e-7c00-7000-8000-000000000001/members").await;
    check(&none, 404, "file_missing");
}
