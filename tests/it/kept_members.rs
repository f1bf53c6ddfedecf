//! Segments that keep their members: the same people go until the next refresh, whoever is in the lake meanwhile.

use crate::control_plane::{Person, check};
use crate::support::{Job, Scene, persons, wait_until};
use jiff::{SignedDuration, Timestamp};
use local::issuer::Role;
use relay_model::Counts;
use relay_pipeline::tick::{Tick, Ticked};
use reqwest::Method;
use serde_json::{Value, json};

/// What is known of the members that the job's segment keeps.
async fn members(admin: &Person<'_>, job: &Job<'_>) -> Value {
    admin.get(&format!("/segments/{}/sizes", job.name)).await.body["members"].clone()
}

/// Waits until no refresh is under way.
async fn refreshed(admin: &Person<'_>, job: &Job<'_>) -> Value {
    let is_done = async || members(admin, job).await["is_refreshing"] == json!(false);
    wait_until("the members are refreshed", is_done).await;
    members(admin, job).await
}

async fn refresh(admin: &Person<'_>, job: &Job<'_>) -> Value {
    let path = format!("/segments/{}/refreshes", job.name);
    check(&admin.ask(Method::POST, &path, &[], None).await, 202, "");
    refreshed(admin, job).await
}

/// The objects of kept members.
async fn kept_objects(scene: &Scene) -> Vec<String> {
    let bucket = &scene.cloud.outputs().data_bucket;
    let listed = scene.clients.s3().list_objects_v2().bucket(bucket).prefix("members/").send().await;
    listed.unwrap().contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
}

