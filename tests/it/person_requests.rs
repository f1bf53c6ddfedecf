//! Person requests: the export and the erasure of one person's data.

use crate::preview::saved_preview;
use crate::support::leaks::Needles;
use crate::support::messages::dead_letters;
use crate::support::{Job, Scene, emails, person, persons, wait_until};
use crate::uploads::{asked, read, spreadsheet};
use local::cloud::Moment::Before;
use local::demo::Person;
use relay_delivery::delta::DeliveredReader;
use relay_model::privacy::EXCLUSION_KEY;
use relay_model::run::TriggerKind;
use relay_model::{Counts, RunId};
use relay_pipeline::upload_trigger;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_exported_and_erased() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    an_erased_person_is_removed_and_excluded(&scene).await;
    an_erasure_during_a_run_starts_another_run(&scene).await;
    an_erasure_names_the_lists_that_need_manual_work(&scene).await;
}

/// Makes a person request and waits until it is done.
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
    // The request object with the person's key is deleted.
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

/// Exports one person's data: the kind and the records of each place.
async fn found(scene: &Scene, key: &str, value: &str) -> Vec<(String, Value)> {
    let shown = ask(scene, &json!({ "kind": "export", key: value })).await;
    assert_eq!(shown["request"]["state"], "succeeded", "{shown}");
    let link = shown["found"]["url"].as_str().unwrap();
    let fetched = reqwest::get(link).await.unwrap().bytes().await.unwrap();
    let found: Value = serde_json::from_slice(&fetched).unwrap();
    let places = found["places"].as_array().unwrap().iter();
    places.map(|place| (place["what"].as_str().unwrap().to_owned(), place["kept"].clone())).collect()
}

/// The actions of a request: the kind of place and the action.
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

