//! Answers requests about single people: finds everything that is stored about a person, or erases it.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use relay_cloud::{Clients, Objects, Settings, deadline};
use relay_pipeline::RunRequests;
use relay_privacy::{People, Retention, handle_people};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = Clients::from_environment().await;
    let people = &People {
        requests: RunRequests::of(&clients)?,
        objects: Objects::new(clients.s3(), Settings.data_bucket()?),
        retention: Retention {
            run_data_days: Settings.run_data_retention_days()?,
            report_days: Settings.report_retention_days()?,
        },
    };
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let deadline = deadline(&event.context);
        Ok::<_, Error>(handle_people(event.payload, |request_id| people.run(request_id, deadline)).await)
    }))
    .await
}
