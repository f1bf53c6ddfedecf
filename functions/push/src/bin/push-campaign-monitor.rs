//! Sends batches to Campaign Monitor.

use lambda_runtime::{Error, tracing};
use relay_cloud::{Clients, Settings};
use relay_model::catalog::Connection;
use relay_pipeline::Connections;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = Clients::from_environment().await;
    let connections = Connections::new(&clients, Some(&Settings.campaign_monitor_endpoint()?))?;
    let connect = move |connection: &Connection| connections.campaign_monitor(connection);
    push::serve(&clients, Settings.push_campaign_monitor_queue_url()?, connect).await
}
