//! What a run depends on goes in mid-run: its connection, or the worker that had its batch.

use crate::canceling::{cancel, the_rest_comes};
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_removed_in_mid_run_stops_its_runs_and_no_other() {
    let scene = Scene::open().await;
    let (mut job, other) = (Job::new(&scene, "removed"), Job::new(&scene, "other"));
    job.own_connection(&scene.account.api_key, 1).await;
    let people = persons(2_500);
    job.ready(&people).await;
    other.ready(&people).await;
    let results = scene.hold(Before, "s3", "PUT Object", "/0/000000.").await;
    let run_id = job.start().await;
    scene.held(results).await;
    let waiting = scene.start_run("removed").await.unwrap();
    let untouched = other.start().await;

    // Its export is moved to another connection meanwhile; the runs still go through this one.
    job.export["connection"] = json!("campaign-monitor");
    job.save().await;
    job.export["connection"] = json!("removed");
    let connection = "removed".to_owned().try_into().unwrap();
    let stopped = scene.requests().stop_connection(&connection, "the test", Timestamp::now()).await.unwrap();
    let stopped: Vec<RunId> = stopped.iter().map(|run| run.run_id).collect();
    assert_eq!(stopped, [waiting.run_id, run_id]);
    forget_connection(&scene, "removed").await;
    scene.cloud.release(results).await.unwrap();
    let over = job.over(run_id).await;
    over.canceled(Counts { added: 1_000, deferred: 1_500, ..Counts::default() });
    assert!(over.report.notices.iter().any(|notice| notice.contains("removed connection \"removed\"")));
    job.over(waiting.run_id).await.canceled(Counts::default());
    other.over(untouched).await.succeeded(Counts { added: 2_500, ..Counts::default() });
    let none = scene.requests().stop_connection(&connection, "the test", Timestamp::now()).await.unwrap();
    assert_eq!(none, []);

    // Somebody deletes it behind the API's back: the steps say so and end.
    job.save().await;
    let manifest = scene.hold(Before, "s3", "PUT Object", "removed.json").await;
    let run_id = job.start().await;
    scene.held(manifest).await;
    forget_connection(&scene, "removed").await;
    scene.cloud.release(manifest).await.unwrap();
    job.over(run_id).await.failed("catalog_missing", &["connection \"removed\" is not in the catalog"]);

    // It is back, and so is everybody.
    job.save().await;
    the_rest_comes(&job, &over, 0).await;
    assert_eq!(job.active(), emails(&people));
    assert_eq!(dead_letters(&scene).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_in_flight_does_not_hold_a_canceled_run() {
    // The dead worker's message is delivered again soon.
    let scene = Scene::open_with(|options| options.timeouts("Push", 40, 4)).await;
    let mut job = Job::new(&scene, "dies");
    job.own_connection(&scene.account.api_key, 1).await;
    let people = persons(1_500);
    job.ready(&people).await;
    let results = scene.hold(Before, "s3", "PUT Object", "/0/000000.").await;
    let run_id = job.start().await;
    scene.held(results).await;
    cancel(&scene, run_id).await;
    scene.kill("push-campaign-monitor");
    wait_until("nobody works on the run", async || no_step_is_asked_for(&scene).await).await;
    assert_eq!(scene.run(run_id).await.unwrap().state, RunState::Pushing, "the worker may be alive yet");
    let look_again = async |minutes| {
        let now = Timestamp::now() + SignedDuration::from_mins(minutes);
        Tick { requests: scene.requests() }.run(now).await.unwrap()
    };
    assert_eq!(look_again(1).await, Ticked::default());
    lease_is_over(&scene, run_id).await;
    assert_eq!(look_again(3).await, Ticked { pushed_on: 1, ..Ticked::default() });
    // The people of the first batch are on the list, and the worker never got to say so.
    let over = job.over(run_id).await;
    over.canceled(Counts { deferred: 1_500, ..Counts::default() });
    assert_eq!(job.active().len(), 1_000);
    the_rest_comes(&job, &over, 0).await;
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

/// Makes the ledger believe that the time of the worker that has a run's first batch is up.
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_removed_through_the_api_stops_in_mid_run() {
    let scene = Scene::open().await;
    let scene = &scene;
    // Nobody but the API has saved them since, so each is in its first version.
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
        job.over(run_id)
            .await
            .canceled_by("somebody", Counts { added: 1_000, deferred: 1_500, ..Counts::default() });
        job.over(waiting.run_id).await.canceled_by("somebody", Counts::default());
        assert_eq!(
            scene.cloud.api(Method::GET, &format!("/exports/{name}"), None).await.unwrap().status,
            404
        );
    }
    assert_eq!(dead_letters(scene).await, 0);
}
