//! Custom uploads: a CSV object in the bucket starts all further steps.

use crate::preview::saved_preview;
use crate::support::messages::{dead_letters, journal};
use crate::support::{Job, Scene, emails, persons, wait_until};
use crate::upload_expiry;
use jiff::Timestamp;
use local::demo::Person;
use local::issuer::{Role, TokenRequest};
use relay_cloud::ledger::{SegmentUploads, UploadPointer};
use relay_model::run::{RunState, Trigger, TriggerKind};
use relay_model::uploads::{AcceptedUpload, UploadId, UploadManifest, UploadOutcome};
use relay_model::{Counts, RunId, SegmentId};
use relay_pipeline::{expiry_trigger, upload_trigger};
use reqwest::Method;
use serde_json::{Value, json};
use std::fmt::Write;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_are_read_exported_and_expire() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    Box::pin(the_list_follows_the_uploads(&scene)).await;
    notifications_are_doubled_and_out_of_order(&scene).await;
    a_segment_that_is_created_again_starts_empty(&scene).await;
    upload_expiry::members_of_an_expired_upload_are_removed_without_approval(&scene).await;
}

/// The columns of the uploaded CSV files.
const HEADER: &str = "id;email;name;city;points";

fn guests<'a>(scene: &'a Scene, name: &str) -> Job<'a> {
    let mut job = Job::new(scene, name);
    job.segment = json!({ "id": name, "name": name, "upload": {
        "identity_column": "email", "member_key_column": "id", "columns": { "points": "integer" },
    } });
    job
}

fn segment(job: &Job<'_>) -> SegmentId {
    job.name.clone().try_into().unwrap()
}

/// Writes people as a spreadsheet program does.
pub(crate) fn spreadsheet(people: &[Person]) -> String {
    let mut text = format!("\u{feff}{HEADER}\r\n");
    for person in people.iter().filter(|person| person.newsletter) {
        let Person { id, email, name, city, points, .. } = person;
        let points = points.unwrap_or_default();
        write!(text, "{id};{};{name};\"{city}\";{points}\r\n", email.as_deref().unwrap_or_default()).unwrap();
    }
    text
}

async fn put(scene: &Scene, job: &Job<'_>, file: &str, text: impl Into<Vec<u8>>) {
    scene.data().put(&format!("uploads/{}/{file}", job.name), text.into()).await.unwrap();
}

async fn uploads(scene: &Scene, job: &Job<'_>) -> SegmentUploads {
    scene.ledger().uploads(&segment(job)).await.unwrap()
}

/// Puts a file, waits until it has been read and returns its manifest.
pub(crate) async fn read(
    scene: &Scene,
    job: &Job<'_>,
    file: &str,
    text: impl Into<Vec<u8>>,
) -> UploadManifest {
    let before = uploads(scene, job).await.latest;
    put(scene, job, file, text).await;
    wait_until("the file is read", async || uploads(scene, job).await.latest != before).await;
    let key = uploads(scene, job).await.latest.unwrap().manifest_key;
    serde_json::from_slice(&scene.data().get(&key).await.unwrap()).unwrap()
}

#[track_caller]
pub(crate) fn accepted(manifest: &UploadManifest) -> &AcceptedUpload {
    match &manifest.outcome {
        UploadOutcome::Accepted(accepted) => accepted,
        refused @ UploadOutcome::Refused { .. } => unreachable!("{refused:?}"),
    }
}

/// Returns how many runs the export has had.
async fn runs(scene: &Scene, job: &Job<'_>) -> usize {
    let (runs, next) = scene.ledger().runs(&job.id(), 100, None).await.unwrap();
    assert_eq!(next, None);
    runs.len()
}

/// Waits for the run of a trigger.
pub(crate) async fn asked(scene: &Scene, job: &Job<'_>, trigger: &Trigger) -> RunId {
    let run = async || scene.ledger().asked_run(&job.id(), &trigger.key).await.unwrap();
    wait_until("a run is asked for", async || run().await.is_some()).await;
    run().await.unwrap()
}

