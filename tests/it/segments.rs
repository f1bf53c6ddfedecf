//! Segments through the HTTP API: broken ones are not saved, and definitions in use are not deleted.

use crate::control_plane::{Person, check};
use crate::support::{Job, Scene, persons};
use crate::{preview, rules};
use local::cloud::Response;
use local::issuer::Role;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn segments_are_checked_previewed_and_saved() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    preview::a_segment_is_previewed_before_it_is_used(&scene).await;
    a_broken_segment_is_not_saved(&scene).await;
    a_definition_in_use_cannot_be_deleted(&scene).await;
    rules::rules_are_saved_previewed_and_exported(&scene).await;
    rules::broken_rules_name_the_field(&scene).await;
}

/// The segment with another query.
fn with_query(job: &Job<'_>, query: &str) -> Value {
    let mut segment = job.segment.clone();
    segment["query"] = json!(query);
    segment
}

/// Checks that a change is refused at this field with these words.
#[track_caller]
fn check_refused(answer: &Response, code: &str, field: &str, words: &str) {
    check(answer, 422, code);
    let error = &answer.body["errors"][0];
    assert_eq!(error["field"], field, "{}", answer.body);
    assert!(error["problem"].as_str().unwrap().contains(words), "{}", answer.body);
}

/// Checks that a change is saved with these warnings.
#[track_caller]
fn check_saved(answer: &Response, status: u16, warnings: &[&[&str]]) {
    check(answer, status, "");
    let found = answer.body["warnings"].as_array().cloned().unwrap_or_default();
    assert_eq!(found.len(), warnings.len(), "{}", answer.body);
    for (warning, words) in found.iter().zip(warnings) {
        let warning = warning.as_str().unwrap();
        assert!(words.iter().all(|word| warning.contains(word)), "{warning}");
    }
}

async fn a_broken_segment_is_not_saved(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "checked");
    job.connection["use_by"] = json!("contributors");
    job.ready(&persons(5)).await;
    let cleo = Person::new(scene, Role::Contributor, "cleo");
    let path = "/segments/checked";

    let refused: [(&str, &str, &str); 5] = [
        ("DROP TABLE checked", "query_not_a_select", "one SELECT"),
        ("SELECT customer_id FORM checked", "query_syntax", "line 1, column 25"),
        (
            "SELECT customer_id FROM cheked",
            "query_unknown_source",
            "did you mean checked?; the sources are: checked, seen",
        ),
        (
            "SELECT customer_id, emial FROM checked",
            "query_unknown_column",
            "did you mean email?; the columns are: ",
        ),
        ("SELECT customer_id, lowr(email) AS email FROM checked", "query_not_plannable", "'lower'"),
    ];
    for (query, code, words) in refused {
        check_refused(&cleo.change(path, 1, &with_query(&job, query)).await, code, "/query", words);
    }
    let mut keyless = job.segment.clone();
    keyless["member_key"] = json!("id");
    let words = "its columns are: customer_id, email, name, city, points";
    check_refused(&cleo.change(path, 1, &keyless).await, "query_member_key_missing", "/member_key", words);
    let mut doubled = job.segment.clone();
    doubled["labels"] = json!(["Wien", "Wien"]);
    check_refused(&cleo.change(path, 1, &doubled).await, "catalog_field_invalid", "/labels/1", "twice");
    check(&cleo.change("/segments/checked?check=later", 1, &job.segment).await, 400, "query_malformed");
    assert_eq!(cleo.get(path).await.body["version"], 1, "nothing of that was saved");

    // `check=none` skips the check against the sources, but not the syntax check.
    let unchecked = "/segments/checked?check=none";
    let soon = with_query(&job, "SELECT customer_id, emial FROM checked");
    check_saved(&cleo.change(unchecked, 1, &soon).await, 200, &[]);
    let nowhere = with_query(&job, "SELECT customer_id FROM nowhere");
    check_refused(&cleo.change(unchecked, 2, &nowhere).await, "query_unknown_source", "/query", "nowhere");

    // Only removed attributes that an export maps cause warnings.
    let narrow = with_query(&job, "SELECT customer_id, email, name FROM checked");
    let lost: [&[&str]; 2] = [&["export \"checked\"", "\"city\""], &["export \"checked\"", "\"points\""]];
    check_saved(&cleo.change(path, 2, &narrow).await, 200, &lost);
    let mut labelled = job.segment.clone();
    labelled["labels"] = json!(["Wien"]);
    let saved = cleo.change(path, 3, &labelled).await;
    check_saved(&saved, 200, &[]);
    assert_eq!(saved.body["document"]["labels"], json!(["Wien"]));
    let mut form = json!({ "identity_column": "email", "columns": { "name": "text", "city": "text" } });
    let upload = |form: &Value| json!({ "id": "checked", "name": "Guests", "upload": form });
    check_saved(&cleo.change(path, 4, &upload(&form)).await, 200, &[&["export \"checked\"", "\"points\""]]);
    form["expires_after_days"] = json!(7);
    check_saved(&cleo.change(path, 5, &upload(&form)).await, 200, &[]);

    // A segment of an empty source is saved with a warning.
    let admin = Person::new(scene, Role::Administrator, "ann");
    let empty = json!({ "id": "empty", "location": "s3://lake/empty/", "format": "parquet" });
    check(&admin.create("/sources/empty", &empty).await, 201, "");
    let early =
        json!({ "id": "early", "name": "Early", "query": "SELECT id FROM empty", "member_key": "id" });
    let words: [&[&str]; 1] = [&["not checked with the sources: source empty: there is no .parquet object"]];
    check_saved(&cleo.create("/segments/early", &early).await, 201, &words);
}

