//! A batch goes to its destination, and every row of it gets its outcome.

use super::StageError;
use super::runner::stage_message;
use crate::aws::{
    CatalogStore, Delivery, Failure as MessageFailure, Objects, Queue, Unit, Verdict, emit_metrics,
    handle_groups,
};
use crate::batch::{Frame, RowResult, decode_results, encode_results};
use crate::catalog::Connection;
use crate::connectors::{CallContext, Connector, ErrorKind, PushError, Retry};
use crate::ledger::{BatchId, Claim, Closed, Ledger, Owner};
use crate::model::{ConnectionId, Counts, Destination, Outcome, Reason, RunId};
use crate::run::{BatchPointer, Failure, Keys, RunState, Stage};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A definition that was changed, or a secret that was renamed, is noticed after so long.
const CONNECTOR_LIVES: Duration = Duration::from_mins(5);
/// What is kept of an invocation's time for storing results after the last call.
const CLOSING_TIME: Duration = Duration::from_secs(5);
/// How often a batch is tried before its rows are deferred to the next run.
const MAX_ATTEMPTS: u32 = 8;
/// The first wait after a destination could not take a batch; it doubles each time.
const FIRST_WAIT_SECONDS: u64 = 10;
/// The longest wait.
const LONGEST_WAIT_SECONDS: u64 = 900;

/// A push worker: one destination's.
pub struct PushWorker<C, F> {
    catalog: CatalogStore,
    ledger: Ledger,
    objects: Objects,
    queue: Queue,
    finish_queue: Queue,
    connect: F,
    connectors: Mutex<HashMap<ConnectionId, (Instant, Arc<C>)>>,
    /// Runs that nothing can be sent for any more, and why: their other batches cost no call.
    stopped: Mutex<HashMap<RunId, Failure>>,
}

enum Pushed {
    Results(Vec<RowResult>, Option<Failure>),
    Later(Duration),
}

