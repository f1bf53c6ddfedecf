//! What people get wrong: a clear message, nothing half done, and the next run works once it is mended.

use crate::support::{Job, Over, Scene, emails, persons, wait_until};
use relay_model::Counts;
use relay_model::run::RunState;
use reqwest::Method;
use sandbox::campaign_monitor::{Endpoint, NewAccount, NewClient, NewList, Pace, UnsubscribeSetting};
use serde_json::{Value, json};

const PEOPLE: u64 = 30;

/// The run has failed with these words and nothing was sent.
async fn refused(job: &Job<'_>, code: &str, words: &[&str]) -> Over {
    let over = job.run().await;
    over.failed(code, words);
    assert_eq!((over.report.counts, over.report.batches), (Counts::default(), 0), "{}", job.name);
    assert!(job.listed().is_empty(), "{}", job.name);
    over
}

/// The next run brings everybody.
async fn mended(job: &Job<'_>) {
    job.save().await;
    job.run().await.succeeded(Counts { added: PEOPLE, ..Counts::default() });
    assert_eq!(job.active(), emails(&persons(PEOPLE)));
}

async fn job<'a>(scene: &'a Scene, name: &str, change: impl FnOnce(&mut Job<'a>)) -> Job<'a> {
    let mut job = Job::new(scene, name);
    change(&mut job);
    job.save().await;
    job.upload(&persons(PEOPLE)).await;
    job
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_that_are_wrong_are_named() {
    let scene = Scene::open().await;

    let query = |columns: &str, name: &str| json!(format!("SELECT {columns} FROM {name}"));
    let mut wrong =
        job(&scene, "column", |job| job.segment["query"] = query("customer_id, emial", "column")).await;
    refused(&wrong, "query_unknown_column", &["segment \"column\"", "emial", "email", "the columns are"])
        .await;
    wrong.segment["query"] = query("customer_id, email, name, city, points", "column");
    mended(&wrong).await;

    let mut wrong = job(&scene, "prefix", |job| job.source["location"] = json!("s3://lake/elsewhere/")).await;
    refused(&wrong, "source_missing", &["source prefix", "s3://lake/elsewhere/"]).await;
    wrong.source["location"] = json!("s3://lake/prefix/");
    mended(&wrong).await;

    let mut wrong = job(&scene, "field", |job| job.export["mapping"][1]["field"] = json!("Town")).await;
    refused(&wrong, "mapping_unknown_field", &["Town", "[city]"]).await;
    wrong.export["mapping"][1]["field"] = json!("City");
    mended(&wrong).await;

    let mut wrong = job(&scene, "garbage", |job| job.source["format"] = json!("csv")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("garbage.csv");
    std::fs::write(&path, vec![b','; 3_000_000]).unwrap();
    scene.upload("garbage/garbage.csv", &path).await.unwrap();
    refused(&wrong, "source_object_invalid", &["lake/garbage/garbage.csv", "columns", "CSV"]).await;
    // What is not Parquet by its name is not read as such.
    wrong.source["format"] = json!("parquet");
    mended(&wrong).await;
    assert_eq!(scene.sandbox.report().faults, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_destination_does_not_let_in_is_named() {
    let scene = Scene::open().await;
    let stranger = scene.sandbox.create_account(NewAccount::default());
    let stranger = scene.sandbox.create_client(NewClient::new(stranger.account_id, "Stranger")).unwrap();
    let list = NewList {
        client_id: stranger.client_id,
        title: "Not ours".to_owned(),
        confirmed_opt_in: false,
        unsubscribe_setting: UnsubscribeSetting::AllClientLists,
    };
    let foreign = scene.sandbox.create_list(list).unwrap();
    let target = |job: &mut Job<'_>, list: &Value| job.export["segments"][0]["target_list"] = list.clone();
    let mut wrong = job(&scene, "list", |job| target(job, &json!(foreign))).await;
    refused(&wrong, "list_missing", &["no list", "check the id"]).await;
    assert!(scene.sandbox.dump(&foreign).unwrap().is_empty());
    let own = json!(wrong.list);
    target(&mut wrong, &own);
    mended(&wrong).await;

    let mut wrong = Job::new(&scene, "key");
    wrong.own_connection("0123456789abcdef0123456789abcdef", 4).await;
    wrong.save().await;
    wrong.upload(&persons(PEOPLE)).await;
    let over = refused(&wrong, "authentication_failed", &["API key is not accepted", "secret"]).await;
    assert!(!over.run.failure.unwrap().text.contains("0123456789abcdef"));
    wrong.change_key(&scene.account.api_key).await;
    mended(&wrong).await;

    // Without consent there is not even a run.
    let mut wrong = Job::new(&scene, "consent");
    wrong.own_connection(&scene.account.api_key, 4).await;
    let consent = wrong.connection["consent"].take();
    wrong.save().await;
    wrong.upload(&persons(PEOPLE)).await;
    let answer = scene.cloud.api(Method::POST, "/exports/consent/runs", None).await.unwrap();
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("consent_missing")));
    assert!(answer.body["detail"].as_str().unwrap().contains("consent"), "{}", answer.body);
    assert_eq!(scene.ledger().active_run(&wrong.id()).await.unwrap(), None);
    assert!(wrong.listed().is_empty());
    wrong.connection["consent"] = consent;
    mended(&wrong).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_revoked_in_mid_run_ends_it_and_the_next_run_brings_the_rest() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "revoked");
    // One lane: the batches go one after the other.
    job.own_connection(&scene.account.api_key, 1).await;
    job.save().await;
    let people = persons(3_500);
    job.upload(&people).await;
    scene.sandbox.set_pace(Pace { latency_ms: 400, throttle: None });
    let run_id = job.start().await;
    let on_the_list = || scene.sandbox.counts(&job.list).unwrap().total;
    wait_until("the first people are on the list", async || on_the_list() > 0).await;
    scene.sandbox.revoke_key(&scene.account.api_key).unwrap();
    let over = job.over(run_id).await;
    over.failed("authentication_failed", &["API key is not accepted"]);
    let counts = over.report.counts;
    assert_eq!(counts.added, u64::try_from(on_the_list()).unwrap());
    assert_eq!((over.report.rows_in, counts.added + counts.deferred), (3_500, 3_500));
    assert!(counts.added >= 1_000 && counts.deferred > 0, "{counts:?}");
    assert_eq!(over.because("authentication_failed"), counts.deferred);

    scene.sandbox.set_pace(Pace::default());
    job.change_key(&scene.client.api_key).await;
    let next = job.run().await;
    next.succeeded(Counts { added: counts.deferred, unchanged: counts.added, ..Counts::default() });
    assert_eq!(next.run.state, RunState::Succeeded);
    assert_eq!(job.active(), emails(&people));
    assert!(scene.calls(Endpoint::Import) >= 4);
}
