//! Sends batches to a destination and stores an outcome for every row.

mod attempt;
mod counting;
mod stored;
mod waits;

use super::StageError;
use super::pacing::pacer;
use super::runner::stage_message;
use attempt::{AttemptAt, Ended};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use relay_cloud::ledger::{BatchId, Claim, Closed, Ledger, Owner, Spent};
use relay_cloud::{
    CatalogStore, Delivery, Failure as MessageFailure, Objects, Queue, Unit, Verdict, emit_metrics,
    handle_groups,
};
use relay_connectors::{Connector, Pacer};
use relay_delivery::batch::encode_results;
use relay_model::catalog::Connection;
use relay_model::run::{BatchPointer, Failure, Keys, RunState, StopCode};
use relay_model::{ConnectionId, Counts, Destination, RunId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use waits::wait;

/// How long a connector is cached, and so how long a changed definition or a renamed secret goes unnoticed.
const CONNECTOR_LIVES: Duration = Duration::from_mins(5);
/// The part of an invocation's time that is reserved for storing results after the last call.
const CLOSING_TIME: Duration = Duration::from_secs(5);

/// The push worker of one destination.
pub struct PushWorker<C, F> {
    catalog: CatalogStore,
    ledger: Ledger,
    objects: Objects,
    queue: Queue,
    finish_queue: Queue,
    connect: F,
    connectors: Mutex<HashMap<ConnectionId, Known<C>>>,
    /// Runs and target lists that can no longer be delivered, with the reason: their other batches make no
    /// call.
    stopped: Mutex<HashMap<(RunId, Reach), Failure>>,
}

/// The part of a run that cannot continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Reach {
    /// The whole run.
    Run,
    /// One target list, by its index in the plan.
    Target(usize),
}

/// A connector, its pacer, and when both were created.
struct Known<C> {
    made: Instant,
    connector: Arc<C>,
    pacer: Option<Arc<dyn Pacer>>,
}

impl<C> Clone for Known<C> {
    fn clone(&self) -> Self {
        Self { made: self.made, connector: Arc::clone(&self.connector), pacer: self.pacer.clone() }
    }
}

