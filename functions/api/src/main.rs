//! The HTTP API's function: settings and clients, and the routes over them.

use api::access::RoleNames;
use lambda_http::{Error, run, tracing};
use relay::aws::{CatalogStore, Clients, Queue, Settings};
use relay::ledger::Ledger;
use relay::stages::RunRequests;

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
    run(api::router(requests, names)).await
}
