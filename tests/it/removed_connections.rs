//! Connections and exports that are deleted during a run, and a worker that is killed in a canceled run.

use crate::canceling::{cancel, the_next_run_delivers_the_rest};
use crate::support::messages::dead_letters;
use crate::support::{Job, Scene, emails, persons, wait_until};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use local::cloud::Moment::Before;
use relay_model::run::RunState;
use relay_model::{Counts, RunId};
use relay_pipeline::tick::{Tick, Ticked};
use reqwest::Method;
use serde_json::json;

pub(crate) async fn removing_a_connection_stops_its_runs_only(scene: &Scene) {
    scene.reset();
    let (mut job, other) = (Job::new(scene, "removed"), Job::new(scene, "other"));
    job.own_connection(&scene.account.api_key, 1).await;
    let people = persons(2_500);
    job.ready(&people).await;
    other.ready(&people).await;
    let results = scene.hold(Before, "s3", "PUT Object", "/0/000000.").await;
    let run_id = job.start().await;
    scene.held(results).await;
    let waiting = scene.start_run("removed").await.unwrap();
    let untouched = other.start().await;

    // The export gets another connection meanwhile; its runs still use this one.
    job.export["connection"] = json!("campaign-monitor");
    job.save().await;
    job.export["connection"] = json!("removed");
    let connection = "removed".to_owned().try_into().unwrap();
    let stopped = scene.requests().stop_connection(&connection, "the test", Timestamp::now()).await.unwrap();
    let stopped: Vec<RunId> = stopped.iter().map(|run| run.run_id).collect();
    assert_eq!(stopped, [waiting.run_id, run_id]);
    forget_connection(scene, "removed").await;
    scene.cloud.release(results).await.unwrap();
    let finished = job.wait_for(run_id).await;
    finished.canceled(Counts { added: 1_000, deferred: 1_500, ..Counts::default() });
    assert!(finished.report.notices.iter().any(|notice| notice.contains("removed connection \"removed\"")));
    job.wait_for(waiting.run_id).await.canceled(Counts::default());
    other.wait_for(untouched).await.succeeded(Counts { added: 2_500, ..Counts::default() });
    let none = scene.requests().stop_connection(&connection, "the test", Timestamp::now()).await.unwrap();
    assert_eq!(none, []);

    // The connection is deleted without the API: the steps fail with that reason.
    job.save().await;
    let manifest = scene.hold(Before, "s3", "PUT Object", "removed.json").await;
    let run_id = job.start().await;
    scene.held(manifest).await;
    forget_connection(scene, "removed").await;
    scene.cloud.release(manifest).await.unwrap();
    job.wait_for(run_id).await.failed("catalog_missing", &["connection \"removed\" is not in the catalog"]);

    // With the connection restored, the next run delivers the remaining rows.
    job.save().await;
    the_next_run_delivers_the_rest(&job, &finished, 0).await;
    assert_eq!(job.active(), emails(&people));
    assert_eq!(dead_letters(scene).await, 0);
}

pub(crate) async fn a_killed_worker_does_not_block_canceling(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "dies");
    job.own_connection(&scene.account.api_key, 1).await;
    let people = persons(1_500);
    job.ready(&people).await;
    let results = scene.hold(Before, "s3", "PUT Object", "/0/000000.").await;
    let run_id = job.start().await;
    scene.held(results).await;
    cancel(scene, run_id).await;
    scene.kill("push-campaign-monitor");
    wait_until("no worker processes the run", async || no_step_is_asked_for(scene).await).await;
    assert_eq!(scene.run(run_id).await.unwrap().state, RunState::Pushing, "the worker may be alive yet");
    let look_again = async |minutes| {
        let now = Timestamp::now() + SignedDuration::from_mins(minutes);
        Tick { requests: scene.requests() }.run(now).await.unwrap()
    };
    assert_eq!(look_again(1).await, Ticked::default());
    lease_is_over(scene, run_id).await;
    assert_eq!(look_again(3).await, Ticked { pushed_on: 1, ..Ticked::default() });
    // The people of the first batch are on the list, but their results are not stored.
    let finished = job.wait_for(run_id).await;
    finished.canceled(Counts { deferred: 1_500, ..Counts::default() });
    assert_eq!(job.active().len(), 1_000);
    the_next_run_delivers_the_rest(&job, &finished, 0).await;
    assert_eq!(job.active(), emails(&people));
}

/// Whether the finish queue has no message.
async fn no_step_is_asked_for(scene: &Scene) -> bool {
    let url = &scene.cloud.outputs().finish_queue_url;
    let request = scene.clients.sqs().get_queue_attributes().queue_url(url).attribute_names("All".into());
    let attributes = request.send().await.unwrap().attributes.unwrap_or_default();
    let messages = attributes.iter().filter(|(name, _)| name.as_str().starts_with("ApproximateNumberOf"));
    messages.map(|(_, count)| count.parse::<u64>().unwrap()).sum::<u64>() == 0
}

/// Ends the lease of the first batch of a run in the ledger.
async fn lease_is_over(scene: &Scene, run_id: RunId) {
    let request = scene.clients.dynamodb().update_item();
    let request = request.table_name(&scene.cloud.outputs().ledger_table);
    let request = request.key("pk", AttributeValue::S(format!("run#{run_id}")));
    let request = request.key("sk", AttributeValue::S("batch#0#000000".to_owned()));
    let request = request.update_expression("SET leased_until_ms = :past");
    request.expression_attribute_values(":past", AttributeValue::N("0".to_owned())).send().await.unwrap();
}

async fn forget_connection(scene: &Scene, id: &str) {
    let request = scene.clients.dynamodb().delete_item();
    let request = request.table_name(&scene.cloud.outputs().catalog_table);
    let request = request.key("kind", AttributeValue::S("connection".to_owned()));
    request.key("id", AttributeValue::S(id.to_owned())).send().await.unwrap();
}

pub(crate) async fn deleting_through_the_api_stops_runs(scene: &Scene) {
    scene.reset();
    // Each definition is in its first version, because it was saved once.
    let remove = async |path: &str| {
        let answer =
            scene.cloud.api_with(Method::DELETE, path, &[("if-match", "\"1\"")], None).await.unwrap();
        assert_eq!(answer.status, 204, "{path}: {}", answer.body);
    };
    for (name, path) in [("export", "/exports/export"), ("account", "/connections/account?exports=remove")] {
        let mut job = Job::new(scene, name);
        job.own_connection(&scene.account.api_key, 1).await;
        job.ready(&persons(2_500)).await;
        let results = scene.hold(Before, "s3", "PUT Object", "/0/000000.").await;
        let run_id = job.start().await;
        scene.held(results).await;
        let waiting = scene.start_run(name).await.unwrap();
        remove(path).await;
        scene.cloud.release(results).await.unwrap();
        job.wait_for(run_id)
            .await
            .canceled_by("somebody", Counts { added: 1_000, deferred: 1_500, ..Counts::default() });
        job.wait_for(waiting.run_id).await.canceled_by("somebody", Counts::default());
        assert_eq!(
            scene.cloud.api(Method::GET, &format!("/exports/{name}"), None).await.unwrap().status,
            404
        );
    }
    assert_eq!(dead_letters(scene).await, 0);
}
