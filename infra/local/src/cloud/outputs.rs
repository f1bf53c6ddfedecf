//! The stack's outputs.

use serde::{Deserialize, Serialize};

/// The outputs of `infra/template.yaml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StackOutputs {
    /// Identifier of the HTTP API.
    pub api_id: String,
    /// Bucket with snapshots, deltas, outcomes, delivered state and reports.
    pub data_bucket: String,
    /// Table of sources, segments, connections and exports.
    pub catalog_table: String,
    /// Table of runs and batches.
    pub ledger_table: String,
    /// Name of the secret for the first Campaign Monitor connection; it has no value yet.
    pub campaign_monitor_secret: String,
    /// Name of the secret for the first Marketo Engage connection; it has no value yet.
    pub marketo_secret: String,
    /// Name of the secret for the first Omnisend connection; it has no value yet.
    pub omnisend_secret: String,
    /// Name of the secret for the first Dynamics 365 Sales connection; it has no value yet.
    pub dynamics365_sales_secret: String,
    /// Address of the snapshot queue.
    pub snapshot_queue_url: String,
    /// Address of its dead-letter queue.
    pub snapshot_dead_letter_queue_url: String,
    /// Address of the engine queue.
    pub engine_queue_url: String,
    /// Address of its dead-letter queue.
    pub engine_dead_letter_queue_url: String,
    /// Address of the chunk queue.
    pub chunk_queue_url: String,
    /// Address of its dead-letter queue.
    pub chunk_dead_letter_queue_url: String,
    /// Address of the queue of batches for Campaign Monitor.
    pub push_campaign_monitor_queue_url: String,
    /// Address of its dead-letter queue.
    pub push_campaign_monitor_dead_letter_queue_url: String,
    /// Address of the queue of batches for Dynamics 365 Sales.
    pub push_dynamics365_sales_queue_url: String,
    /// Address of its dead-letter queue.
    pub push_dynamics365_sales_dead_letter_queue_url: String,
    /// Address of the queue of batches for Omnisend.
    pub push_omnisend_queue_url: String,
    /// Address of its dead-letter queue.
    pub push_omnisend_dead_letter_queue_url: String,
    /// Address of the queue of batches for Marketo Engage.
    pub push_marketo_queue_url: String,
    /// Address of its dead-letter queue.
    pub push_marketo_dead_letter_queue_url: String,
    /// Address of the finish queue.
    pub finish_queue_url: String,
    /// Address of its dead-letter queue.
    pub finish_dead_letter_queue_url: String,
    /// Address of the queue of requests concerning single persons.
    pub person_queue_url: String,
    /// Address of its dead-letter queue.
    pub person_dead_letter_queue_url: String,
}

impl StackOutputs {
    /// Returns all dead-letter queues.
    #[must_use]
    pub fn dead_letter_queue_urls(&self) -> Vec<&str> {
        vec![
            &self.snapshot_dead_letter_queue_url,
            &self.engine_dead_letter_queue_url,
            &self.chunk_dead_letter_queue_url,
            &self.push_campaign_monitor_dead_letter_queue_url,
            &self.push_dynamics365_sales_dead_letter_queue_url,
            &self.push_omnisend_dead_letter_queue_url,
            &self.push_marketo_dead_letter_queue_url,
            &self.finish_dead_letter_queue_url,
            &self.person_dead_letter_queue_url,
        ]
    }

    /// Returns all queues that functions read.
    #[must_use]
    pub fn queue_urls(&self) -> Vec<&str> {
        vec![
            &self.snapshot_queue_url,
            &self.engine_queue_url,
            &self.chunk_queue_url,
            &self.push_campaign_monitor_queue_url,
            &self.push_dynamics365_sales_queue_url,
            &self.push_omnisend_queue_url,
            &self.push_marketo_queue_url,
            &self.finish_queue_url,
            &self.person_queue_url,
        ]
    }
}
