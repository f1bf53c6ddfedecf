//! FIFO queues.

use super::{CloudError, count_call};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, SendMessageBatchRequestEntry};

/// The maximum number of messages in one call (Amazon SQS Developer Guide, "Amazon SQS message quotas").
const MESSAGES_A_CALL: usize = 10;
/// The maximum visibility timeout: 12 hours (same page).
const MAX_VISIBILITY_SECONDS: u64 = 43_200;

/// An outgoing message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// The message group, whose messages are handled in order.
    pub group: String,
    /// The deduplication id: SQS drops a second message with the same id within five minutes.
    pub deduplication_id: String,
    /// JSON. Pointers only, never personal data.
    pub body: String,
}

/// A FIFO queue.
#[derive(Clone, Debug)]
pub struct Queue {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl Queue {
    /// Creates the client of the queue at `url`.
    #[must_use]
    pub const fn new(client: aws_sdk_sqs::Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends messages in order, ten per call.
    pub async fn send(&self, messages: &[OutgoingMessage]) -> Result<(), CloudError> {
        for chunk in messages.chunks(MESSAGES_A_CALL) {
            let mut entries = Vec::with_capacity(chunk.len());
            for (number, message) in chunk.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(number.to_string())
                    .message_group_id(&message.group)
                    .message_deduplication_id(&message.deduplication_id)
                    .message_body(&message.body)
                    .build()
                    .map_err(|_| CloudError::local("send messages to", &self.url, "message_incomplete"))?;
                entries.push(entry);
            }
            count_call();
            let answer =
                self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
            let answer = answer.map_err(|error| CloudError::new("send messages to", &self.url, &error))?;
            // The whole stage is retried, and messages that were already sent are dropped as duplicates.
            if let Some(failed) = answer.failed().first() {
                return Err(CloudError::local("send messages to", &self.url, failed.code()));
            }
        }
        Ok(())
    }

    /// Deletes up to ten handled messages. One that could not be deleted is redelivered, which is handled
    /// too.
    pub async fn delete(&self, receipt_handles: Vec<String>) -> Result<(), CloudError> {
        let mut entries = Vec::with_capacity(receipt_handles.len());
        for (number, handle) in receipt_handles.into_iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .receipt_handle(handle)
                .build()
                .map_err(|_| CloudError::local("delete messages of", &self.url, "message_incomplete"))?;
            entries.push(entry);
        }
        count_call();
        let answer =
            self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
        answer.map(drop).map_err(|error| CloudError::new("delete messages of", &self.url, &error))
    }

    /// Changes the visibility timeout of a message, so that its next attempt is at the right time.
    pub async fn hide(&self, receipt_handle: &str, seconds: u64) -> Result<(), CloudError> {
        count_call();
        let seconds = i32::try_from(seconds.min(MAX_VISIBILITY_SECONDS)).unwrap_or(i32::MAX);
        let answer = self
            .client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(seconds)
            .send()
            .await;
        answer.map(drop).map_err(|error| CloudError::new("hide a message of", &self.url, &error))
    }
}
