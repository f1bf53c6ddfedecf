//! Every minute: due schedules become runs, and runs that stand still are pushed on.

use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use relay::aws::{CatalogStore, Clients, Queue, Settings};
use relay::ledger::Ledger;
use relay::stages::RunRequests;
use relay::stages::tick::Tick;
use relay::timestamp_now;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = Clients::from_environment().await;
    let tick = &Tick {
        requests: RunRequests {
            catalog: CatalogStore::new(clients.dynamodb(), Settings.catalog_table()?),
            ledger: Ledger::new(clients.dynamodb(), Settings.ledger_table()?),
            snapshot_queue: Queue::new(clients.sqs(), Settings.snapshot_queue_url()?),
            chunk_queue: Queue::new(clients.sqs(), Settings.chunk_queue_url()?),
            finish_queue: Queue::new(clients.sqs(), Settings.finish_queue_url()?),
        },
    };
    run(service_fn(move |_: LambdaEvent<Value>| async move {
        let ticked = tick.run(timestamp_now()).await?;
        tracing::info!(?ticked, "tick is done");
        Ok::<_, Error>(())
    }))
    .await
}
