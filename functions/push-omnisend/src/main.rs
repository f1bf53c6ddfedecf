//! Sends batches to Omnisend.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use relay_cloud::ledger::Ledger;
use relay_cloud::{CatalogStore, Clients, Objects, Queue, Settings, deadline};
use relay_model::catalog::Connection;
use relay_pipeline::Connections;
use relay_pipeline::push::PushWorker;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = Clients::from_environment().await;
    let connections = Connections::new(&clients, None)?;
    let worker = &PushWorker::new(
        CatalogStore::new(clients.dynamodb(), Settings.catalog_table()?),
        Ledger::new(clients.dynamodb(), Settings.ledger_table()?),
        Objects::new(clients.s3(), Settings.data_bucket()?),
        Queue::new(clients.sqs(), Settings.push_omnisend_queue_url()?),
        Queue::new(clients.sqs(), Settings.finish_queue_url()?),
        move |connection: &Connection| connections.omnisend(connection),
    );
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let deadline = deadline(&event.context);
        Ok::<_, Error>(worker.handle(event.payload, deadline).await)
    }))
    .await
}