async fn run_of(scene: &Scene, job: &Job<'_>, manifest: &UploadManifest) -> RunId {
    asked(scene, job, &upload_trigger(&segment(job), &manifest.upload_id)).await
}

pub(crate) async fn tick(scene: &Scene) {
    let event = serde_json::from_str(include_str!("../../events/tick.json")).unwrap();
    let answer = scene.cloud.invoke("tick", &event).await.unwrap();
    assert!(!answer.function_error, "{}", answer.body);
}

async fn the_list_follows_the_uploads(scene: &Scene) {
    scene.reset();
    let job = guests(scene, "guests");
    job.save().await;
    // Without an upload a run fails and removes no members.
    job.run().await.failed("segment_never_uploaded", &["put a CSV file under uploads/guests/"]);

    let mut people = persons(200);
    let text = format!("{}X1;;Unknown Guest;City;1\r\nX2;two@b.c;two;City;many\r\n", spreadsheet(&people));
    let first = read(scene, &job, "people.csv", text).await;
    let upload = accepted(&first);
    assert_eq!((upload.rows, upload.bad_lines, upload.separator), (200, 2, ';'));
    assert_eq!(upload.encoding, "UTF-8 with a byte order mark");
    let days = upload.expires_at.duration_since(first.uploaded_at).as_hours() / 24;
    assert_eq!(days, 30);
    let list = scene.data().get(upload.bad_lines_key.as_ref().unwrap()).await.unwrap();
    let list = String::from_utf8(list).unwrap();
    assert!(
        list.contains("202,202,email,identity_missing") && list.contains("203,203,points,not_an_integer")
    );
    assert!(!list.contains("Guest") && !list.contains("many"), "no value of the file: {list}");
    let finished = job.wait_for(run_of(scene, &job, &first).await).await;
    finished.succeeded(Counts { added: 200, ..Counts::default() });
    assert_eq!(finished.run.trigger.kind, TriggerKind::Upload);
    assert_eq!(job.active(), emails(&people));

    // One row fewer, in a file with another name.
    people[7].newsletter = false;
    let second = read(scene, &job, "people 2.csv", spreadsheet(&people)).await;
    let finished = job.wait_for(run_of(scene, &job, &second).await).await;
    finished.succeeded(Counts { removed: 1, unchanged: 199, ..Counts::default() });
    assert_eq!(job.active(), emails(&people));

    // An invalid file changes nothing, and its manifest has the reason.
    let hostile = format!("E Mail;{}\n\"{}", "x;".repeat(20), "y".repeat(100_000));
    let third = read(scene, &job, "people.csv", hostile).await;
    let latest = uploads(scene, &job).await;
    assert!(matches!(&third.outcome, UploadOutcome::Refused { code, .. } if code == "column_name_invalid"));
    assert!(
        latest.latest.unwrap().refusal.unwrap().contains("column 1 in the header row must not have a space")
    );
    assert_eq!(latest.current.as_ref().unwrap().upload_id, second.upload_id);
    job.run().await.succeeded(Counts { unchanged: 199, ..Counts::default() });
    let trigger = upload_trigger(&segment(&job), &third.upload_id);
    assert_eq!(scene.ledger().asked_run(&job.id(), &trigger.key).await.unwrap(), None);

    // The upload has expired: all members are removed without approval.
    let current = latest.current.unwrap();
    let ended = UploadPointer { expires_at: Timestamp::now(), ..current.clone() };
    assert!(scene.ledger().set_upload(&segment(&job), &ended).await.unwrap());
    // A run would deliver no member of the expired upload, so a preview shows none.
    let error = saved_preview(scene, segment(&job).as_str()).await.unwrap_err();
    assert_eq!(error.code, "upload_expired");
    assert!(error.text.contains("its upload has expired; put a new file"), "{}", error.text);
    tick(scene).await;
    let trigger = expiry_trigger(&segment(&job), &second.upload_id, 0);
    let run_id = asked(scene, &job, &trigger).await;
    job.wait_for(run_id).await.succeeded(Counts { removed: 199, ..Counts::default() });
    assert_eq!(job.active().len(), 0);
    let runs_before = runs(scene, &job).await;
    tick(scene).await;
    assert_eq!(runs(scene, &job).await, runs_before, "its end is told once");

    // A new upload adds its members again.
    let fourth = read(scene, &job, "people.csv", spreadsheet(&people)).await;
    let finished = job.wait_for(run_of(scene, &job, &fourth).await).await;
    finished.succeeded(Counts { added: 199, ..Counts::default() });
    assert_eq!(job.active(), emails(&people));

    // A file with a header and no rows is an empty segment, which needs approval.
    let fifth = read(scene, &job, "people.csv", format!("{HEADER}\n;;;;\n")).await;
    assert_eq!((accepted(&fifth).rows, accepted(&fifth).empty_rows), (0, 1));
    let run_id = run_of(scene, &job, &fifth).await;
    let state = async || scene.run(run_id).await.unwrap().state;
    wait_until("the run is held", async || state().await == RunState::Held).await;
    assert!(scene.run(run_id).await.unwrap().notices.join("\n").contains("\"guests\" is suddenly empty"));
    assert_eq!(job.active().len(), 199);
    let answer = scene.cloud.api(Method::POST, &format!("/runs/{run_id}/approve"), None).await.unwrap();
    assert_eq!(answer.status, 200);
    job.wait_for(run_id).await.succeeded(Counts { removed: 199, ..Counts::default() });

    assert_eq!(dead_letters(scene).await, 0);
    let written = journal(scene).iter().map(Value::to_string).collect::<String>();
    assert!(!written.contains("@mail.example.com"), "no personal data in queues, tables and events");
}

