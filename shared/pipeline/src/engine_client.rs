//! The client of the query engine: sends requests through its queues and reads the answers from S3.

use super::{StageError, new_uuid};
use jiff::Timestamp;
use relay_cloud::{Objects, OutgoingMessage, Queue};
use relay_model::catalog::Segment;
use relay_model::engine::{
    EngineAnswer, EngineError, EngineMessage, EngineRequest, EngineRequestId, EngineResponse,
    SegmentDescription,
};
use relay_model::governance::ColumnsRead;
use relay_model::run::StopCode;
use std::time::Duration;
use tokio::time::Instant;

/// Time between the first two polls for an answer. Each later pause is half as long again.
const FIRST_POLL: Duration = Duration::from_millis(100);
/// Longest time between two polls.
const LONGEST_POLL: Duration = Duration::from_secs(1);

/// Sends requests to the query engine and reads its answers.
#[derive(Clone, Debug)]
pub struct EngineClient {
    /// The bucket of requests and answers.
    pub objects: Objects,
    /// The queue of requests that take a minute at most.
    pub engine_queue: Queue,
    /// The queue of snapshots, which also carries requests that take as long as a snapshot.
    pub snapshot_queue: Queue,
}

/// Why a request has no response.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The query engine rejected the request.
    #[error("{}", .0.text)]
    Rejected(EngineError),
    /// The query engine did not answer before the deadline.
    #[error("the query engine took too long to answer")]
    Timeout,
    /// The request could not be sent, or the answer could not be read.
    #[error("the query engine cannot be reached; try again")]
    Unavailable(#[from] StageError),
}

impl EngineClient {
    /// Stores a request and sends its message. Each request has its own message group, so requests run in
    /// parallel.
    pub async fn send(&self, request: &EngineRequest, now: Timestamp) -> Result<EngineRequestId, StageError> {
        let request_id = EngineRequestId(new_uuid(now));
        let bytes = serde_json::to_vec(request)
            .map_err(|error| StageError::stop(StopCode::RequestUnwritable, error.to_string()))?;
        self.objects.put(&request_id.request_key(), bytes).await?;
        let body = serde_json::to_string(&EngineMessage::request(request_id))
            .map_err(|error| StageError::stop(StopCode::MessageUnwritable, error.to_string()))?;
        let group = format!("request/{request_id}");
        let message = OutgoingMessage { deduplication_id: group.clone(), group, body };
        let queue = if request.is_interactive() { &self.engine_queue } else { &self.snapshot_queue };
        queue.send(&[message]).await?;
        Ok(request_id)
    }

    /// Returns true if the request exists. Requests expire after a day.
    pub async fn is_requested(&self, request_id: EngineRequestId) -> Result<bool, StageError> {
        Ok(self.objects.find(&request_id.request_key()).await?.is_some())
    }

    /// Returns the answer to a request, or `None` if it has not been answered yet.
    pub async fn answer(&self, request_id: EngineRequestId) -> Result<Option<EngineAnswer>, StageError> {
        let Some(bytes) = self.objects.find(&request_id.answer_key()).await? else { return Ok(None) };
        let answer = serde_json::from_slice(&bytes);
        answer.map(Some).map_err(|error| StageError::stop(StopCode::AnswerDamaged, error.to_string()))
    }

    /// Returns the columns of a segment's query.
    pub async fn describe(
        &self,
        segment: Segment,
        deadline: Instant,
    ) -> Result<SegmentDescription, AskError> {
        match self.ask(&EngineRequest::Description(segment), deadline).await? {
            EngineResponse::Description(description) => Ok(description),
            other => Err(mismatch(&other)),
        }
    }

    /// Returns the columns of sources that an export of the segment uses if it maps these attributes.
    pub async fn lineage(
        &self,
        segment: Segment,
        attributes: Vec<String>,
        deadline: Instant,
    ) -> Result<ColumnsRead, AskError> {
        match self.ask(&EngineRequest::Lineage { segment, attributes }, deadline).await? {
            EngineResponse::Lineage(columns) => Ok(columns),
            other => Err(mismatch(&other)),
        }
    }

    /// Sends a request and polls for its answer until the deadline.
    async fn ask(&self, request: &EngineRequest, deadline: Instant) -> Result<EngineResponse, AskError> {
        let request_id = self.send(request, Timestamp::now()).await?;
        let mut pause = FIRST_POLL;
        loop {
            if let Some(answer) = self.answer(request_id).await? {
                return answer.result.map_err(AskError::Rejected);
            }
            if Instant::now() + pause > deadline {
                return Err(AskError::Timeout);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_POLL);
        }
    }
}

fn mismatch(response: &EngineResponse) -> AskError {
    let name = match response {
        EngineResponse::Preview(_) => "preview",
        EngineResponse::Description(_) => "description",
        EngineResponse::Lineage(_) => "lineage",
        EngineResponse::Download(_) => "download",
    };
    let text = format!("the query engine answered another request with a {name}");
    StageError::stop(StopCode::AnswerMismatched, text).into()
}
