//! Evaluates segments: writes the snapshots of runs, and previews.

mod download;
mod governance;
mod handler;
mod preview;
mod stage_error;
mod uploads;

use aws_lambda_events::event::sqs::SqsEvent;
use handler::Snapshots;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use relay_cloud::ledger::Ledger;
use relay_cloud::{CatalogStore, Clients, Objects, Queue, Settings};
use relay_model::run::Stage;
use relay_pipeline::{Step, handle_previews, handle_stage, part_previews};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = Clients::from_environment().await;
    let ledger = Ledger::new(clients.dynamodb(), Settings.ledger_table()?);
    let finish_queue = Queue::new(clients.sqs(), Settings.finish_queue_url()?);
    let step = Step {
        stage: Stage::Snapshot,
        ledger: ledger.clone(),
        finish_queue: Some(finish_queue),
        own_queue: None,
    };
    let data_bucket = Settings.data_bucket()?;
    let snapshots = &Snapshots {
        catalog: CatalogStore::new(clients.dynamodb(), Settings.catalog_table()?),
        ledger,
        objects: Objects::new(clients.s3(), data_bucket.clone()),
        data_bucket,
        s3: clients.s3(),
        chunk_queue: Queue::new(clients.sqs(), Settings.chunk_queue_url()?),
        step,
    };
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let (previews, steps) = part_previews(event.payload);
        let mut response = handle_stage(steps, &snapshots.step, |run_id| snapshots.run(run_id)).await;
        let previewed = handle_previews(previews, |preview_id| snapshots.preview(preview_id)).await;
        response.batch_item_failures.extend(previewed.batch_item_failures);
        Ok::<_, Error>(response)
    }))
    .await
}
