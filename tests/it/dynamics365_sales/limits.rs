//! The cap, which is each segment's own.

use super::organisation::{Organisation, guids, rows, upload};
use crate::support::Scene;
use crate::support::messages::dead_letters;
use relay_model::Counts;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_over_the_cap_fails_before_the_first_call() {
    let scene = Scene::open().await;
    let organisation = Organisation::open(&scene, "cap", 300).await;
    let mut job = organisation.job("cap");
    job.save().await;
    upload(&job, rows(0..100_001)).await;
    job.run().await.failed("cap_exceeded", &["100001", "100000"]);
    assert!(organisation.report().calls.is_empty(), "{:?}", organisation.report().calls);
    assert!(organisation.lists().is_empty());

    // The cap is each segment's own: a contract's lower one too.
    job.export["cap"] = json!({ "rows": 40, "over": "truncate" });
    job.save().await;
    upload(&job, rows(0..100)).await;
    job.run().await.succeeded(Counts { added: 40, skipped: 60, ..Counts::default() });
    assert_eq!(organisation.on(organisation.list_named("cap").list_id), guids(0..40));
    assert_eq!(dead_letters(&scene).await, 0);
}
