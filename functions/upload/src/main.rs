//! The Lambda function of custom uploads: it turns a CSV under `uploads/{segment}/` into the segment's members.

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
use relay_cloud::{Clients, ObjectEvent};
use relay_pipeline::RunRequests;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = Clients::from_environment().await;
    let uploads = &Uploads { requests: RunRequests::of(&clients)?, s3: clients.s3() };
    run(service_fn(move |event: LambdaEvent<ObjectEvent>| async move {
        // Lambda delivers a notification again if it returns an error.
        uploads.handle(event.payload).await.map_err(Error::from)
    }))
    .await
}
