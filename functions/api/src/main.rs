//! The HTTP API's function: settings and clients, and the routes over them.

use api::Api;
use api::access::RoleNames;
use lambda_http::{Error, run, tracing};
use relay::aws::{CatalogStore, Clients, Objects, Queue, Settings};
use relay::ledger::Ledger;
use relay::stages::{Connections, Previews, RunRequests};

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
    let requests = RunRequests {
        catalog: CatalogStore::new(clients.dynamodb(), Settings.catalog_table()?),
        ledger: Ledger::new(clients.dynamodb(), Settings.ledger_table()?),
        snapshot_queue: Queue::new(clients.sqs(), Settings.snapshot_queue_url()?),
        chunk_queue: Queue::new(clients.sqs(), Settings.chunk_queue_url()?),
        finish_queue: Queue::new(clients.sqs(), Settings.finish_queue_url()?),
    };
    let connections = Connections::new(&clients, Some(&Settings.campaign_monitor_endpoint()?))?;
    let previews = Previews {
        objects: Objects::new(clients.s3(), Settings.data_bucket()?),
        snapshot_queue: requests.snapshot_queue.clone(),
    };
    let api = Api {
        requests,
        previews,
        connections,
        secrets: clients.secrets_manager(),
        secret_prefix: Settings.secret_prefix()?,
    };
    run(api::router(api, names)).await
}
