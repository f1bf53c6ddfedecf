//! Runs every minute: starts runs for due schedules and requeues stalled runs.

use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use relay_cloud::Clients;
use relay_cloud::timestamp_now;
use relay_pipeline::RunRequests;
use relay_pipeline::tick::Tick;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = Clients::from_environment().await;
    let tick = &Tick { requests: RunRequests::of(&clients)? };
    run(service_fn(move |_: LambdaEvent<Value>| async move {
        let ticked = tick.run(timestamp_now()).await?;
        tracing::info!(?ticked, "tick is done");
        Ok::<_, Error>(())
    }))
    .await
}
