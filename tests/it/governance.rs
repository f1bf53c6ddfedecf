//! Data governance: what a policy forbids is neither saved nor sent.

use crate::control_plane::{Person, check};
use crate::preview::preview;
use crate::support::{Job, Scene, emails, persons, wait_until};
use local::cloud::Response;
use local::issuer::Role;
use relay_model::Counts;
use relay_model::catalog::{Document, Export, Policy};
use relay_model::engine::PreviewOf;
use relay_model::run::RunState;
use reqwest::Method;
use serde_json::{Value, json};

const PEOPLE: u64 = 20;

fn policy(id: &str, actions: &[&str], forbids: &[&[&str]]) -> Value {
    let forbids: Vec<Value> = forbids.iter().map(|labels| json!({ "all_of": labels })).collect();
    json!({
        "id": id, "name": "Contracts", "summary": "Our contracts say so.", "marketing_actions": actions,
        "forbids": forbids, "enabled": true,
    })
}

async fn scene() -> Scene {
    Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await
}

/// An export of people whose cities must not leave for third parties, to a connection that is one.
async fn labelled<'a>(scene: &'a Scene, name: &str) -> Job<'a> {
    let mut job = Job::new(scene, name);
    job.source["data_labels"] = json!({ "city": ["C2"], "email": ["I1"], "address": ["C2", "S1"] });
    job.connection["marketing_actions"] = json!(["email_targeting", "export_to_third_party"]);
    job.ready(&persons(PEOPLE)).await;
    job
}

