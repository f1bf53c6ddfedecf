//! The end of a custom upload beside people of a query: its members leave, and nobody else does for it.

use crate::support::messages::dead_letters;
use crate::support::{Job, Scene, emails, person, persons, wait_until};
use crate::uploads::{asked, read, spreadsheet, tick};
use jiff::{SignedDuration, Timestamp};
use relay_cloud::ledger::UploadPointer;
use relay_model::Counts;
use relay_model::catalog::{Document, Segment};
use relay_model::run::RunState;
use relay_pipeline::tick::Tick;
use relay_pipeline::{expiry_trigger, upload_trigger};
use serde_json::json;

async fn runs(scene: &Scene, job: &Job<'_>) -> usize {
    scene.ledger().runs(&job.id(), 100, None).await.unwrap().0.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guard_watches_over_everybody_else() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "ends");
    job.own_connection(&scene.account.api_key, 1).await;
    // The upload's segment, whose files lie under its own name, on the same list as the query's.
    let mut guests = Job::new(&scene, "guests");
    guests.segment = json!({ "id": "guests", "name": "Guests", "upload": {
        "identity_column": "email", "member_key_column": "id", "columns": { "points": "integer" },
    } });
    let segment = Segment::parse(&guests.segment.to_string()).unwrap();
    scene.catalog().put(&segment, Timestamp::now()).await.unwrap();
    let both = json!([{ "segment": "ends", "target_list": job.list }, { "segment": "guests", "target_list": job.list }]);
    job.export["segments"] = both;
    let mut people = persons(200);
    job.ready(&people).await;
    let invited: Vec<_> = (301..=500).map(person).collect();
    let put = read(&scene, &guests, "guests.csv", spreadsheet(&invited)).await;
    let run_id = asked(&scene, &job, &upload_trigger(&segment.id, &put.upload_id)).await;
    job.over(run_id).await.succeeded(Counts { added: 400, ..Counts::default() });

    // Its days are over while the key does not work: the run fails, and is asked for again the next day, not before.
    let current = scene.ledger().uploads(&segment.id).await.unwrap().current.unwrap();
    let ended = UploadPointer { expires_at: Timestamp::now(), ..current };
    assert!(scene.ledger().set_upload(&segment.id, &ended).await.unwrap());
    job.change_key("revoked").await;
    // One that has never put anybody anywhere is not run by somebody else's end.
    let mut fresh = Job::new(&scene, "fresh");
    fresh.export["segments"][0]["segment"] = json!("guests");
    fresh.save().await;
    tick(&scene).await;
    let trigger = |days| expiry_trigger(&segment.id, &put.upload_id, days);
    let run_id = asked(&scene, &job, &trigger(0)).await;
    assert_eq!(job.over(run_id).await.run.state, RunState::Failed);
    let before = runs(&scene, &job).await;
    tick(&scene).await;
    assert_eq!((runs(&scene, &job).await, runs(&scene, &fresh).await), (before, 0));

    // The guests leave without anybody's word, although they are half of the list.
    job.change_key(&scene.account.api_key).await;
    let tick_in_days = async |days: i64| {
        let now = Timestamp::now() + SignedDuration::from_hours(24 * days);
        Tick { requests: scene.requests() }.run(now).await.unwrap()
    };
    tick_in_days(1).await;
    let run_id = asked(&scene, &job, &trigger(1)).await;
    job.over(run_id).await.succeeded(Counts { removed: 200, unchanged: 200, ..Counts::default() });
    assert_eq!(job.active(), emails(&people));

    // That is told once, and what goes wrong with the query afterwards is held as ever.
    let before = runs(&scene, &job).await;
    assert_eq!(tick_in_days(2).await.expired, 0);
    assert_eq!((runs(&scene, &job).await, runs(&scene, &fresh).await), (before, 0));
    for gone in &mut people {
        gone.newsletter = false;
    }
    job.upload(&people).await;
    let run_id = job.start().await;
    let state = async || scene.run(run_id).await.unwrap().state;
    wait_until("the run is held", async || state().await == RunState::Held).await;
    assert!(scene.run(run_id).await.unwrap().notices.join("\n").contains("\"ends\" is suddenly empty"));
    assert_eq!((job.active().len(), dead_letters(&scene).await), (200, 0));
}
