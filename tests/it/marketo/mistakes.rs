//! What people get wrong: a clear message, nothing half done, and the next run works once it is mended.

use super::account::Account;
use crate::support::messages::dead_letters;
use crate::support::{Definitions, Scene, emails, persons};
use relay_model::Counts;
use relay_model::run::RunState;
use sandbox::marketo::{Access, Credentials, DataType, Endpoint, Field, NewList, NewService, Permission};
use serde_json::{Value, json};

const PEOPLE: u64 = 20;
const ALL: Counts =
    Counts { added: PEOPLE, changed: 0, removed: 0, unchanged: 0, skipped: 0, rejected: 0, deferred: 0 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_named_and_nothing_is_half_done() {
    let scene = Scene::open().await;
    tokio::join!(
        definitions(&scene),
        credentials(&scene),
        settings(&scene),
        rights(&scene),
        a_list_belongs_to_one_export(&scene)
    );
    assert_eq!(dead_letters(&scene).await, 0);
}

/// The run has failed with these words, and nothing was written to the account.
async fn refused(account: &Account<'_>, job: &Definitions<'_>, code: &str, words: &[&str]) {
    let (lists, people) = (account.lists(), account.everybody());
    job.save().await;
    let over = job.run().await;
    over.failed(code, words);
    assert_eq!((over.report.counts, over.report.batches), (Counts::default(), 0), "{words:?}");
    assert_eq!((account.lists(), account.everybody()), (lists, people), "{words:?}");
}

/// The next run brings everybody.
async fn mended(account: &Account<'_>, job: &Definitions<'_>) {
    job.save().await;
    job.run().await.succeeded(ALL);
    assert_eq!(account.on(&job.name), emails(&persons(PEOPLE)));
}

async fn definitions(scene: &Scene) {
    let account = Account::open(scene, "definitions").await;
    account.add_field(Field::new("readOnly", DataType::String).with_access(Access::ReadOnly));
    let mut job = account.job("definitions");
    job.upload(&persons(PEOPLE)).await;
    let right = job.export.clone();
    let check = async |job: &mut Definitions<'_>, place: &str, value: Value, code: &str, words: &[&str]| {
        job.export = right.clone();
        *job.export.pointer_mut(place).unwrap() = value;
        refused(&account, job, code, words).await;
    };
    let field = "/mapping/0/field";
    check(&mut job, field, json!("shoeSize"), "settings_invalid", &["no field \"shoeSize\"", "city"]).await;
    check(&mut job, field, json!("readOnly"), "settings_invalid", &["readOnly", "cannot be updated"]).await;
    check(&mut job, field, json!("createdAt"), "settings_invalid", &["createdAt", "set by Marketo itself"])
        .await;
    check(&mut job, field, json!("company"), "settings_invalid", &["company", "1021"]).await;
    let options = "/options";
    let invalid = "settings_invalid";
    check(&mut job, options, json!({ "lookup_field": "ECID" }), invalid, &["ECIDs", "searchable"]).await;
    check(
        &mut job,
        options,
        json!({ "lookup_field": "city" }),
        invalid,
        &["cannot be looked up by", "email"],
    )
    .await;
    check(
        &mut job,
        options,
        json!({ "lookup_field": "shoe" }),
        invalid,
        &["the account has no field", "shoe"],
    )
    .await;
    check(&mut job, options, json!({ "folder": "Nowhere" }), invalid, &["no folder \"Nowhere\""]).await;
    check(&mut job, options, json!({ "partition": "EMEA" }), invalid, &["no partition \"EMEA\"", "Default"])
        .await;
    check(&mut job, options, json!({ "lookupField": "email" }), invalid, &["unknown field `lookupField`"])
        .await;
    let segment = |list: &str| json!({ "segment": "definitions", "target_list": list });
    check(&mut job, "/segments/0", segment("9999"), "list_missing", &["no static list with this id"]).await;
    check(&mut job, "/segments/0", segment("LI1027A1"), "list_missing", &["1027 of #ST1027A1"]).await;
    job.export = right.clone();
    job.export["options"]["push"] = json!("bulk_import");
    job.export["mapping"][0]["if_null"] = json!("clear");
    refused(&account, &job, "settings_invalid", &["mapping[0].if_null", "bulk import"]).await;
    job.export = right.clone();
    mended(&account, &job).await;
}

