//! Definitions that are edited while a run is under way: the run goes by what it found, the next one by what it finds.

use crate::support::{Job, Scene, persons};
use local::cloud::Moment::Before;
use relay_model::Counts;
use serde_json::json;

/// The custom fields of a person on the list.
fn fields(job: &Job<'_>) -> Vec<String> {
    let listed = job.listed();
    listed["person1@mail.example.com"].custom_fields.iter().map(|field| field.key.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_in_mid_run_is_the_next_runs() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "edited");
    job.save().await;
    job.upload(&persons(20)).await;

    // The snapshot is made, with the attributes that the export names, and the next step does not know it yet.
    let message = scene.hold(Before, "sqs", "SendMessageBatch", "/chunk/0").await;
    let run_id = job.start().await;
    scene.held(message).await;
    job.export["mapping"] = json!([{ "attribute": "customer_id", "field": "Number" }]);
    job.export["options"]["create_missing_fields"] = json!([{ "name": "Number", "type": "Text" }]);
    job.save().await;
    scene.cloud.release(message).await.unwrap();
    job.over(run_id).await.succeeded(Counts { added: 20, ..Counts::default() });
    assert_eq!(fields(&job), ["[city]", "[points]"]);

    job.run().await.succeeded(Counts { changed: 20, ..Counts::default() });
    assert_eq!(fields(&job), ["[city]", "[points]", "[number]"]);
}
