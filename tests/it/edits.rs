//! Definitions that are edited during a run: the run keeps the former version, and the next run uses the new one.

use crate::segment_periods;
use crate::support::{Job, Scene, persons};
use local::cloud::Moment::Before;
use relay_model::Counts;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_definition_applies_to_the_next_run() {
    let scene = Scene::open().await;
    an_edit_during_a_run_applies_to_the_next_run(&scene).await;
    segment_periods::a_segment_is_exported_between_its_start_and_end(&scene).await;
}

/// The custom fields of a person on the list.
fn fields(job: &Job<'_>) -> Vec<String> {
    let listed = job.listed();
    listed["person1@mail.example.com"].custom_fields.iter().map(|field| field.key.clone()).collect()
}

async fn an_edit_during_a_run_applies_to_the_next_run(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "edited");
    job.save().await;
    job.upload(&persons(20)).await;

    // The snapshot has the mapped attributes, and the next step has not started.
    let message = scene.hold(Before, "sqs", "SendMessageBatch", "/chunk/0").await;
    let run_id = job.start().await;
    scene.held(message).await;
    job.export["mapping"] = json!([{ "attribute": "customer_id", "field": "Number" }]);
    job.export["options"]["create_missing_fields"] = json!([{ "name": "Number", "type": "Text" }]);
    job.save().await;
    scene.cloud.release(message).await.unwrap();
    job.wait_for(run_id).await.succeeded(Counts { added: 20, ..Counts::default() });
    assert_eq!(fields(&job), ["[city]", "[points]"]);

    job.run().await.succeeded(Counts { changed: 20, ..Counts::default() });
    assert_eq!(fields(&job), ["[city]", "[points]", "[number]"]);
}