/// Invokes the function with a notification that says the file was put at this time.
async fn notify(scene: &Scene, job: &Job<'_>, file: &str, at: &str) {
    let bucket = &scene.cloud.outputs().data_bucket;
    let key = format!("uploads/{}/{file}", job.name);
    let head = scene.clients.s3().head_object().bucket(bucket).key(&key).send().await.unwrap();
    let mut event: Value = serde_json::from_str(include_str!("../../events/upload.json")).unwrap();
    let record = &mut event["Records"][0];
    record["eventTime"] = json!(at);
    record["s3"]["bucket"]["name"] = json!(bucket);
    record["s3"]["object"] = json!({
        "key": key, "size": head.content_length(), "eTag": head.e_tag().unwrap().trim_matches('"'), "sequencer": "01",
    });
    let answer = scene.cloud.invoke("upload", &event).await.unwrap();
    assert!(!answer.function_error, "{}", answer.body);
}

async fn notifications_are_doubled_and_out_of_order(scene: &Scene) {
    scene.reset();
    let job = guests(scene, "twice");
    job.save().await;
    // Exports without consent and disabled exports do not block other exports.
    let (mut silent, mut off) = (guests(scene, "silent"), guests(scene, "off"));
    silent.connection["id"] = json!("silent");
    silent.connection["consent"] = json!(null);
    silent.export["connection"] = json!("silent");
    off.export["enabled"] = json!(false);
    for other in [&mut silent, &mut off] {
        other.export["segments"][0]["segment"] = json!("twice");
        other.save().await;
    }
    let first = read(scene, &job, "people.csv", spreadsheet(&persons(20))).await;
    let run_id = run_of(scene, &job, &first).await;
    job.wait_for(run_id).await.succeeded(Counts { added: 20, ..Counts::default() });
    for other in [&silent, &off] {
        let trigger = upload_trigger(&segment(&job), &first.upload_id);
        assert_eq!(scene.ledger().asked_run(&other.id(), &trigger.key).await.unwrap(), None);
    }

    // A late notification of an older upload changes nothing.
    let current = uploads(scene, &job).await;
    notify(scene, &job, "people.csv", "2026-01-01T00:00:00Z").await;
    assert_eq!(uploads(scene, &job).await, current);
    let early = UploadId::new("2026-01-01T00:00:00Z".parse().unwrap(), "01", "uploads/twice/people.csv");
    let trigger = upload_trigger(&segment(&job), &early);
    assert_eq!(scene.ledger().asked_run(&job.id(), &trigger.key).await.unwrap(), None);

    // An upload with two notifications is read once and has one run.
    let later = "2099-01-01T00:00:00Z";
    notify(scene, &job, "people.csv", later).await;
    let latest = uploads(scene, &job).await.current.unwrap();
    let trigger = upload_trigger(&segment(&job), &latest.upload_id);
    let run_id = asked(scene, &job, &trigger).await;
    job.wait_for(run_id).await.succeeded(Counts { unchanged: 20, ..Counts::default() });
    let runs_before = runs(scene, &job).await;
    notify(scene, &job, "people.csv", later).await;
    assert_eq!(runs(scene, &job).await, runs_before);
    assert_eq!(uploads(scene, &job).await.current.unwrap(), latest);

    // A missing object is no error, because the object that replaced it has its own notification.
    let before = uploads(scene, &job).await;
    let mut event: Value = serde_json::from_str(include_str!("../../events/upload.json")).unwrap();
    event["Records"][0]["s3"]["bucket"]["name"] = json!(scene.cloud.outputs().data_bucket);
    event["Records"][0]["s3"]["object"]["key"] = json!("uploads/twice/never.csv");
    let answer = scene.cloud.invoke("upload", &event).await.unwrap();
    assert!(!answer.function_error, "{}", answer.body);
    assert_eq!(uploads(scene, &job).await, before);
}

