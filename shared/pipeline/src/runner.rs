//! Handles the messages of the queues that carry one run each: snapshot, chunk and finish.

use super::StageError;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use relay_cloud::ledger::{Ledger, RunChange};
use relay_cloud::{Delivery, Failure as MessageFailure, OutgoingMessage, Queue, Verdict, handle_groups};
use relay_model::RunId;
use relay_model::engine::EngineMessage;
use relay_model::run::StopCode;
use relay_model::run::{Failure, Pause, RunMode, RunState, Stage, StageMessage, deduplication_id};
use serde::Serialize;
use std::time::Duration;

/// The pauses before a step is retried after a transient error. They are short and inside the invocation,
/// because a returned message would wait for the queue's visibility timeout, which is six times the longest
/// invocation.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(10)];

/// The clients that one step needs to advance its run.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which step it is.
    pub stage: Stage,
    /// The ledger.
    pub ledger: Ledger,
    /// The queue of runs that have to stop; `None` for the last step.
    pub finish_queue: Option<Queue>,
    /// The step's own queue, if the step may have to wait for a destination.
    pub own_queue: Option<Queue>,
}

impl Step {
    /// Ends a run with a failure. Finish writes the report and frees the export's slot for the next run. A
    /// dry run has no slot, so it ends at once.
    pub async fn fail(&self, run_id: RunId, code: StopCode, text: &str) -> Result<(), StageError> {
        let failure = Failure { stage: self.stage, code, text: text.to_owned() };
        if self.ledger.run(run_id).await?.mode == RunMode::DryRun {
            let now = Timestamp::now();
            let from = [RunState::Snapshotting, RunState::Chunking];
            let change = RunChange { failure: Some(failure), is_ended: Some(now), ..RunChange::default() };
            self.ledger.advance(run_id, &from, RunState::Failed, now, &change).await?;
            return Ok(());
        }
        let change =
            RunChange { failure: Some(failure), started: Some(Stage::Finish), ..RunChange::default() };
        // A run that has moved on to a later step must not be ended by this one.
        let from = match self.stage {
            Stage::Snapshot => RunState::Snapshotting,
            Stage::Chunk => RunState::Chunking,
            Stage::Push => RunState::Pushing,
            Stage::Finish => RunState::Finishing,
        };
        let now = Timestamp::now();
        if !self.ledger.advance(run_id, &[from], RunState::Finishing, now, &change).await? {
            let state = self.ledger.run(run_id).await?.state;
            if state != RunState::Finishing && !state.is_over() {
                return Err(StageError::again(
                    StopCode::StepIncomplete,
                    format!("the run is {} already", state.name()),
                ));
            }
        }
        match &self.finish_queue {
            Some(queue) => self.send(queue, run_id, "finish", 0).await,
            None => Ok(()),
        }
    }

    /// Hides the message of a paused run until the run continues.
    async fn put_back(&self, receipt_handle: String, failure: MessageFailure) {
        let (Some(wait), Some(queue)) = (failure.again_after, &self.own_queue) else { return };
        if let Err(error) = queue.hide(&receipt_handle, wait.as_secs()).await {
            tracing::warn!(%error, "message could not be put back");
        }
    }

    /// Records that a run is paused, and returns for how long.
    async fn pause(&self, run_id: RunId, until: Timestamp, text: String) -> Result<Duration, StageError> {
        let now = Timestamp::now();
        self.ledger.note_pause(run_id, &Pause { until, text }, now).await?;
        Ok(Duration::try_from(until.duration_since(now)).unwrap_or_default() + Duration::from_secs(1))
    }

    /// Sends a run to another step.
    pub async fn send(
        &self,
        queue: &Queue,
        run_id: RunId,
        step: &str,
        try_number: u64,
    ) -> Result<(), StageError> {
        let group = self.ledger.run(run_id).await?.group();
        Ok(queue.send(&[stage_message(run_id, &group, step, try_number)?]).await?)
    }
}

pub(super) fn stage_message(
    run_id: RunId,
    group: &str,
    step: &str,
    try_number: u64,
) -> Result<OutgoingMessage, StageError> {
    message(&StageMessage::new(run_id), group, deduplication_id(run_id, step, try_number))
}

/// Returns the message that starts the snapshots of a run. Its queue also carries requests to the query
/// engine.
pub(super) fn snapshot_message(
    run_id: RunId,
    group: &str,
    try_number: u64,
) -> Result<OutgoingMessage, StageError> {
    message(&EngineMessage::run(run_id), group, deduplication_id(run_id, "snapshot", try_number))
}

fn message(
    content: &impl Serialize,
    group: &str,
    deduplication_id: String,
) -> Result<OutgoingMessage, StageError> {
    let body = serde_json::to_string(content)
        .map_err(|error| StageError::stop(StopCode::MessageUnwritable, error.to_string()))?;
    Ok(OutgoingMessage { group: group.to_owned(), deduplication_id, body })
}

/// Handles a delivery from one of the stage queues.
pub async fn handle_stage<F, R>(event: SqsEvent, step: &Step, work: F) -> SqsBatchResponse
where
    F: Fn(RunId) -> R,
    R: Future<Output = Result<(), StageError>>,
{
    handle_groups(
        event,
        |delivery| one(delivery, step, &work),
        |handle, failure| step.put_back(handle, failure),
        |_| std::future::ready(()),
    )
    .await
}

async fn one<F, R>(delivery: Delivery, step: &Step, work: &F) -> Verdict
where
    F: Fn(RunId) -> R,
    R: Future<Output = Result<(), StageError>>,
{
    match StageMessage::parse(&delivery.body) {
        Ok(message) => handle_run(message.run_id, step, work).await,
        Err(error) => {
            tracing::error!(message.id = delivery.message_id, %error, "message is not one of ours");
            Err(MessageFailure::default())
        }
    }
}

/// Takes one step of a run: retries transient errors, and ends the run if the step cannot be completed.
pub async fn handle_run<F, R>(run_id: RunId, step: &Step, work: F) -> Verdict
where
    F: Fn(RunId) -> R,
    R: Future<Output = Result<(), StageError>>,
{
    let stage = step.stage;
    let started = std::time::Instant::now();
    let mut pauses = PAUSES.into_iter();
    let error = loop {
        let Err(error) = Box::pin(work(run_id)).await else {
            let duration_ms = started.elapsed().as_millis();
            tracing::info!(run.id = %run_id, ?stage, duration_ms, aws.calls = relay_cloud::aws_calls(), "step is done");
            return Ok(());
        };
        tracing::warn!(run.id = %run_id, ?stage, error.code = error.code().as_str(), %error, "step did not get to its end");
        match (&error, pauses.next()) {
            (StageError::Again { .. }, Some(pause)) => tokio::time::sleep(pause).await,
            _ => break error,
        }
    };
    if let StageError::Pause { until, text, .. } = error {
        let again_after = step.pause(run_id, until, text).await.ok();
        return Err(MessageFailure { again_after });
    }
    if step.finish_queue.is_none() {
        return Err(MessageFailure::default());
    }
    // A failed run reports its reason and frees the slot for the next one; a stalled run would do neither.
    step.fail(run_id, error.code(), &error.to_string()).await.map_err(|_| MessageFailure::default())
}
