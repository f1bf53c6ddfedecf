//! More people than may go.

use crate::support::{Job, Scene, emails, person, persons};
use local::demo::write_profiles;
use relay_model::Counts;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_cap_nothing_goes_or_exactly_as_many_as_may() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "capped");
    job.export["cap"] = json!({ "rows": 250 });
    job.save().await;
    job.upload(&persons(251)).await;
    let over = job.run().await;
    over.failed("cap_exceeded", &["251 profiles", "the 250 that may be exported", "nothing was sent"]);
    assert_eq!(over.report.rows_in, 0);
    assert_eq!(scene.sandbox.report().calls.len(), 0, "not one call");
    assert!(job.listed().is_empty());

    job.export["cap"]["over"] = json!("truncate");
    job.save().await;
    let over = job.run().await;
    over.succeeded(Counts { added: 250, skipped: 1, ..Counts::default() });
    assert_eq!(job.active(), emails(&persons(250)));

    // Exactly as many as may go is not too many.
    job.export["cap"]["over"] = json!("fail");
    job.save().await;
    job.upload(&persons(250)).await;
    job.run().await.succeeded(Counts { unchanged: 250, ..Counts::default() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_destinations_own_cap_is_a_million_profiles() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "million");
    job.export["mapping"] = json!([]);
    job.export["options"] = json!({ "consent_to_track": "unchanged" });
    job.segment["query"] = json!("SELECT customer_id, email FROM million");
    job.save().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profiles.parquet");
    write_profiles(&path, (1..=1_000_001).map(person)).unwrap();
    scene.upload("million/profiles.parquet", &path).await.unwrap();
    let over = job.run().await;
    over.failed("cap_exceeded", &["1000001 profiles", "1000000 that may be exported"]);
    assert_eq!(scene.sandbox.report().calls.len(), 0, "not one call");
    assert!(job.listed().is_empty());
}