async fn a_segment_that_is_created_again_starts_empty(scene: &Scene) {
    scene.reset();
    let job = guests(scene, "anew");
    let token = scene.cloud.issuer().token(&TokenRequest::of(Role::Contributor)).unwrap();
    let ask = async |method: Method, (header, value): (&str, &str), document: Option<&Value>| {
        let headers = [(header, value)];
        scene.cloud.api_as(Some(&token), method, "/segments/anew", &headers, document).await.unwrap().status
    };
    let (new, first, second) = (("if-none-match", "*"), ("if-match", "\"1\""), ("if-match", "\"2\""));
    assert_eq!(ask(Method::PUT, new, Some(&job.segment)).await, 201);
    read(scene, &job, "people.csv", spreadsheet(&persons(20))).await;

    // A refused change deletes no upload.
    let current = uploads(scene, &job).await.current;
    assert_eq!(current.as_ref().map(|current| current.rows), Some(20));
    assert_eq!(ask(Method::DELETE, second, None).await, 412);
    assert_eq!(uploads(scene, &job).await.current, current);

    // A file from before the deletion is ignored, however late its notification arrives.
    assert_eq!(ask(Method::DELETE, first, None).await, 204);
    assert_eq!(uploads(scene, &job).await, SegmentUploads::default());
    notify(scene, &job, "people.csv", "2026-01-02T00:00:00Z").await;
    assert_eq!(uploads(scene, &job).await.current, None);
    assert_eq!(ask(Method::PUT, new, Some(&job.segment)).await, 201);
    notify(scene, &job, "people.csv", "2026-01-03T00:00:00Z").await;
    assert_eq!(uploads(scene, &job).await, SegmentUploads::default());
    read(scene, &job, "people.csv", spreadsheet(&persons(5))).await;
    assert_eq!(uploads(scene, &job).await.current.map(|current| current.rows), Some(5));

    // A change to a query and back removes the uploads of the segment.
    let query = json!({ "id": "anew", "name": "anew", "query": "SELECT '1' AS id", "member_key": "id" });
    assert_eq!(ask(Method::PUT, first, Some(&query)).await, 200);
    assert_eq!(uploads(scene, &job).await, SegmentUploads::default());
    assert_eq!(ask(Method::PUT, second, Some(&job.segment)).await, 200);
    assert_eq!(uploads(scene, &job).await.current, None);
}