async fn an_erased_person_is_removed_and_excluded(scene: &Scene) {
    scene.reset();
    let job = Job::new(scene, "letters");
    let mut people = persons(200);
    people[3].email = Some("no address at all".to_owned());
    let shared = people[4].email.clone();
    people[5].email = shared;
    job.ready(&people).await;
    let first = job.run().await;
    first.succeeded(Counts { added: 198, rejected: 1, skipped: 1, ..Counts::default() });
    let reachable: Vec<Person> = people.iter().filter(|person| person.id != "P0000004").cloned().collect();

    // The exports of two people: one is on the list, and one was rejected.
    let kept = found(scene, "member_key", "P0000008").await;
    let record = json!([{ "member_key": "P0000008", "match_key": "person8@mail.example.com", "status": "on_list",
        "destination_id": null }]);
    assert_eq!(kept, [("delivered_state".to_owned(), record)]);
    let kept = found(scene, "member_key", "P0000004").await;
    assert_eq!((kept.len(), kept[0].0.as_str()), (1, "rejected_rows"));
    assert_eq!(
        (&kept[0].1[0]["outcome"], &kept[0].1[0]["code"]),
        (&json!("rejected"), &json!("email_invalid"))
    );
    assert_eq!(found(scene, "match_key", " Person8@MAIL.example.com").await.len(), 1);
    assert_eq!(found(scene, "member_key", "unknown").await, []);

    // One person is erased by address: a run removes them from the list and from the delivered state.
    let shown = erase(scene, "match_key", "PERSON8@mail.example.com").await;
    assert_eq!(done(&shown), [("delivered_state", "run_asked_for")]);
    assert_eq!(shown["request"]["kept_out"].as_array().unwrap().len(), 1);
    let first_exclusion = shown["request"]["kept_out"][0].as_str().unwrap().to_owned();
    let finished = job.wait_for(run_of(&shown)).await;
    finished.succeeded(Counts { removed: 1, unchanged: 197, rejected: 1, skipped: 1, ..Counts::default() });
    assert_eq!(finished.run.trigger.kind, TriggerKind::Erasure);
    assert_eq!(job.active(), emails(without(&reachable, "P0000008")));
    let left = delivered(scene, "letters").await;
    assert_eq!(left.len(), 197);
    assert!(!left.contains(&"P0000008".to_owned()));
    assert_eq!(found(scene, "member_key", "P0000008").await, []);

    // The lake still has the person, but runs do not deliver and previews do not show them.
    let rest = Counts { unchanged: 197, rejected: 1, skipped: 1, ..Counts::default() };
    job.run().await.succeeded(rest);
    let seen = saved_preview(scene, "letters").await.unwrap();
    assert_eq!(seen.counts.rows, 199);
    assert!(!seen.first_rows.iter().any(|row| row["customer_id"] == "P0000008"));

    // The other person is in lists of rejected rows only, which are written again without them.
    let rejected = first.report.rejected_key.clone().unwrap();
    let shown = erase(scene, "member_key", "P0000004").await;
    assert_eq!(done(&shown), [("rejected_rows", "forgotten"); 3]);
    let text = String::from_utf8(scene.data().get(&rejected).await.unwrap()).unwrap();
    assert!(text.contains("P0000006") && !text.contains("P0000004"), "{text}");
    job.run().await.succeeded(Counts { rejected: 0, ..rest });

    // Exclusions are listed by pseudonym and can be lifted.
    let erasures = scene.cloud.api(Method::GET, "/erasures", None).await.unwrap().body;
    assert_eq!((&erasures["kept_out"], erasures["items"].as_array().unwrap().len()), (&json!(2), 2));
    let id = shown["request"]["kept_out"][0].as_str().unwrap();
    let path = format!("/erasures/{id}");
    assert_eq!(scene.cloud.api(Method::DELETE, &path, None).await.unwrap().status, 204);
    assert_eq!(scene.cloud.api(Method::DELETE, &path, None).await.unwrap().status, 404);
    let latest = job.run().await;
    latest.succeeded(rest);

    assert_eq!(dead_letters(scene).await, 0);
    let told = Needles::of(&people).and(["no address at all"]);
    let audit = scene.cloud.api(Method::GET, "/audit", None).await.unwrap().body.to_string();
    assert!(
        audit.contains("erase_person") && audit.contains("lift_erasure") && audit.contains("download_person")
    );
    told.are_nowhere(scene, &[latest, finished], Vec::new()).await;
    // The other exclusion is lifted too, so that it does not affect later stories.
    let path = format!("/erasures/{first_exclusion}");
    assert_eq!(scene.cloud.api(Method::DELETE, &path, None).await.unwrap().status, 204);
}

async fn an_erasure_during_a_run_starts_another_run(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "busy");
    // Members of uploads can be erased too.
    job.segment = json!({ "id": "busy", "name": "busy", "upload": {
        "identity_column": "email", "member_key_column": "id", "columns": { "points": "integer" },
    } });
    job.save().await;
    // People of other exports would be found there too.
    let people: Vec<Person> = (301..=400).map(person).collect();
    let first = read(scene, &job, "people.csv", spreadsheet(&people)).await;
    let trigger = upload_trigger(&"busy".to_owned().try_into().unwrap(), &first.upload_id);
    let run_id = asked(scene, &job, &trigger).await;
    job.wait_for(run_id).await.succeeded(Counts { added: 100, ..Counts::default() });

    // The snapshot of a run that starts before the erasure has the person.
    let message = scene.hold(Before, "sqs", "SendMessageBatch", "/chunk/0").await;
    let under_way = job.start().await;
    scene.held(message).await;
    let shown = erase(scene, "match_key", "person309@mail.example.com").await;
    let expected = [
        ("run_under_way", "run_asked_for"),
        ("delivered_state", "run_asked_for"),
        ("upload", "ends_by_itself"),
    ];
    assert_eq!(done(&shown), expected);
    assert_eq!(shown["runs"][0]["state"], "waiting");
    scene.cloud.release(message).await.unwrap();
    job.wait_for(under_way).await.succeeded(Counts { unchanged: 100, ..Counts::default() });
    job.wait_for(run_of(&shown)).await.succeeded(Counts { removed: 1, unchanged: 99, ..Counts::default() });
    assert_eq!(job.active(), emails(without(&people, "P0000309")));
    let kept = found(scene, "member_key", "P0000309").await;
    assert_eq!((kept.len(), kept[0].0.as_str()), (1, "upload"));
    assert_eq!(kept[0].1[0]["name"], "First309 Last309");

    let id = shown["request"]["kept_out"][0].as_str().unwrap();
    let lifted = scene.cloud.api(Method::DELETE, &format!("/erasures/{id}"), None).await.unwrap();
    assert_eq!(lifted.status, 204);
    // The person is delivered again. Campaign Monitor reports that they were deleted; without a record of our removal
    // they are not resubscribed.
    let finished = job.run().await;
    finished.succeeded(Counts { unchanged: 99, skipped: 1, ..Counts::default() });
    assert_eq!(finished.because("campaign_monitor_205"), 1);
}

