//! Requests about single people: created by the API, and processed by a function of their own.

mod delivered;
mod erasing;
mod rejected;
mod searching;
mod treatment;
mod uploads;
mod work;

pub use work::{People, Retention};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use relay_cloud::{Failure as MessageFailure, Objects, OutgoingMessage, Queue, handle_groups};
use relay_model::privacy::{PersonRequest, PersonRequestId, PersonRequestKind, PersonRequestState};
use relay_model::run::{MessageError, StopCode};
use relay_pipeline::{StageError, new_uuid};
use serde::{Deserialize, Serialize};

/// Creates requests about one person and reads their progress.
#[derive(Clone, Debug)]
pub struct PersonRequests {
    /// The requests and their results.
    pub objects: Objects,
    /// The queue of requests to process.
    pub queue: Queue,
}

/// Asks the function to process a request. The identity of the person is in an object and never in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonMessage {
    version: u8,
    /// The request.
    pub request_id: PersonRequestId,
}

impl PersonMessage {
    /// Creates the message of a request.
    #[must_use]
    pub const fn new(request_id: PersonRequestId) -> Self {
        Self { version: 1, request_id }
    }

    /// Parses a message.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        relay_model::run::parse_message(body)
    }
}

impl PersonRequests {
    /// Creates a request about one person. A repeated call with the same key returns the same request.
    pub async fn request(
        &self,
        request: &PersonRequest,
        key: Option<&str>,
        now: Timestamp,
    ) -> Result<PersonRequestId, StageError> {
        let request_id = key.map_or_else(|| PersonRequestId(new_uuid(now)), PersonRequestId::of_key);
        let unwritable =
            |error: serde_json::Error| StageError::stop(StopCode::RequestUnwritable, error.to_string());
        if let Some(key) = key {
            self.require_same(request_id, request, key).await?;
        }
        if self.state(request_id).await?.is_none() {
            // The contents of a request are confidential, so no error repeats them.
            let bytes =
                serde_json::to_vec(request).map_err(|_| StageError::stop(StopCode::RequestUnwritable, ""))?;
            self.objects.put(&request_id.request_key(), bytes).await?;
            put_state(&self.objects, &PersonRequestState::new(request_id, request)).await?;
        }
        // Two erasures might rewrite the same object, so they are processed one after the other; exports run
        // in parallel.
        let group = match request.kind {
            PersonRequestKind::Erasure => "erasures".to_owned(),
            PersonRequestKind::Export => format!("export/{request_id}"),
        };
        let body = serde_json::to_string(&PersonMessage::new(request_id)).map_err(unwritable)?;
        let message = OutgoingMessage { group, deduplication_id: request_id.to_string(), body };
        self.queue.send(&[message]).await?;
        Ok(request_id)
    }

    /// Returns an error if a key was used before for another person or another kind of request. Otherwise the
    /// response to another request could be mistaken for the confirmation of an erasure.
    async fn require_same(
        &self,
        request_id: PersonRequestId,
        request: &PersonRequest,
        key: &str,
    ) -> Result<(), StageError> {
        let meant = serde_json::to_string(&(request.kind, &request.person))
            .map_err(|_| StageError::stop(StopCode::RequestUnwritable, ""))?;
        // The digest includes the key, which is known to the caller only, so it reveals nothing about the
        // person.
        let digest = blake3::hash(format!("{key}\n{meant}").as_bytes()).to_hex().to_string().into_bytes();
        match self.objects.find(&request_id.digest_key()).await? {
            None => Ok(self.objects.put(&request_id.digest_key(), digest).await?),
            Some(known) if known == digest => Ok(()),
            Some(_) => {
                let text = "the Idempotency-Key was used for another request about a person; take a new one";
                Err(StageError::stop(StopCode::IdempotencyKeyReused, text))
            }
        }
    }

    /// Returns the state of a request; `None` if it does not exist or has expired.
    pub async fn state(&self, request_id: PersonRequestId) -> Result<Option<PersonRequestState>, StageError> {
        find_state(&self.objects, request_id).await
    }
}

async fn find_state(
    objects: &Objects,
    request_id: PersonRequestId,
) -> Result<Option<PersonRequestState>, StageError> {
    let Some(bytes) = objects.find(&request_id.state_key()).await? else { return Ok(None) };
    let state = serde_json::from_slice(&bytes);
    state.map(Some).map_err(|error| StageError::stop(StopCode::StateDamaged, error.to_string()))
}

async fn put_state(objects: &Objects, state: &PersonRequestState) -> Result<(), StageError> {
    let bytes = serde_json::to_vec_pretty(state)
        .map_err(|error| StageError::stop(StopCode::StateUnwritable, error.to_string()))?;
    Ok(objects.put(&state.request_id.state_key(), bytes).await?)
}

/// Handles the messages of requests to process.
pub async fn handle_people<F, R>(event: SqsEvent, work: F) -> SqsBatchResponse
where
    F: Fn(PersonRequestId) -> R,
    R: Future<Output = Result<(), StageError>>,
{
    let work = &work;
    let one = |body: String, message_id: String| async move {
        let request_id = match PersonMessage::parse(&body) {
            Ok(message) => message.request_id,
            Err(error) => {
                tracing::error!(message.id = message_id, %error, "message is not one of ours");
                return Err(MessageFailure::default());
            }
        };
        Box::pin(work(request_id)).await.map_err(|error| {
            tracing::error!(request.id = %request_id, error.code = error.code().as_str(), %error, "request could not be ended");
            MessageFailure::default()
        })
    };
    handle_groups(
        event,
        |delivery| one(delivery.body, delivery.message_id),
        |_, _| std::future::ready(()),
        |_| std::future::ready(()),
    )
    .await
}