/// A change is refused at a field, in these words.
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_policy_forbids_is_not_saved() {
    let scene = scene().await;
    let job = labelled(&scene, "held").await;
    let admin = Person::new(&scene, Role::Administrator, "ann");
    let viewer = Person::new(&scene, Role::Viewer, "vic");
    let rule = policy("no-third-party", &["export_to_third_party"], &[&["C2"]]);
    let lineage = "held.city (C2, leaves as city) → segment \"held\" → export \"held\" → connection \
                   \"campaign-monitor\"";

    // A policy that is not enabled forbids nothing.
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

    // It is not enabled while an export would be stopped by it.
    let answer = admin.change("/policies/no-third-party", 1, &rule).await;
    refused(
        &answer,
        &["/enabled"],
        &[lineage, "stop enabled exports: \"held\"", "contracts say so"],
    );

    // Without the attribute nothing of it is used, and it is enabled.
    let mut without = job.export.clone();
    without["mapping"].as_array_mut().unwrap().retain(|mapping| mapping["attribute"] != "city");
    check(&admin.change("/exports/held", 1, &without).await, 200, "");
    let enabled = admin.change("/policies/no-third-party", 1, &rule).await;
    check(&enabled, 200, "");
    assert_eq!(enabled.body.get("warnings"), None);
    let usage = viewer.get("/exports/held/data-usage").await.body;
    assert_eq!(usage["policies"][0]["verdict"], "allowed");

    // The attribute does not come back, but for an export that does not run.
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

    // A policy goes as it came.
    let listed = viewer.get("/policies").await.body;
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["items"][0]["document"]), (1, &rule));
    let removed = admin.ask(Method::DELETE, "/policies/no-third-party", &[("if-match", "\"2\"")], None).await;
    check(&removed, 204, "");
    assert_eq!(viewer.get("/policies").await.body["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_break_a_policy_is_refused_wherever_it_is_changed() {
    let scene = scene().await;
    let mut job = labelled(&scene, "held").await;
    job.export["mapping"].as_array_mut().unwrap().retain(|mapping| mapping["attribute"] != "city");
    let now = jiff::Timestamp::now();
    scene.catalog().put(&Export::parse(&job.export.to_string()).unwrap(), now).await.unwrap();
    let rule = policy("no-third-party", &["export_to_third_party"], &[&["C2"]]);
    scene.catalog().put(&Policy::parse(&rule.to_string()).unwrap(), now).await.unwrap();
    let admin = Person::new(&scene, Role::Administrator, "ann");

    let mut source = job.source.clone();
    source["data_labels"]["name"] = json!(["C2"]);
    refused(
        &admin.change("/sources/held", 1, &source).await,
        &["/data_labels"],
        &["held.name (C2, leaves as name)"],
    );
    source["data_labels"] = job.source["data_labels"].clone();
    source["data_labels"]["newsletter"] = json!(["C2"]);
    refused(&admin.change("/sources/held", 1, &source).await, &["/data_labels"], &["held.newsletter (C2) →"]);
    source["data_labels"] = job.source["data_labels"].clone();
    source["data_labels"]["address"] = json!(["C2", "S2"]);
    source["data_labels"]["adress"] = json!(["C2"]);
    let saved = admin.change("/sources/held", 1, &source).await;
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
        &admin.change("/segments/held", 1, &segment).await,
        &["/query"],
        &["held.address (C2, S2) → segment"],
    );
    segment["query"] = json!(format!("{query} AND name <> ''"));
    check(&admin.change("/segments/held", 1, &segment).await, 200, "");
    let other = policy("no-identity", &["analytics"], &[&["I1", "C4"], &["I1"]]);
    check(&admin.create("/policies/no-identity", &other).await, 201, "");
    let mut connection = job.connection.clone();
    connection["marketing_actions"] = json!(["analytics"]);
    refused(
        &admin.change("/connections/campaign-monitor", 1, &connection).await,
        &["/marketing_actions"],
        &["forbids analytics with data labelled I1", "held.email (I1, leaves as email)"],
    );

    // C12 needs no policy.
    source["data_labels"] = json!({ "points": ["C12"], "newsletter": ["C12"] });
    refused(
        &admin.change("/sources/held", 2, &source).await,
        &["/data_labels"],
        &["data labelled C12 leaves for no destination: held.points (C12, leaves as points) →"],
    );
    source["data_labels"] = json!({ "newsletter": ["C12"] });
    check(&admin.change("/sources/held", 2, &source).await, 200, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_policy_forbids_is_not_sent() {
    let scene = scene().await;
    let mut job = labelled(&scene, "sent").await;
    // However it came to be: the run finds it.
    let rule = policy("no-third-party", &["export_to_third_party"], &[&["C2"]]);
    let rule = Policy::parse(&rule.to_string()).unwrap();
    scene.catalog().put(&rule, jiff::Timestamp::now()).await.unwrap();
    scene.sandbox.reset_report();
    let over = job.run().await;
    over.failed(
        "policy_violated",
        &[
            "policy \"no-third-party\" (Contracts) forbids export_to_third_party with data labelled C2",
            "sent.city (C2, leaves as city) → segment \"sent\" → export \"sent\" → connection \"campaign-monitor\"",
            "Take the columns out",
        ],
    );
    assert_eq!((over.report.counts, over.report.batches), (Counts::default(), 0));
    assert_eq!((scene.sandbox.report().calls.len(), job.listed().len()), (0, 0), "nothing was asked or sent");

    let dry = job.dry_run_over(job.ask_for_dry_run("look").await).await;
    assert_eq!((dry.state, dry.failure.unwrap().code.as_str()), (RunState::Failed, "policy_violated"));

    job.export["mapping"].as_array_mut().unwrap().retain(|mapping| mapping["attribute"] != "city");
    job.save().await;
    let over = job.run().await;
    over.succeeded(Counts { added: PEOPLE, ..Counts::default() });
    assert_eq!((over.run.state, job.active()), (RunState::Succeeded, emails(&persons(PEOPLE))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_of_an_upload_are_labelled_by_themselves() {
    let scene = scene().await;
    let mut job = Job::new(&scene, "fair");
    job.segment = json!({ "id": "fair", "name": "Fair", "upload": {
        "identity_column": "email", "data_labels": { "city": ["C12"] },
    } });
    job.export["enabled"] = json!(false);
    job.save().await;
    let admin = Person::new(&scene, Role::Administrator, "ann");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_leaves_is_not_shown_either() {
    let scene = scene().await;
    let mut job = Job::new(&scene, "shown");
    job.source["data_labels"] = json!({ "points": ["C12"], "newsletter": ["C12"], "city": ["C2"] });
    job.segment["query"] =
        json!("SELECT customer_id, email, name || points AS name, city, points FROM shown WHERE newsletter");
    job.ready(&persons(PEOPLE)).await;
    let found = preview(&scene, &PreviewOf::Saved("shown".to_owned().try_into().unwrap())).await;
    assert_eq!((found.error, found.rows), (None, Some(PEOPLE)));
    let columns: Vec<&str> = found.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["customer_id", "email", "city"]);
    let told: Vec<bool> =
        ["name", "points"].map(|name| found.unusable_columns.iter().any(|one| one.contains(name))).to_vec();
    assert_eq!(told, [true, true], "{:?}", found.unusable_columns);
    assert!(found.first_rows.iter().all(|row| row.keys().eq(["city", "customer_id", "email"])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_leaves_is_not_downloaded_either() {
    let scene = scene().await;
    let admin = Person::new(&scene, Role::Administrator, "ann");
    let mut job = Job::new(&scene, "evaluated");
    job.source["data_labels"] = json!({ "points": ["C12"], "newsletter": ["C12"], "city": ["C2"] });
    job.segment["query"] = json!(
        "SELECT customer_id, email, name || points AS name, city, points FROM evaluated WHERE newsletter"
    );
    job.ready(&persons(PEOPLE)).await;
    let asked = admin.ask(Method::POST, "/segments/evaluated/downloads", &[], None).await;
    check(&asked, 202, "");
    let preview = format!("/previews/{}", asked.body["preview_id"].as_str().unwrap());
    wait_until("the file is made", async || admin.get(&preview).await.body["state"] != "running").await;
    assert_eq!(admin.get(&preview).await.body["result"]["rows"], PEOPLE);
    let link = admin.get(&format!("{preview}/members")).await;
    check(&link, 200, "");
    let csv = reqwest::get(link.body["url"].as_str().unwrap()).await.unwrap().text().await.unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        (lines[0], lines.len()),
        ("member_key,customer_id,email,city", 1 + usize::try_from(PEOPLE).unwrap())
    );
    let none = admin.get("/previews/01938f5e-7c00-7000-8000-000000000001/members").await;
    check(&none, 404, "file_missing");
}
