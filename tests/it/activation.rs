//! From when until when a segment goes, and segments that are switched off.

use crate::support::{Job, Over, Scene, persons};
use jiff::{SignedDuration, Timestamp};
use local::world::World;
use relay_model::Counts;
use relay_pipeline::tick::{Tick, Ticked};
use sandbox::campaign_monitor::{ListId, SubscriberState};
use serde_json::{Value, json};

/// How many are on a list.
fn on_list(world: &World, list: &ListId) -> usize {
    let listed = world.sandbox.dump(list).unwrap();
    listed.iter().filter(|one| one.state == SubscriberState::Active).count()
}

#[track_caller]
fn check_said(over: &Over, words: &str) {
    assert!(over.report.notices.iter().any(|notice| notice.contains(words)), "{:?}", over.report.notices);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_goes_while_it_is_meant_to() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "always");
    let mut season = Job::new(&scene, "season");
    season.segment["query"] = json!("SELECT customer_id, email, name, city, points FROM always");
    season.save().await;
    let entries = |season_entry: Value| {
        let mut entry = json!({ "segment": "season", "target_list": season.list });
        for (name, value) in season_entry.as_object().unwrap() {
            entry[name] = value.clone();
        }
        json!([{ "segment": "always", "target_list": job.list }, entry])
    };
    let (past, future) = ("2026-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
    let (not_yet, active, over) = (
        entries(json!({ "starts_at": future })),
        entries(json!({ "starts_at": past, "ends_at": future })),
        entries(json!({ "ends_at": past })),
    );
    job.export["when_segment_removed"] = json!("empty");
    job.export["segments"] = not_yet;
    job.ready(&persons(5)).await;
    let first = job.run().await;
    first.succeeded(Counts { added: 5, ..Counts::default() });
    check_said(&first, "segment \"season\" goes from 2100-01-01T00:00:00Z on");
    assert_eq!(on_list(&scene, &season.list), 0);

    job.export["segments"] = active;
    job.save().await;
    job.run().await.succeeded(Counts { added: 5, unchanged: 5, ..Counts::default() });
    assert_eq!(on_list(&scene, &season.list), 5);

    // Switched off, it is neither brought nor taken off, whatever becomes of the lake.
    job.upload(&persons(7)).await;
    season.segment["active"] = json!(false);
    season.save().await;
    let off = job.run().await;
    off.succeeded(Counts { added: 2, unchanged: 5, ..Counts::default() });
    check_said(&off, "segment \"season\" is switched off");
    assert_eq!(on_list(&scene, &season.list), 5);
    season.segment["active"] = json!(true);
    season.save().await;
    job.run().await.succeeded(Counts { added: 2, unchanged: 12, ..Counts::default() });

    // Its end is as if it had been taken out.
    job.export["segments"] = over;
    job.save().await;
    let end = job.run().await;
    end.succeeded(Counts { removed: 7, unchanged: 7, ..Counts::default() });
    check_said(&end, "segment \"season\" went until 2026-01-01T00:00:00Z");
    assert_eq!(on_list(&scene, &season.list), 0);
    assert_eq!(on_list(&scene, &job.list), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beginning_runs_the_export_once() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "begins");
    let starts_at = Timestamp::now() + SignedDuration::from_mins(10);
    job.export["segments"][0]["starts_at"] = json!(starts_at);
    // The refresh that it follows may be a week away.
    job.export["schedule"] = json!("every_refresh");
    job.ready(&persons(3)).await;
    // A run with nobody to bring is a run all the same.
    let nobody = job.run().await;
    nobody.succeeded(Counts::default());
    let tick = Tick { requests: scene.requests() };
    assert_eq!(tick.run(Timestamp::now()).await.unwrap(), Ticked::default());
    let after = starts_at + SignedDuration::from_secs(1);
    assert_eq!(tick.run(after).await.unwrap(), Ticked { due: 1, ..Ticked::default() });
    assert_eq!(tick.run(after).await.unwrap(), Ticked::default());
    // What runs on demand only is left to who demands it.
    job.export["schedule"] = json!("off");
    job.export["segments"][0]["starts_at"] = json!(starts_at + SignedDuration::from_mins(1));
    job.save().await;
    assert_eq!(tick.run(after + SignedDuration::from_mins(2)).await.unwrap(), Ticked::default());
}