impl<C, F> PushWorker<C, F>
where
    C: Connector,
    F: Fn(&Connection) -> Result<C, StageError>,
{
    /// A worker.
    ///
    /// `queue` is its own queue; `finish_queue` is where a run goes when its last batch is closed; `connect` makes the
    /// connector of a connection.
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
        )
        .await
    }

    async fn one(&self, delivery: Delivery, deadline: Instant) -> Verdict {
        let pointer = BatchPointer::parse(&delivery.body).map_err(|error| {
            tracing::error!(message.id = delivery.message_id, %error, "message is not one of ours");
            MessageFailure::default()
        })?;
        match Box::pin(self.batch(&pointer, &delivery, deadline)).await {
            Ok(None) => Ok(()),
            Ok(Some(wait)) => {
                tracing::info!(run.id = %pointer.run_id, batch = pointer.batch.number, wait_ms = wait.as_millis(),
                    "batch comes again later");
                Err(MessageFailure { again_after: Some(wait) })
            }
            Err(error) => {
                tracing::warn!(run.id = %pointer.run_id, batch = pointer.batch.number, error.code = error.code(), %error,
                    "batch could not be handled");
                Err(MessageFailure { again_after: Some(wait(delivery.receive_count)) })
            }
        }
    }

    async fn put_back(&self, receipt_handle: String, failure: MessageFailure) {
        let Some(wait) = failure.again_after else { return };
        // Where the wait cannot be set, the message comes again after the queue's own visibility timeout.
        if let Err(error) = self.queue.hide(&receipt_handle, wait.as_secs()).await {
            tracing::warn!(%error, "message could not be put back");
        }
    }

    /// Handles one batch; gives back how long to wait where it has to come again.
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
        if run.state != RunState::Pushing {
            // The run was given up and its rows are accounted for: what is sent now, nobody would know of.
            tracing::info!(run.id = %id.run_id, batch = id.number, state = run.state.name(), "batch of a run that is over");
            return Ok(None);
        }
        let owner = Owner { message_id: delivery.message_id.clone(), receive_count: delivery.receive_count };
        let now = Timestamp::now();
        let lease = now.saturating_add(jiff::SignedDuration::try_from(left).unwrap_or_default());
        let until = lease.map_err(|error| StageError::again("clock", error.to_string()))?;
        let attempts = match self.ledger.claim_batch(id, &owner, now, until).await? {
            Claim::Claimed { attempts } => attempts,
            Claim::Closed => {
                // The one who closed it may have died before it could say so.
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
        let context = CallContext::until(deadline - CLOSING_TIME);
        let keys = Keys::new(pointer.run_id, pointer.export_id.clone());
        let range = (pointer.batch.offset_bytes, pointer.batch.length_bytes);
        let packed = self.objects.get_range(&keys.delta(pointer.target), range.0, range.1).await?;
        let frame = Frame::decode(&packed)?;
        let stored = self.stored_results(&keys, pointer, attempts, frame.rows.len()).await?;
        let pushed = match stored {
            Some(results) => Pushed::Results(results, None),
            None => self.push(pointer, &frame, attempts, &context).await?,
        };
        let (results, failure) = match pushed {
            Pushed::Results(results, failure) => (results, failure),
            Pushed::Later(wait) => {
                self.ledger.count_calls(id.run_id, context.calls(), Timestamp::now()).await?;
                return Ok(Some(wait));
            }
        };
        if results.len() != frame.rows.len() {
            let text = format!("{} rows gave {} results", frame.rows.len(), results.len());
            return Err(StageError::again("results_incomplete", text));
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
        let closed = self.ledger.close_batch(id, &owner, counts, context.calls(), Timestamp::now()).await?;
        tell(C::DESTINATION, pointer, &counts, context.calls(), started.elapsed());
        if closed == Closed::Last {
            self.wake_finish(pointer).await?;
        }
        Ok(None)
    }

    /// The results that an earlier attempt stored before it died. They know what that attempt did; asking the
    /// destination again would not.
    async fn stored_results(
        &self,
        keys: &Keys,
        pointer: &BatchPointer,
        attempts: u32,
        rows: usize,
    ) -> Result<Option<Vec<RowResult>>, StageError> {
        if attempts < 2 {
            return Ok(None);
        }
        let stored = self.objects.find(&keys.results(pointer.target, pointer.batch.number)).await?;
        let results = stored.map(|packed| decode_results(&packed)).transpose()?;
        Ok(results.filter(|results| results.len() == rows))
    }

    async fn push(
        &self,
        pointer: &BatchPointer,
        frame: &Frame,
        attempts: u32,
        context: &CallContext,
    ) -> Result<Pushed, StageError> {
        let stopped =
            self.stopped.lock().unwrap_or_else(PoisonError::into_inner).get(&pointer.run_id).cloned();
        if let Some(failure) = stopped {
            return Ok(deferred(frame, failure));
        }
        let failure = |code: &str, text: String| Failure { stage: Stage::Push, code: code.to_owned(), text };
        if attempts > MAX_ATTEMPTS {
            let text = format!(
                "a batch was tried {MAX_ATTEMPTS} times and its worker died each time; its rows are deferred"
            );
            return Ok(deferred(frame, failure("worker_keeps_dying", text)));
        }
        let sent = match self.connector(&pointer.connection_id).await {
            Ok(connector) => {
                let prepared: C::Target = serde_json::from_value(pointer.prepared.clone())
                    .map_err(|error| StageError::stop("message_malformed", error.to_string()))?;
                connector.push(&prepared, pointer.batch.kind, frame, context).await
            }
            // A connection that was removed, or whose consent was withdrawn, since the run began.
            Err(StageError::Stop { code, text }) => return Ok(deferred(frame, failure(&code, text))),
            Err(error) => return Err(error),
        };
        let error = match sent {
            Ok(results) => return Ok(Pushed::Results(results, None)),
            Err(error) => error,
        };
        let tries_left = attempts < MAX_ATTEMPTS;
        match error.retry {
            Retry::Backoff if tries_left => return Ok(Pushed::Later(wait(attempts))),
            Retry::After(wait) if tries_left => return Ok(Pushed::Later(wait)),
            Retry::Never | Retry::Backoff | Retry::After(_) => {}
        }
        let failure = failure(error.kind.code(), error.to_string());
        if is_about_the_account(&error) {
            let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
            stopped.insert(pointer.run_id, failure.clone());
        }
        Ok(deferred(frame, failure))
    }

    async fn connector(&self, id: &ConnectionId) -> Result<Arc<C>, StageError> {
        let known = {
            let connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
            connectors
                .get(id)
                .filter(|(made, _)| made.elapsed() < CONNECTOR_LIVES)
                .map(|(_, found)| Arc::clone(found))
        };
        if let Some(connector) = known {
            return Ok(connector);
        }
        let connection: Connection = self.catalog.get(id.as_str()).await?;
        let connector = Arc::new((self.connect)(&connection)?);
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        connectors.insert(id.clone(), (Instant::now(), Arc::clone(&connector)));
        Ok(connector)
    }

    async fn wake_finish(&self, pointer: &BatchPointer) -> Result<(), StageError> {
        let message = stage_message(pointer.run_id, pointer.export_id.as_str(), "finish", 0)?;
        Ok(self.finish_queue.send(&[message]).await?)
    }
}

fn tell(destination: Destination, pointer: &BatchPointer, counts: &Counts, calls: u64, took: Duration) {
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        run.id = %pointer.run_id, export.id = %pointer.export_id, batch = pointer.batch.number,
        batch.rows = pointer.batch.rows, calls, duration_ms, aws.calls = crate::aws::aws_calls(),
        "batch is closed"
    );
    let applied = counts.added + counts.changed + counts.removed;
    emit_metrics(
        Timestamp::now(),
        destination.name(),
        &[
            ("rows_applied", Unit::Count, applied),
            ("rows_not_applied", Unit::Count, counts.total() - applied),
            ("calls", Unit::Count, calls),
            ("batch_duration_ms", Unit::Milliseconds, duration_ms),
        ],
    );
}

/// All rows of a batch, left to the next run.
fn deferred(frame: &Frame, failure: Failure) -> Pushed {
    let reason = Reason::made(failure.code.clone(), failure.text.clone());
    let results = vec![RowResult::new(Outcome::Deferred(reason)); frame.rows.len()];
    Pushed::Results(results, Some(failure))
}

/// Whether an error is the same for every batch of the run, so that no other batch has to find it out by a call.
const fn is_about_the_account(error: &PushError) -> bool {
    matches!(error.retry, Retry::Never)
        && matches!(
            error.kind,
            ErrorKind::Authentication | ErrorKind::Permission | ErrorKind::ListMissing | ErrorKind::Settings
        )
}

fn wait(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    Duration::from_secs((FIRST_WAIT_SECONDS << doublings).min(LONGEST_WAIT_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(receive_count: u32, expected_seconds: u64) {
        assert_eq!(wait(receive_count), Duration::from_secs(expected_seconds));
    }

    #[test]
    fn waits_double_up_to_a_bound() {
        check(1, 10);
        check(2, 20);
        check(4, 80);
        check(7, 640);
        check(8, 900);
        check(u32::MAX, 900);
    }
}
