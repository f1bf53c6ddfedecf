//! Evaluates segments: stores the snapshots of runs, and answers requests to the query engine.
//!
//! The template deploys this binary as two functions. The snapshot function reads the queue of work that takes up to 15
//! minutes, the engine function reads the queue of requests that a user waits for.

mod answer;
mod context;
mod download;
mod errors;
mod governance;
mod preview;
mod runs;
mod uploads;

use answer::handle_request;
use aws_lambda_events::event::sqs::SqsEvent;
use context::Context;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use relay_cloud::ledger::Ledger;
use relay_cloud::{
    CatalogStore, Clients, Delivery, Failure, Objects, Queue, Settings, SettingsError, Verdict, handle_groups,
};
use relay_model::engine::EngineMessage;
use relay_model::run::Stage;
use relay_pipeline::{Step, handle_run};
use runs::{Snapshots, run_snapshots};
use std::future::ready;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = Clients::from_environment().await;
    let data_bucket = Settings.data_bucket()?;
    let context = &Context {
        catalog: CatalogStore::new(clients.dynamodb(), Settings.catalog_table()?),
        ledger: Ledger::new(clients.dynamodb(), Settings.ledger_table()?),
        objects: Objects::new(clients.s3(), data_bucket.clone()),
        data_bucket,
        s3: clients.s3(),
    };
    let snapshots = &snapshots(&clients, &context.ledger)?;
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let handle = |delivery| handle_message(context, snapshots.as_ref(), delivery);
        Ok::<_, Error>(handle_groups(event.payload, handle, |_, _| ready(()), |_| ready(())).await)
    }))
    .await
}

/// Returns the snapshot step, or `None` in the engine function, which evaluates no runs and has no queue to send them to.
fn snapshots(clients: &Clients, ledger: &Ledger) -> Result<Option<Snapshots>, SettingsError> {
    let Some(chunk_queue_url) = Settings.optional_chunk_queue_url() else { return Ok(None) };
    let step = Step {
        stage: Stage::Snapshot,
        ledger: ledger.clone(),
        finish_queue: Some(Queue::new(clients.sqs(), Settings.finish_queue_url()?)),
        own_queue: None,
    };
    Ok(Some(Snapshots { chunk_queue: Queue::new(clients.sqs(), chunk_queue_url), step }))
}

async fn handle_message(context: &Context, snapshots: Option<&Snapshots>, delivery: Delivery) -> Verdict {
    match (EngineMessage::parse(&delivery.body), snapshots) {
        (Ok(EngineMessage::Run { run_id, .. }), Some(snapshots)) => {
            handle_run(run_id, &snapshots.step, |run_id| run_snapshots(context, snapshots, run_id)).await
        }
        (Ok(EngineMessage::Run { run_id, .. }), None) => {
            tracing::error!(message.id = delivery.message_id, run.id = %run_id,
                "the engine function does not evaluate runs; the run's message belongs in the snapshot queue");
            Err(Failure::default())
        }
        (Ok(EngineMessage::Request { request_id, .. }), _) => handle_request(context, request_id).await,
        (Err(error), _) => {
            tracing::error!(message.id = delivery.message_id, %error, "message cannot be parsed");
            Err(Failure::default())
        }
    }
}