async fn an_erasure_names_the_lists_that_need_manual_work(scene: &Scene) {
    scene.reset();
    let mut stopped = Job::new(scene, "stopped");
    let removed = Job::new(scene, "removed");
    let mut resting = Job::new(scene, "resting");
    let people: Vec<Person> = (501..=600).map(person).collect();
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

    let shown = erase(scene, "member_key", "P0000505").await;
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
    // The record of a person who can still be removed from the list is kept.
    assert!(delivered(scene, "stopped").await.contains(&"P0000505".to_owned()));
    let left = delivered(scene, "removed").await;
    assert_eq!(left.len(), 99);
    assert!(!left.contains(&"P0000505".to_owned()));

    // The next run of the export removes the person.
    stopped.export["enabled"] = json!(true);
    stopped.save().await;
    stopped.run().await.succeeded(Counts { removed: 1, unchanged: 99, ..Counts::default() });
    assert_eq!(delivered(scene, "stopped").await.len(), 99);
    resting.segment["active"] = json!(true);
    resting.save().await;
    resting.run().await.succeeded(Counts { removed: 1, unchanged: 99, ..Counts::default() });
    assert_eq!(found(scene, "match_key", "person505@mail.example.com").await, []);
    let shown = erase(scene, "member_key", "P0000505").await;
    assert_eq!((done(&shown), shown["runs"].as_array().unwrap().len()), (Vec::new(), 0));

    // Without the key of the exclusions no run starts, so no excluded person is delivered.
    scene.data().delete(EXCLUSION_KEY).await.unwrap();
    stopped.run().await.failed("exclusion_key_missing", &["put it back"]);

    // An idempotency key cannot be reused for another person or another kind of request.
    let with_key = async |body: Value| {
        let headers = [("Idempotency-Key", "ticket-4711")];
        scene.cloud.api_with(Method::POST, "/person-requests", &headers, Some(&body)).await.unwrap()
    };
    let first = with_key(json!({ "kind": "export", "member_key": "P0000507" })).await;
    let again = with_key(json!({ "kind": "export", "member_key": "P0000507" })).await;
    assert_eq!((first.status, &first.body), (202, &again.body));
    for body in [
        json!({ "kind": "erasure", "member_key": "P0000507" }),
        json!({ "kind": "export", "member_key": "P0000508" }),
    ] {
        let refused = with_key(body).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("idempotency_key_reused")));
    }

    // A request names exactly one key of the person.
    for body in
        [json!({ "kind": "erasure" }), json!({ "kind": "export", "member_key": "a", "match_key": "b" })]
    {
        let refused = scene.cloud.api(Method::POST, "/person-requests", Some(&body)).await.unwrap();
        assert_eq!((refused.status, &refused.body["code"]), (422, &json!("person_malformed")));
    }
}