async fn credentials(scene: &Scene) {
    let account = Account::open(scene, "credentials").await;
    let job = account.job("credentials");
    job.upload(&persons(PEOPLE)).await;
    let right = json!(account.credentials);
    let wrong = Credentials { client_secret: "not the secret".to_owned(), ..account.credentials.clone() };
    job.change_secret(&json!(wrong)).await;
    refused(&account, &job, "authentication_failed", &["client secret is not accepted", "LaunchPoint"]).await;
    job.change_secret(&json!({ "api_key": "of another vendor" })).await;
    refused(&account, &job, "authentication_failed", &["client_id", "client_secret"]).await;
    job.change_secret(&right).await;
    mended(&account, &job).await;
}

async fn settings(scene: &Scene) {
    for (number, settings, words) in [
        (1, json!({}), ["endpoint is missing", "Web Services"]),
        (2, json!({ "endpoint": "https://marketo.example.org" }), ["settings.endpoint", "host"]),
        (3, json!({ "endpoint": "123-ABC-456.mktorest.com", "lanes": 10 }), ["settings.lanes", "1 to 9"]),
    ] {
        let account = Account::open(scene, &format!("settings_{number}")).await;
        let mut job = account.job(&format!("settings_{number}"));
        job.upload(&persons(PEOPLE)).await;
        job.connection["settings"] = settings;
        refused(&account, &job, "settings_invalid", &words).await;
    }
}

async fn rights(scene: &Scene) {
    use Permission::{ReadOnlyPerson, ReadWriteAssets, ReadWritePerson};
    let lacking = async |name: &str, permissions: &[Permission]| {
        let account = Account::open(scene, name).await;
        let service = NewService { permissions: permissions.to_vec(), ..NewService::default() };
        let job = account.job(name);
        job.change_secret(&json!(account.create_service(service))).await;
        job.upload(&persons(PEOPLE)).await;
        (account, job)
    };
    let (account, job) = lacking("no_people", &[ReadWriteAssets]).await;
    refused(&account, &job, "permission_missing", &["\"Read-Write Person\"", "Access API"]).await;

    let (account, mut job) = lacking("no_assets", &[ReadWritePerson]).await;
    refused(&account, &job, "permission_missing", &["\"Read-Write Assets\""]).await;
    // A list that is there already needs no more than the right to people.
    let list = account.create_list(NewList::new("no_assets")).unwrap();
    job.export["segments"][0]["target_list"] = json!(list.to_string());
    mended(&account, &job).await;

    // That people may not be written is found out with the first of them; nobody is on the list then.
    let (account, job) = lacking("read_only", &[ReadOnlyPerson, ReadWriteAssets]).await;
    job.save().await;
    let over = job.run().await;
    assert_eq!(over.run.state, RunState::Failed);
    over.failed("permission_missing", &["\"Read-Write Person\""]);
    assert_eq!(over.report.counts, Counts { deferred: PEOPLE, ..Counts::default() });
    assert_eq!((account.lead_count(), account.list("read_only").members), (0, 0));
    assert_eq!(account.calls(Endpoint::AddMembers), 0);
    job.change_secret(&json!(account.credentials)).await;
}

async fn a_list_belongs_to_one_export(scene: &Scene) {
    let account = Account::open(scene, "owned").await;
    let first = account.job("owned");
    first.ready(&persons(PEOPLE)).await;
    first.run().await.succeeded(ALL);
    let mut second = account.job("owned_too");
    second.upload(&persons(PEOPLE)).await;
    second.export["segments"][0]["target_list"] = json!(format!("ST{}A1", account.list("owned").id));
    refused(&account, &second, "list_taken", &["belongs to export \"owned\""]).await;
}
