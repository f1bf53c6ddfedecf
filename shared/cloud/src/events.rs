//! Events for other systems.

use super::{CloudError, count_call};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use serde::Serialize;

/// The event bus for finished runs.
#[derive(Clone, Debug)]
pub struct EventBus {
    client: aws_sdk_eventbridge::Client,
    name: String,
}

impl EventBus {
    /// Creates the client of the bus `name`.
    #[must_use]
    pub const fn new(client: aws_sdk_eventbridge::Client, name: String) -> Self {
        Self { client, name }
    }

    /// Publishes an event. `detail` contains ids and counts, never personal data.
    pub async fn put(&self, detail_type: &str, detail: &impl Serialize) -> Result<(), CloudError> {
        let detail = serde_json::to_string(detail)
            .map_err(|_| CloudError::local("put event on", &self.name, "detail_unwritable"))?;
        let entry = PutEventsRequestEntry::builder()
            .source("segment-relay")
            .detail_type(detail_type)
            .event_bus_name(&self.name)
            .detail(detail)
            .build();
        count_call();
        let answer = self.client.put_events().entries(entry).send().await;
        let answer = answer.map_err(|error| CloudError::new("put event on", &self.name, &error))?;
        match answer.entries().iter().find_map(|entry| entry.error_code()) {
            Some(code) => Err(CloudError::local("put event on", &self.name, code)),
            None => Ok(()),
        }
    }
}