impl<C, F> PushWorker<C, F>
where
    C: Connector,
    F: Fn(&Connection) -> Result<C, StageError>,
{
    /// Creates a worker.
    ///
    /// `queue` is its own queue; `finish_queue` receives a run when its last batch is closed; `connect`
    /// creates the connector of a connection.
    pub fn new(
        catalog: CatalogStore,
        ledger: Ledger,
        objects: Objects,
        queue: Queue,
        finish_queue: Queue,
        connect: F,
    ) -> Self {
        Self {
            catalog,
            ledger,
            objects,
            queue,
            finish_queue,
            connect,
            connectors: Mutex::new(HashMap::new()),
            stopped: Mutex::new(HashMap::new()),
        }
    }

    /// Handles a delivery. `deadline` is when the invocation ends.
    pub async fn handle(&self, event: SqsEvent, deadline: Instant) -> SqsBatchResponse {
        handle_groups(
            event,
            |delivery| self.one(delivery, deadline),
            |receipt_handle, failure| self.put_back(receipt_handle, failure),
            |receipt_handles| self.let_go(receipt_handles),
        )
        .await
    }

    async fn one(&self, delivery: Delivery, deadline: Instant) -> Verdict {
        let pointer = BatchPointer::parse(&delivery.body).map_err(|error| {
            tracing::error!(message.id = delivery.message_id, %error, "message is not one of ours");
            // The message cannot succeed, so it moves to the dead-letter queue soon and unblocks its lane.
            MessageFailure { again_after: Some(Duration::from_secs(1)) }
        })?;
        match Box::pin(self.batch(&pointer, &delivery, deadline)).await {
            Ok(None) => Ok(()),
            Ok(Some(wait)) => {
                tracing::info!(run.id = %pointer.run_id, batch = pointer.batch.number, wait_ms = wait.as_millis(),
                    "batch comes again later");
                Err(MessageFailure { again_after: Some(wait) })
            }
            Err(error) => {
                tracing::warn!(run.id = %pointer.run_id, batch = pointer.batch.number, error.code = error.code().as_str(), %error,
                    "batch could not be handled");
                Err(MessageFailure { again_after: Some(wait(delivery.receive_count)) })
            }
        }
    }

    async fn put_back(&self, receipt_handle: String, failure: MessageFailure) {
        let Some(wait) = failure.again_after else { return };
        // If the wait cannot be set, the message returns after the queue's own visibility timeout.
        if let Err(error) = self.queue.hide(&receipt_handle, wait.as_secs()).await {
            tracing::warn!(%error, "message could not be put back");
        }
    }

    async fn let_go(&self, receipt_handles: Vec<String>) {
        // If they cannot be deleted now, the queue's event source mapping deletes them when the slowest lane
        // is done.
        if let Err(error) = self.queue.delete(receipt_handles).await {
            tracing::warn!(%error, "messages of a lane could not be let go");
        }
    }

    /// Handles one batch. Returns how long to wait if the batch has to be retried.
    async fn batch(
        &self,
        pointer: &BatchPointer,
        delivery: &Delivery,
        deadline: Instant,
    ) -> Result<Option<Duration>, StageError> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left < CLOSING_TIME * 2 {
            return Ok(Some(Duration::from_secs(1)));
        }
        let id = BatchId { run_id: pointer.run_id, target: pointer.target, number: pointer.batch.number };
        let run = self.ledger.run(id.run_id).await?;
        if run.state != RunState::Pushing || run.canceled.is_some() {
            // The run was given up or canceled, so rows that are sent now would be recorded nowhere.
            tracing::info!(run.id = %id.run_id, batch = id.number, state = run.state.name(), "batch of a run that is over");
            if run.state == RunState::Pushing && delivery.receive_count > 1 {
                // The previous worker may have died without a message, and finish waits for batches in
                // flight.
                self.wake_to_stop(pointer).await?;
            }
            return Ok(None);
        }
        let owner = Owner { message_id: delivery.message_id.clone(), receive_count: delivery.receive_count };
        let now = Timestamp::now();
        let lease = now.saturating_add(jiff::SignedDuration::try_from(left).unwrap_or_default());
        let until = lease.map_err(|error| StageError::again(StopCode::Clock, error.to_string()))?;
        let (attempts, progress) = match self.ledger.claim_batch(id, &owner, now, until).await? {
            Claim::Claimed { attempts, progress } => (attempts, progress),
            Claim::Closed => {
                // The worker that closed it may have died before it sent the message.
                if run.batches_open == 0 {
                    self.wake_finish(pointer).await?;
                }
                return Ok(None);
            }
            Claim::Leased { until } => {
                let wait = until.duration_since(now).unsigned_abs();
                return Ok(Some(wait.max(Duration::from_secs(1))));
            }
        };
        let started = Instant::now();
        let keys = Keys::new(pointer.run_id, pointer.export_id.clone());
        let frame = self.frame(&keys, pointer).await?;
        let results = self.stored_results(&keys, pointer, attempts, &progress, frame.rows.len()).await?;
        let mut attempt =
            AttemptAt { pointer, frame: &frame, attempts, progress, results, spent: Spent::default() };
        let ended = self.attempt(&mut attempt, deadline - CLOSING_TIME).await?;
        let AttemptAt { progress, results, spent, .. } = attempt;
        let failure = match ended {
            Ended::Settled(failure) => failure,
            Ended::Later { wait, attempt } => {
                if !results.is_empty() {
                    let key = keys.results(pointer.target, pointer.batch.number);
                    self.objects.put(&key, encode_results(&results)?).await?;
                }
                self.ledger.release_batch(id, &owner, &progress, attempt).await?;
                if spent != Spent::default() {
                    self.ledger.count_calls(id.run_id, spent, Timestamp::now()).await?;
                }
                if self.ledger.run(id.run_id).await?.canceled.is_some() {
                    // The batch was in flight when the run was canceled, and finish must not wait for its
                    // next attempt.
                    self.wake_to_stop(pointer).await?;
                    return Ok(None);
                }
                return Ok(Some(wait));
            }
        };
        if results.len() != frame.rows.len() {
            let text = format!("{} rows gave {} results", frame.rows.len(), results.len());
            return Err(StageError::again(StopCode::ResultsIncomplete, text));
        }
        let mut counts = Counts::default();
        for (row, result) in frame.rows.iter().zip(&results) {
            counts.count(result.outcome.kind(row.operation), 1);
        }
        let results_key = keys.results(pointer.target, pointer.batch.number);
        self.objects.put(&results_key, encode_results(&results)?).await?;
        if let Some(failure) = failure {
            self.ledger.note_failure(id.run_id, &failure).await?;
        }
        let closed = self.ledger.close_batch(id, &owner, counts, spent, Timestamp::now()).await?;
        tell(C::DESTINATION, pointer, &counts, spent, started.elapsed());
        match closed {
            Closed::Last => {
                self.count_members(pointer, deadline - CLOSING_TIME).await;
                self.wake_finish(pointer).await?;
            }
            Closed::MoreOfCanceled => self.wake_to_stop(pointer).await?,
            Closed::More => {}
        }
        Ok(None)
    }

    async fn connector(&self, id: &ConnectionId) -> Result<Known<C>, StageError> {
        let known = {
            let connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
            connectors.get(id).filter(|known| known.made.elapsed() < CONNECTOR_LIVES).cloned()
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let connection: Connection = self.catalog.get(id.as_str()).await?;
        let connector = Arc::new((self.connect)(&connection)?);
        let pacer = pacer(&self.ledger, id, connector.as_ref());
        let known = Known { made: Instant::now(), connector, pacer };
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        connectors.insert(id.clone(), known.clone());
        Ok(known)
    }

    /// Notifies finish that a batch of a canceled run is no longer in flight.
    async fn wake_to_stop(&self, pointer: &BatchPointer) -> Result<(), StageError> {
        let step = format!("stop/{}/{}", pointer.target, pointer.batch.number);
        let message = stage_message(pointer.run_id, pointer.export_id.as_str(), &step, 0)?;
        Ok(self.finish_queue.send(&[message]).await?)
    }

    async fn wake_finish(&self, pointer: &BatchPointer) -> Result<(), StageError> {
        let message = stage_message(pointer.run_id, pointer.export_id.as_str(), "finish", 0)?;
        Ok(self.finish_queue.send(&[message]).await?)
    }
}

fn tell(destination: Destination, pointer: &BatchPointer, counts: &Counts, spent: Spent, took: Duration) {
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        run.id = %pointer.run_id, export.id = %pointer.export_id, batch = pointer.batch.number,
        batch.rows = pointer.batch.rows, calls = spent.calls, throttled = spent.throttled, duration_ms, aws.calls = relay_cloud::aws_calls(),
        "batch is closed"
    );
    let applied = counts.added + counts.changed + counts.removed;
    emit_metrics(
        Timestamp::now(),
        destination.name(),
        &[
            ("rows_applied", Unit::Count, applied),
            ("rows_not_applied", Unit::Count, counts.total() - applied),
            ("calls", Unit::Count, spent.calls),
            ("calls_throttled", Unit::Count, spent.throttled),
            ("batch_duration_ms", Unit::Milliseconds, duration_ms),
        ],
    );
}
