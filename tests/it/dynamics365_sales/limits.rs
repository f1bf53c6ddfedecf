//! The cap, which is each segment's own.

use super::organisation::{Organisation, guids, rows, upload};
use crate::support::Scene;
use crate::support::messages::dead_letters;
use relay::model::Counts;
use sandbox::dynamics365_sales::NewList;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_over_the_cap_fails_before_anything_is_written() {
    let scene = Scene::open().await;
    let organisation = Organisation::open(&scene, "cap", 300).await;
    let mut job = organisation.job("cap");
    let list = organisation.create_list(NewList { name: "cap".into(), ..NewList::default() }).unwrap();
    job.export["segments"] = json!([{ "segment": "cap", "target_list": list.to_string() }]);
    job.save().await;
    upload(&job, rows(0..100_001)).await;
    job.run().await.failed("cap_exceeded", &["100001", "100000"]);
    assert_eq!(organisation.writes(), 0);

    // The cap is each segment's own: a contract's lower one too.
    job.export["cap"] = json!({ "rows": 40, "over": "truncate" });
    job.save().await;
    upload(&job, rows(0..100)).await;
    job.run().await.succeeded(Counts { added: 40, skipped: 60, ..Counts::default() });
    assert_eq!(organisation.on(list), guids(0..40));
    assert_eq!(dead_letters(&scene).await, 0);
}
