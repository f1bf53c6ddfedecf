//! The Lambda function of the HTTP API.

use api::Api;
use api::access::RoleNames;
use lambda_http::{Error, run, tracing};
use relay_cloud::{Clients, Objects, Queue, Settings};
use relay_pipeline::{Connections, EngineClient, RunRequests};
use relay_privacy::PersonRequests;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let names = RoleNames {
        claim: Settings.roles_claim()?,
        administrator: Settings.administrator_role()?,
        contributor: Settings.contributor_role()?,
        viewer: Settings.viewer_role()?,
    };
    let clients = Clients::from_environment().await;
    let requests = RunRequests::of(&clients)?;
    let connections = Connections::new(&clients, Some(&Settings.campaign_monitor_endpoint()?))?;
    let engine = EngineClient {
        objects: Objects::new(clients.s3(), Settings.data_bucket()?),
        engine_queue: Queue::new(clients.sqs(), Settings.engine_queue_url()?),
        snapshot_queue: requests.snapshot_queue.clone(),
    };
    let people = PersonRequests {
        objects: engine.objects.clone(),
        queue: Queue::new(clients.sqs(), Settings.person_queue_url()?),
    };
    let api = Api {
        requests,
        engine,
        people,
        connections,
        secrets: clients.secrets_manager(),
        secret_prefix: Settings.secret_prefix()?,
    };
    run(api::router(api, names)).await
}
