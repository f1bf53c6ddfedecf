//! Computes the deltas of a run's target lists, cuts them into batches, and sends one message per batch.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use relay_cloud::ledger::Ledger;
use relay_cloud::{CatalogStore, Clients, EventBus, Objects, Queue, Settings, deadline};
use relay_model::run::Stage;
use relay_pipeline::chunk::{Chunk, PushQueues};
use relay_pipeline::{Connections, Step, handle_stage};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = Clients::from_environment().await;
    let ledger = Ledger::new(clients.dynamodb(), Settings.ledger_table()?);
    let finish_queue = Queue::new(clients.sqs(), Settings.finish_queue_url()?);
    let chunk = &Chunk {
        catalog: CatalogStore::new(clients.dynamodb(), Settings.catalog_table()?),
        ledger: ledger.clone(),
        objects: Objects::new(clients.s3(), Settings.data_bucket()?),
        connections: Connections::new(&clients, Some(&Settings.campaign_monitor_endpoint()?))?,
        push_queues: PushQueues {
            campaign_monitor: Queue::new(clients.sqs(), Settings.push_campaign_monitor_queue_url()?),
            marketo: Queue::new(clients.sqs(), Settings.push_marketo_queue_url()?),
            omnisend: Queue::new(clients.sqs(), Settings.push_omnisend_queue_url()?),
            dynamics365_sales: Queue::new(clients.sqs(), Settings.push_dynamics365_sales_queue_url()?),
        },
        finish_queue: finish_queue.clone(),
        events: EventBus::new(clients.event_bridge(), Settings.event_bus_name()?),
    };
    let own_queue = Some(Queue::new(clients.sqs(), Settings.chunk_queue_url()?));
    let step = &Step { stage: Stage::Chunk, ledger, finish_queue: Some(finish_queue), own_queue };
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let deadline = deadline(&event.context);
        Ok::<_, Error>(handle_stage(event.payload, step, |run_id| chunk.run(run_id, deadline)).await)
    }))
    .await
}
