//! The rights of one person: what is kept about them is found, and they are forgotten for good.

use crate::preview::preview;
use crate::support::messages::dead_letters;
use crate::support::privacy::Needles;
use crate::support::{Job, Scene, emails, persons, wait_until};
use crate::uploads::{asked, read, spreadsheet};
use local::cloud::Moment::Before;
use local::demo::Person;
use relay_delivery::delta::DeliveredReader;
use relay_model::engine::PreviewOf;
use relay_model::privacy::EXCLUSION_KEY;
use relay_model::run::TriggerKind;
use relay_model::{Counts, RunId};
use relay_pipeline::upload_trigger;
use reqwest::Method;
use serde_json::{Value, json};

/// Asks for something for one person, and waits until it is over.
async fn ask(scene: &Scene, body: &Value) -> Value {
    let answer = scene.cloud.api(Method::POST, "/person-requests", Some(body)).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.body);
    let request_id = answer.body["request_id"].as_str().unwrap().to_owned();
    let path = format!("/person-requests/{request_id}");
    let mut shown = Value::Null;
    wait_until("the request is over", async || {
        shown = scene.cloud.api(Method::GET, &path, None).await.unwrap().body;
        shown["request"]["state"] != "running"
    })
    .await;
    // Who was meant stands nowhere any more.
    let request = scene.data().find(&format!("people/{request_id}/request.json")).await.unwrap();
    assert!(request.is_none());
    shown
}

async fn erase(scene: &Scene, key: &str, value: &str) -> Value {
    let shown = ask(scene, &json!({ "kind": "erasure", key: value })).await;
    assert_eq!(shown["request"]["state"], "succeeded", "{shown}");
    assert_eq!(shown["found"], Value::Null);
    shown
}

/// What an export finds of somebody: kind of place and how many records.
async fn found(scene: &Scene, key: &str, value: &str) -> Vec<(String, Value)> {
    let shown = ask(scene, &json!({ "kind": "export", key: value })).await;
    assert_eq!(shown["request"]["state"], "succeeded", "{shown}");
    let link = shown["found"]["url"].as_str().unwrap();
    let fetched = reqwest::get(link).await.unwrap().bytes().await.unwrap();
    let found: Value = serde_json::from_slice(&fetched).unwrap();
    let places = found["places"].as_array().unwrap().iter();
    places.map(|place| (place["what"].as_str().unwrap().to_owned(), place["kept"].clone())).collect()
}

/// What was done: kind of place and action, and the run of it.
fn done(shown: &Value) -> Vec<(&str, &str)> {
    let places = shown["request"]["places"].as_array().unwrap().iter();
    places.map(|place| (place["what"].as_str().unwrap(), place["action"].as_str().unwrap())).collect()
}

fn run_of(shown: &Value) -> RunId {
    shown["runs"][0]["run_id"].as_str().unwrap().parse().unwrap()
}

/// The member keys in the delivered states of an export.
async fn delivered(scene: &Scene, export: &str) -> Vec<String> {
    let mut members = Vec::new();
    for key in scene.delivered_states(export).await {
        let file = scene.data().download(&key).await.unwrap();
        members.extend(DeliveredReader::open(file).unwrap().map(|record| record.unwrap().member_key.0));
    }
    members
}

