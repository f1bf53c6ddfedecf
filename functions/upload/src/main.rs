//! A CSV that somebody puts under `uploads/{segment}/` becomes the segment's members.

mod bad_lines;
mod decode;
mod handler;
mod header;
mod ingest;
mod lines;
mod parts;
mod refusal;
mod table;
mod text;
mod values;

use handler::Uploads;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use relay::aws::{CatalogStore, Clients, ObjectEvent, Queue, Settings};
use relay::ledger::Ledger;
use relay::stages::RunRequests;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = Clients::from_environment().await;
    let uploads = &Uploads {
        requests: RunRequests {
            catalog: CatalogStore::new(clients.dynamodb(), Settings.catalog_table()?),
            ledger: Ledger::new(clients.dynamodb(), Settings.ledger_table()?),
            snapshot_queue: Queue::new(clients.sqs(), Settings.snapshot_queue_url()?),
            chunk_queue: Queue::new(clients.sqs(), Settings.chunk_queue_url()?),
            finish_queue: Queue::new(clients.sqs(), Settings.finish_queue_url()?),
        },
        s3: clients.s3(),
    };
    run(service_fn(move |event: LambdaEvent<ObjectEvent>| async move {
        // Lambda hands a notification over again where it could not be handled.
        uploads.handle(event.payload).await.map_err(Error::from)
    }))
    .await
}
