//! Exports over their cap.

use crate::support::{Job, Scene, emails, persons};
use relay_model::Counts;
use serde_json::json;

pub(crate) async fn a_run_over_the_cap_fails_or_is_truncated(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "capped");
    job.export["cap"] = json!({ "rows": 250 });
    job.save().await;
    job.upload(&persons(251)).await;
    let finished = job.run().await;
    finished.failed("cap_exceeded", &["251 profiles", "the 250 that may be exported", "nothing was sent"]);
    assert_eq!(finished.report.rows_in, 0);
    assert_eq!(scene.sandbox.report().calls.len(), 0, "not one call");
    assert!(job.listed().is_empty());

    job.export["cap"]["over"] = json!("truncate");
    job.save().await;
    let finished = job.run().await;
    finished.succeeded(Counts { added: 250, skipped: 1, ..Counts::default() });
    assert_eq!(job.active(), emails(&persons(250)));

    // Exactly as many profiles as the cap allows are exported.
    job.export["cap"]["over"] = json!("fail");
    job.save().await;
    job.upload(&persons(250)).await;
    job.run().await.succeeded(Counts { unchanged: 250, ..Counts::default() });
}