fn without<'a>(people: &'a [Person], id: &str) -> Vec<&'a Person> {
    people.iter().filter(|person| person.id != id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_person_leaves_and_stays_away_until_they_are_let_in() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    let job = Job::new(&scene, "letters");
    let mut people = persons(200);
    people[3].email = Some("no address at all".to_owned());
    let shared = people[4].email.clone();
    people[5].email = shared;
    job.ready(&people).await;
    let first = job.run().await;
    first.succeeded(Counts { added: 198, rejected: 1, skipped: 1, ..Counts::default() });
    let reachable: Vec<Person> = people.iter().filter(|person| person.id != "P0000004").cloned().collect();

    // What is kept of two of them: one is on the list, and one could not be delivered.
    let kept = found(&scene, "member_key", "P0000008").await;
    let record = json!([{ "member_key": "P0000008", "match_key": "person8@mail.example.com", "status": "on_list",
        "destination_id": null }]);
    assert_eq!(kept, [("delivered_state".to_owned(), record)]);
    let kept = found(&scene, "member_key", "P0000004").await;
    assert_eq!((kept.len(), kept[0].0.as_str()), (1, "rejected_rows"));
    assert_eq!(
        (&kept[0].1[0]["outcome"], &kept[0].1[0]["code"]),
        (&json!("rejected"), &json!("email_invalid"))
    );
    assert_eq!(found(&scene, "match_key", " Person8@MAIL.example.com").await.len(), 1);
    assert_eq!(found(&scene, "member_key", "nobody").await, []);

    // One is erased by their address: the ordinary run takes them off, and leaves no trace.
    let shown = erase(&scene, "match_key", "PERSON8@mail.example.com").await;
    assert_eq!(done(&shown), [("delivered_state", "run_asked_for")]);
    assert_eq!(shown["request"]["kept_out"].as_array().unwrap().len(), 1);
    let over = job.over(run_of(&shown)).await;
    over.succeeded(Counts { removed: 1, unchanged: 197, rejected: 1, skipped: 1, ..Counts::default() });
    assert_eq!(over.run.trigger.kind, TriggerKind::Erasure);
    assert_eq!(job.active(), emails(without(&reachable, "P0000008")));
    let left = delivered(&scene, "letters").await;
    assert_eq!(left.len(), 197);
    assert!(!left.contains(&"P0000008".to_owned()));
    assert_eq!(found(&scene, "member_key", "P0000008").await, []);

    // The lake still has them, and nobody takes them in again or shows them.
    let rest = Counts { unchanged: 197, rejected: 1, skipped: 1, ..Counts::default() };
    job.run().await.succeeded(rest);
    let seen = preview(&scene, &PreviewOf::Saved("letters".to_owned().try_into().unwrap())).await;
    assert_eq!((seen.rows, seen.error), (Some(199), None));
    assert!(!seen.first_rows.iter().any(|row| row["customer_id"] == "P0000008"));

    // The other one is in the lists of rejected rows only: they are written anew.
    let rejected = first.report.rejected_key.clone().unwrap();
    let shown = erase(&scene, "member_key", "P0000004").await;
    assert_eq!(done(&shown), [("rejected_rows", "forgotten"); 3]);
    let text = String::from_utf8(scene.data().get(&rejected).await.unwrap()).unwrap();
    assert!(text.contains("P0000006") && !text.contains("P0000004"), "{text}");
    job.run().await.succeeded(Counts { rejected: 0, ..rest });

    // Who is kept out is known by what stands for them, until they are let in.
    let erasures = scene.cloud.api(Method::GET, "/erasures", None).await.unwrap().body;
    assert_eq!((&erasures["kept_out"], erasures["items"].as_array().unwrap().len()), (&json!(2), 2));
    let id = shown["request"]["kept_out"][0].as_str().unwrap();
    let path = format!("/erasures/{id}");
    assert_eq!(scene.cloud.api(Method::DELETE, &path, None).await.unwrap().status, 204);
    assert_eq!(scene.cloud.api(Method::DELETE, &path, None).await.unwrap().status, 404);
    let latest = job.run().await;
    latest.succeeded(rest);

    assert_eq!(dead_letters(&scene).await, 0);
    let told = Needles::of(&people).and(["no address at all"]);
    let audit = scene.cloud.api(Method::GET, "/audit", None).await.unwrap().body.to_string();
    assert!(
        audit.contains("erase_person") && audit.contains("lift_erasure") && audit.contains("download_person")
    );
    told.are_nowhere(&scene, &[latest, over], Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_follows_a_run_that_is_under_way() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "busy");
    // What is put into an upload is nobody's who was erased either.
    job.segment = json!({ "id": "busy", "name": "busy", "upload": {
        "identity_column": "email", "member_key_column": "id", "columns": { "points": "integer" },
    } });
    job.save().await;
    let people = persons(100);
    let first = read(&scene, &job, "people.csv", spreadsheet(&people)).await;
    let trigger = upload_trigger(&"busy".to_owned().try_into().unwrap(), &first.upload_id);
    let run_id = asked(&scene, &job, &trigger).await;
    job.over(run_id).await.succeeded(Counts { added: 100, ..Counts::default() });

    // A run that begins before somebody is erased and ends afterwards: its snapshot has them.
    let message = scene.hold(Before, "sqs", "SendMessageBatch", "/chunk/0").await;
    let under_way = job.start().await;
    scene.held(message).await;
    let shown = erase(&scene, "match_key", "person9@mail.example.com").await;
    let expected = [
        ("run_under_way", "run_asked_for"),
        ("delivered_state", "run_asked_for"),
        ("upload", "ends_by_itself"),
    ];
    assert_eq!(done(&shown), expected);
    assert_eq!(shown["runs"][0]["state"], "waiting");
    scene.cloud.release(message).await.unwrap();
    job.over(under_way).await.succeeded(Counts { unchanged: 100, ..Counts::default() });
    job.over(run_of(&shown)).await.succeeded(Counts { removed: 1, unchanged: 99, ..Counts::default() });
    assert_eq!(job.active(), emails(without(&people, "P0000009")));
    let kept = found(&scene, "member_key", "P0000009").await;
    assert_eq!((kept.len(), kept[0].0.as_str()), (1, "upload"));
    assert_eq!(kept[0].1[0]["name"], "First9 Last9");

    let id = shown["request"]["kept_out"][0].as_str().unwrap();
    let lifted = scene.cloud.api(Method::DELETE, &format!("/erasures/{id}"), None).await.unwrap();
    assert_eq!(lifted.status, 204);
    // They are asked for again. This destination knows that they were deleted, and nobody here knows by whom, which is
    // what it would need to take them back.
    let over = job.run().await;
    over.succeeded(Counts { unchanged: 99, skipped: 1, ..Counts::default() });
    assert_eq!(over.because("campaign_monitor_205"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_to_act_is_told_where() {
    let scene = Scene::open().await;
    let mut stopped = Job::new(&scene, "stopped");
    let removed = Job::new(&scene, "removed");
    let mut resting = Job::new(&scene, "resting");
    let people = persons(100);
    for job in [&stopped, &removed, &resting] {
        job.ready(&people).await;
        job.run().await.succeeded(Counts { added: 100, ..Counts::default() });
    }
    stopped.export["enabled"] = json!(false);
    stopped.save().await;
    resting.segment["active"] = json!(false);
    resting.save().await;
    let version =
        scene.cloud.api(Method::GET, "/exports/removed", None).await.unwrap().body["version"].clone();
    let tag = format!("\"{version}\"");
    let answer = scene.cloud.api_with(Method::DELETE, "/exports/removed", &[("If-Match", &tag)], None).await;
    assert_eq!(answer.unwrap().status, 204);

    let shown = erase(&scene, "member_key", "P0000005").await;
    let places = shown["request"]["places"].as_array().unwrap();
    let of = |export: &str| places.iter().find(|place| place["export"] == export).unwrap();
    let check = |export: &str, action: &str, list: &str, words: &str| {
        let place = of(export);
        assert_eq!((&place["action"], &place["target_list"]), (&json!(action), &json!(list)), "{place}");
        assert!(place["reason"].as_str().unwrap().contains(words), "{place}");
    };
    let (stopped_list, removed_list) = (json!(stopped.list), json!(removed.list));
    check("stopped", "cannot_run", stopped_list.as_str().unwrap(), "enable it");
    check("removed", "forgotten_but_on_list", removed_list.as_str().unwrap(), "do that at the destination");
    check("resting", "cannot_run", &resting.list.to_string(), "switched off");
    assert_eq!((places.len(), shown["runs"].as_array().unwrap().len()), (3, 0));
    // Nobody is forgotten who can still be taken off.
    assert!(delivered(&scene, "stopped").await.contains(&"P0000005".to_owned()));
    let left = delivered(&scene, "removed").await;
    assert_eq!(left.len(), 99);
    assert!(!left.contains(&"P0000005".to_owned()));

    // As soon as the export runs again, they leave.
    stopped.export["enabled"] = json!(true);
    stopped.save().await;
    stopped.run().await.succeeded(Counts { removed: 1, unchanged: 99, ..Counts::default() });
    assert_eq!(delivered(&scene, "stopped").await.len(), 99);
    resting.segment["active"] = json!(true);
    resting.save().await;
    resting.run().await.succeeded(Counts { removed: 1, unchanged: 99, ..Counts::default() });
    assert_eq!(found(&scene, "match_key", "person5@mail.example.com").await, []);
    let shown = erase(&scene, "member_key", "P0000005").await;
    assert_eq!((done(&shown), shown["runs"].as_array().unwrap().len()), (Vec::new(), 0));

    // Nobody comes back because the key is gone by which they are known.
    scene.data().delete(EXCLUSION_KEY).await.unwrap();
    stopped.run().await.failed("exclusion_key_missing", &["put it back"]);

    // A key that comes again for somebody else, or for something else, is no answer to it.
    let with_key = async |body: Value| {
        let headers = [("Idempotency-Key", "ticket-4711")];
        scene.cloud.api_with(Method::POST, "/person-requests", &headers, Some(&body)).await.unwrap()
    };
    let first = with_key(json!({ "kind": "export", "member_key": "P0000007" })).await;
    let again = with_key(json!({ "kind": "export", "member_key": "P0000007" })).await;
    assert_eq!((first.status, &first.body), (202, &again.body));
    for body in [
        json!({ "kind": "erasure", "member_key": "P0000007" }),
        json!({ "kind": "export", "member_key": "P0000008" }),
    ] {
        let refused = with_key(body).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("idempotency_key_reused")));
    }

    // Who is meant must be said, and in no more than one way.
    for body in
        [json!({ "kind": "erasure" }), json!({ "kind": "export", "member_key": "a", "match_key": "b" })]
    {
        let refused = scene.cloud.api(Method::POST, "/person-requests", Some(&body)).await.unwrap();
        assert_eq!((refused.status, &refused.body["code"]), (422, &json!("person_malformed")));
    }
}