fn added(rows: u64) -> Counts {
    Counts { added: rows, ..Counts::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_people_go_until_somebody_refreshes() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    let job = Job::new(&scene, "kept");
    job.ready(&persons(10)).await;
    let admin = Person::new(&scene, Role::Administrator, "ann");
    // What keeps nobody has nothing to be refreshed.
    let path = "/segments/kept/refreshes";
    let answer = admin.ask(Method::POST, path, &[], None).await;
    check(&answer, 409, "segment_keeps_nothing");
    let mut segment = job.segment.clone();
    segment["schedule"] = json!("off");
    check(&admin.change("/segments/kept", 1, &segment).await, 200, "");
    let first = refreshed(&admin, &job).await;
    assert_eq!((&first["rows"], &first["next_refresh_at"]), (&json!(10), &Value::Null), "{first}");
    let over = job.run().await;
    over.succeeded(added(10));
    let as_of = over.report.segments[0].refreshed_at.unwrap().to_string();
    assert_eq!(json!(as_of), first["refreshed_at"]);

    job.upload(&persons(12)).await;
    job.run().await.succeeded(Counts { unchanged: 10, ..Counts::default() });
    let second = refresh(&admin, &job).await;
    assert_eq!(second["rows"], 12, "{second}");
    job.run().await.succeeded(Counts { added: 2, unchanged: 10, ..Counts::default() });
    let sizes = admin.get("/segments/kept/sizes").await.body["sizes"].clone();
    let sizes: Vec<_> =
        sizes.as_array().unwrap().iter().map(|size| (&size["members"], size.get("run_id"))).collect();
    assert_eq!(sizes, [(&json!(12), None), (&json!(10), None)], "a run evaluates nothing, so it is no news");

    // A refresh that cannot be leaves the people who are there, and every run says so.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.parquet");
    std::fs::write(&path, "not Parquet").unwrap();
    scene.upload("kept/broken.parquet", &path).await.unwrap();
    let third = refresh(&admin, &job).await;
    assert_eq!((&third["rows"], third["failure"]["code"].as_str().is_some()), (&json!(12), true), "{third}");
    let over = job.run().await;
    over.succeeded(Counts { unchanged: 12, ..Counts::default() });
    let said = |words: &str| over.report.notices.iter().any(|notice| notice.contains(words));
    assert!(
        said("segment \"kept\" went as it was at") && said("its latest refresh failed"),
        "{:?}",
        over.report.notices
    );

    // All of them, as a file.
    let asked = admin.ask(Method::POST, "/segments/kept/downloads", &[], None).await;
    check(&asked, 202, "");
    let preview = format!("/previews/{}", asked.body["preview_id"].as_str().unwrap());
    wait_until("the file is made", async || admin.get(&preview).await.body["state"] != "running").await;
    assert_eq!(admin.get(&preview).await.body["result"]["rows"], 12);
    let link = admin.get(&format!("{preview}/members")).await;
    check(&link, 200, "");
    let csv = reqwest::get(link.body["url"].as_str().unwrap()).await.unwrap().text().await.unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines[0], lines.len()), ("member_key,customer_id,email,name,city,points", 13), "{csv}");
    let none = admin.get("/previews/01938f5e-7c00-7000-8000-000000000001/members").await;
    check(&none, 404, "file_missing");

    assert_eq!(
        kept_objects(&scene).await.len(),
        2,
        "those that go, and those that a run may still be reading"
    );
    // Who is forgotten is forgotten here too, and nobody else comes or goes for it.
    let asked = json!({ "kind": "erasure", "member_key": persons(1)[0].id });
    let asked = admin.ask(Method::POST, "/person-requests", &[], Some(asked)).await;
    check(&asked, 202, "");
    let path = format!("/person-requests/{}", asked.body["request_id"].as_str().unwrap());
    let state = async || admin.get(&path).await.body["request"].clone();
    wait_until("the erasure is done", async || state().await["state"] != "running").await;
    let runs = admin.get(&path).await.body["runs"].clone();
    let run_id = runs[0]["run_id"].as_str().unwrap().parse().unwrap();
    job.over(run_id).await.succeeded(Counts { removed: 1, unchanged: 11, ..Counts::default() });
    let places = state().await["places"].clone();
    let kept = |place: &&Value| place["what"] == "kept_members" && place["action"] == "rewrite_asked_for";
    assert_eq!(places.as_array().unwrap().iter().filter(kept).count(), 2, "{places}");
    wait_until("eleven are kept", async || members(&admin, &job).await["rows"] == 11).await;
    assert_eq!(kept_objects(&scene).await.len(), 1, "the objects with them are gone");
    assert_eq!(members(&admin, &job).await["refreshed_at"], third["refreshed_at"]);

    // Another definition is another set of people: nobody goes as of the old one.
    segment["query"] = json!("SELECT customer_id, email, name, city, points FROM kept WHERE points > 100");
    check(&admin.change("/segments/kept?check=none", 2, &segment).await, 200, "");
    job.run().await.failed("source_object_invalid", &["broken.parquet"]);
    // What keeps nobody any more leaves nothing behind.
    segment.as_object_mut().unwrap().remove("schedule");
    check(&admin.change("/segments/kept?check=none", 3, &segment).await, 200, "");
    wait_until("the members are let go", async || kept_objects(&scene).await.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_refresh_and_what_nobody_uses_rests() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "timed");
    job.ready(&persons(3)).await;
    let admin = Person::new(&scene, Role::Administrator, "ann");
    let settings = json!({ "id": "deployment", "unused_segment_days": 45 });
    check(&admin.create("/settings/deployment", &settings).await, 201, "");
    let mut segment = job.segment.clone();
    segment["schedule"] = json!({ "every_minutes": 60 });
    check(&admin.change("/segments/timed", 1, &segment).await, 200, "");
    refreshed(&admin, &job).await;
    job.upload(&persons(5)).await;
    let tick = Tick { requests: scene.requests() };
    let now = Timestamp::now();
    let hours = |hours| now + SignedDuration::from_hours(hours);
    // An hour later it is due once, however often somebody looks.
    assert_eq!(tick.run(hours(2)).await.unwrap(), Ticked { refreshed: 1, ..Ticked::default() });
    assert_eq!(tick.run(hours(2)).await.unwrap(), Ticked::default());
    wait_until("five are kept", async || members(&admin, &job).await["rows"] == 5).await;

    // Without an export it goes on for the days that the settings say, and rests then.
    let saved = admin.get("/exports/timed").await.body["version"].as_u64().unwrap();
    let tag = format!("\"{saved}\"");
    check(&admin.ask(Method::DELETE, "/exports/timed", &[("if-match", &tag)], None).await, 204, "");
    // Whoever has not seen the latest version removes neither the segment nor what it keeps.
    let stale = admin.ask(Method::DELETE, "/segments/timed", &[("if-match", "\"1\"")], None).await;
    assert_eq!(stale.status, 412, "{}", stale.body);
    let day = |day: i64| hours(24 * day + 3);
    assert_eq!(kept_objects(&scene).await.len(), 2);
    assert_eq!(tick.run(day(0)).await.unwrap().refreshed, 1);
    assert_eq!(tick.run(day(44)).await.unwrap().refreshed, 1);
    assert_eq!(tick.run(day(46)).await.unwrap(), Ticked::default());
    wait_until("nobody is kept", async || members(&admin, &job).await["rows"].is_null()).await;
    assert!(kept_objects(&scene).await.is_empty());
    // It wakes with the next export.
    job.segment = segment;
    job.save().await;
    assert_eq!(tick.run(day(46)).await.unwrap().refreshed, 1);
    wait_until("five are kept again", async || members(&admin, &job).await["rows"] == 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_follows_the_deployments_own_refresh() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "followed");
    job.export["schedule"] = json!("every_refresh");
    job.segment["schedule"] = json!("every_refresh");
    job.ready(&persons(4)).await;
    let admin = Person::new(&scene, Role::Administrator, "ann");
    let refused = json!({ "id": "deployment", "refresh_schedule": "every_refresh" });
    check(&admin.create("/settings/deployment", &refused).await, 422, "catalog_field_invalid");
    check(&admin.get("/settings/deployment").await, 404, "catalog_missing");
    let settings = json!({ "id": "deployment", "refresh_schedule": { "every_minutes": 30 } });
    check(&admin.create("/settings/deployment", &settings).await, 201, "");
    let tick = Tick { requests: scene.requests() };
    let later = |minutes| Timestamp::now() + SignedDuration::from_mins(minutes);
    assert_eq!(tick.run(later(0)).await.unwrap(), Ticked::default(), "saving it refreshes nothing");
    let due = later(31);
    assert_eq!(tick.run(due).await.unwrap().due, 1);
    assert_eq!(tick.run(due).await.unwrap().due, 0);
    let (runs, _) = scene.ledger().runs(&job.id(), 10, None).await.unwrap();
    assert_eq!(runs.len(), 1);
    job.over(runs[0].run_id).await.succeeded(added(4));
    // The run did not take those of before the refresh, although it was the refresh that made it.
    job.upload(&persons(6)).await;
    job.run().await.succeeded(Counts { unchanged: 4, ..Counts::default() });
    let refresh = scene.requests().refresh("by hand", None, Timestamp::now()).await.unwrap();
    job.over(refresh[0].requested.as_ref().unwrap().run_id()).await.succeeded(Counts {
        added: 2,
        unchanged: 4,
        ..Counts::default()
    });
}
