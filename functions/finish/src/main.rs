//! Merges the outcomes of a run into its next delivered state, writes the report, and ends the run.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use relay_cloud::ledger::Ledger;
use relay_cloud::{Clients, EventBus, Objects, Queue, Settings};
use relay_model::run::Stage;
use relay_pipeline::finish::Finish;
use relay_pipeline::{Step, handle_stage};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = Clients::from_environment().await;
    let ledger = Ledger::new(clients.dynamodb(), Settings.ledger_table()?);
    let finish = &Finish {
        ledger: ledger.clone(),
        objects: Objects::new(clients.s3(), Settings.data_bucket()?),
        events: EventBus::new(clients.event_bridge(), Settings.event_bus_name()?),
        snapshot_queue: Queue::new(clients.sqs(), Settings.snapshot_queue_url()?),
    };
    let step = &Step { stage: Stage::Finish, ledger, finish_queue: None, own_queue: None };
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        Ok::<_, Error>(handle_stage(event.payload, step, |run_id| finish.run(run_id)).await)
    }))
    .await
}
