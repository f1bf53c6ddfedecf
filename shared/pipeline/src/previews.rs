//! Previews of segments: asked for through the queue that runs begin in, and answered by an object.

use super::StageError;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use relay_cloud::{Failure as MessageFailure, Objects, OutgoingMessage, Queue, handle_groups};
use relay_model::engine::{PreviewId, PreviewOf, PreviewResult};
use relay_model::run::{MessageError, StopCode};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// The pauses before a preview that failed for a passing reason is tried again. Somebody waits for it.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// How often a result is looked for: at first so often, then less and less.
const FIRST_LOOK: Duration = Duration::from_millis(100);
/// The longest time between two looks.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// Asks for previews and reads them.
#[derive(Clone, Debug)]
pub struct Previews {
    /// Where requests and results are.
    pub objects: Objects,
    /// Where they are made.
    pub snapshot_queue: Queue,
}

/// Asks for a preview. What is previewed stands in an object, for a definition may be long and private.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewMessage {
    preview: Pointer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pointer {
    version: u8,
    preview_id: PreviewId,
}

impl PreviewMessage {
    /// Asks for a preview.
    #[must_use]
    pub const fn new(preview_id: PreviewId) -> Self {
        Self { preview: Pointer { version: 1, preview_id } }
    }

    /// Reads a message.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        relay_model::run::parse_message(body)
    }

    /// The preview.
    #[must_use]
    pub const fn preview_id(self) -> PreviewId {
        self.preview.preview_id
    }
}

impl Previews {
    /// Asks for a preview. It disturbs no run, and no other preview.
    pub async fn request(&self, of: &PreviewOf, now: Timestamp) -> Result<PreviewId, StageError> {
        let preview_id = PreviewId(new_uuid(now));
        let bytes = serde_json::to_vec(of)
            .map_err(|error| StageError::stop(StopCode::PreviewUnwritable, error.to_string()))?;
        self.objects.put(&preview_id.request_key(), bytes).await?;
        let body = serde_json::to_string(&PreviewMessage::new(preview_id))
            .map_err(|error| StageError::stop(StopCode::MessageUnwritable, error.to_string()))?;
        let group = format!("preview/{preview_id}");
        let message = OutgoingMessage { deduplication_id: group.clone(), group, body };
        self.snapshot_queue.send(&[message]).await?;
        Ok(preview_id)
    }

    /// Whether somebody has asked for the preview, and it is not forgotten yet.
    pub async fn is_requested(&self, preview_id: PreviewId) -> Result<bool, StageError> {
        Ok(self.objects.find(&preview_id.request_key()).await?.is_some())
    }

    /// What a preview has found; `None` where it is not made yet.
    pub async fn result(&self, preview_id: PreviewId) -> Result<Option<PreviewResult>, StageError> {
        let Some(bytes) = self.objects.find(&preview_id.result_key()).await? else { return Ok(None) };
        let found = serde_json::from_slice(&bytes);
        found.map(Some).map_err(|error| StageError::stop(StopCode::PreviewDamaged, error.to_string()))
    }

    /// Waits for what a preview finds; `None` where it has found nothing by the deadline.
    pub async fn wait(
        &self,
        preview_id: PreviewId,
        deadline: Instant,
    ) -> Result<Option<PreviewResult>, StageError> {
        let mut pause = FIRST_LOOK;
        loop {
            if let Some(found) = self.result(preview_id).await? {
                return Ok(Some(found));
            }
            if Instant::now() + pause > deadline {
                return Ok(None);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_LOOK);
        }
    }
}

/// Parts a delivery of the queue: messages that ask for previews, and the others, which are steps of runs.
#[must_use]
pub fn part_previews(event: SqsEvent) -> (SqsEvent, SqsEvent) {
    let is_preview =
        |body: &Option<String>| body.as_deref().is_some_and(|body| PreviewMessage::parse(body).is_ok());
    let (previews, others): (Vec<_>, Vec<_>) =
        event.records.into_iter().partition(|record| is_preview(&record.body));
    let of = |records| {
        let mut event = SqsEvent::default();
        event.records = records;
        event
    };
    (of(previews), of(others))
}

/// Handles messages that ask for previews: a transient failure is retried at once, and the message is delivered again if
/// the retries fail too.
pub async fn handle_previews<F, R>(event: SqsEvent, work: F) -> SqsBatchResponse
where
    F: Fn(PreviewId) -> R,
    R: Future<Output = Result<(), StageError>>,
{
    let work = &work;
    let one = |body: String| async move {
        let Ok(message) = PreviewMessage::parse(&body) else { return Err(MessageFailure::default()) };
        let preview_id = message.preview_id();
        let mut pauses = PAUSES.into_iter();
        while let Err(error) = Box::pin(work(preview_id)).await {
            tracing::warn!(preview.id = %preview_id, error.code = error.code().as_str(), %error, "preview failed");
            match pauses.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(MessageFailure::default()),
            }
        }
        Ok(())
    };
    handle_groups(
        event,
        |delivery| one(delivery.body),
        |_, _| std::future::ready(()),
        |_| std::future::ready(()),
    )
    .await
}

/// Returns a time-ordered identifier (UUID version 7). Its random part comes from the operating system.
#[must_use]
pub fn new_uuid(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_model::RunId;
    use relay_model::run::StageMessage;
    use serde_json::json;

    #[test]
    fn previews_and_steps_share_a_queue_and_are_told_apart() {
        let preview = serde_json::to_string(&PreviewMessage::new(PreviewId(Uuid::nil()))).unwrap();
        let step = serde_json::to_string(&StageMessage::new(RunId(Uuid::nil()))).unwrap();
        assert_eq!(
            preview,
            r#"{"preview":{"version":1,"preview_id":"00000000-0000-0000-0000-000000000000"}}"#
        );
        let bodies = [&preview, &step, "{}", r#"{"preview":{}}"#, &preview];
        let records: Vec<_> = (0..)
            .zip(bodies)
            .map(|(number, body)| {
                json!({ "messageId": number.to_string(), "body": body, "attributes": {}, "messageAttributes": {} })
            })
            .collect();
        let event = serde_json::from_value(json!({ "Records": records })).unwrap();
        let (previews, steps) = part_previews(event);
        let ids = |event: SqsEvent| -> Vec<String> {
            event.records.into_iter().filter_map(|record| record.message_id).collect()
        };
        assert_eq!(
            (ids(previews), ids(steps)),
            (vec!["0".into(), "4".into()], vec!["1".into(), "2".into(), "3".into()])
        );
        assert!(StageMessage::parse(&preview).is_err());
    }
}
