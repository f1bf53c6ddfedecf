//! Push workers send batches to a destination. Every destination has a binary, and so a Lambda function, of its own in
//! `src/bin`; this library holds what the binaries share.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use relay_cloud::ledger::Ledger;
use relay_cloud::{CatalogStore, Clients, Objects, Queue, Settings, deadline};
use relay_connectors::Connector;
use relay_model::catalog::Connection;
use relay_pipeline::StageError;
use relay_pipeline::push::PushWorker;

/// Serves a destination's push queue until Lambda ends the process.
///
/// `queue_url` is the address of the destination's own queue, to which unfinished batches return; `connect` makes the
/// connector of a connection.
///
/// # Errors
/// Fails if a setting of the function is missing or if the Lambda runtime ends.
pub async fn serve<C, F>(clients: &Clients, queue_url: String, connect: F) -> Result<(), Error>
where
    C: Connector,
    F: Fn(&Connection) -> Result<C, StageError>,
{
    let worker = &PushWorker::new(
        CatalogStore::new(clients.dynamodb(), Settings.catalog_table()?),
        Ledger::new(clients.dynamodb(), Settings.ledger_table()?),
        Objects::new(clients.s3(), Settings.data_bucket()?),
        Queue::new(clients.sqs(), queue_url),
        Queue::new(clients.sqs(), Settings.finish_queue_url()?),
        connect,
    );
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let deadline = deadline(&event.context);
        Ok::<_, Error>(worker.handle(event.payload, deadline).await)
    }))
    .await
}