async fn a_definition_in_use_cannot_be_deleted(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "needed");
    job.export["enabled"] = json!(false);
    job.save().await;
    let other = Job::new(scene, "other");
    other.save().await;
    let admin = Person::new(scene, Role::Administrator, "ann");
    let vera = Person::new(scene, Role::Viewer, "vera");

    let named = |name: &str, is_enabled: bool| json!({ "id": name, "name": name, "connection": "campaign-monitor", "is_enabled": is_enabled });
    let uses = json!({ "contains": [named("needed", false)], "does_not_contain": [named("checked", true), named("other", true), named("seen", true)] });
    assert_eq!(vera.get("/segments/needed/exports").await.body, uses);
    check(&vera.get("/segments/unknown/exports").await, 404, "catalog_missing");
    // A user who may not use the connection of an export may not change its segment.
    let cleo = Person::new(scene, Role::Contributor, "cleo");
    check(&cleo.change("/segments/needed", 1, &job.segment).await, 403, "connection_not_shared");

    // A common table expression is not a source.
    let query =
        "WITH other AS (SELECT * FROM needed) SELECT customer_id, email, name, city, points FROM other";
    check(&admin.change("/segments/other?check=none", 1, &with_query(&other, query)).await, 200, "");
    let readers = |ids: &[&str]| {
        let segments: Vec<Value> = ids.iter().map(|id| json!({ "id": id, "name": id })).collect();
        json!({ "segments": segments })
    };
    assert_eq!(vera.get("/sources/needed/segments").await.body, readers(&["needed", "other"]));
    assert_eq!(vera.get("/sources/other/segments").await.body, readers(&[]));
    check(&vera.get("/sources/nothing/segments").await, 404, "catalog_missing");

    let remove = async |source: &str| {
        let path = format!("/sources/{source}");
        admin.ask(Method::DELETE, &path, &[("if-match", "\"1\"")], None).await
    };
    let in_use = remove("needed").await;
    check(&in_use, 409, "source_in_use");
    assert!(
        in_use.body["detail"].as_str().unwrap().contains("segments read source \"needed\": needed, other"),
        "{}",
        in_use.body
    );
    check(&remove("other").await, 204, "");
    for name in ["needed", "other"] {
        let alone = json!({ "id": name, "name": name, "query": "SELECT '1' AS customer_id", "member_key": "customer_id" });
        let version = if name == "other" { 2 } else { 1 };
        check(&admin.change(&format!("/segments/{name}?check=none"), version, &alone).await, 200, "");
    }
    check(&remove("needed").await, 204, "");
}
