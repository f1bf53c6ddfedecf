//! One attempt at a batch: sends the remaining rows, or polls the job that the destination has accepted.

use super::waits::wait;
use super::{PushWorker, Reach};
use crate::StageError;
use jiff::Timestamp;
use relay_cloud::ledger::{Attempt, Progress, Spent};
use relay_connectors::{CallContext, Connector, ErrorKind, PushError, Pushed, Retry};
use relay_delivery::batch::{Frame, RowResult};
use relay_model::catalog::Connection;
use relay_model::run::{BatchPointer, Failure, Pause, Stage, StopCode};
use relay_model::{Outcome, Reason};
use std::borrow::Cow;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

/// How often a batch is tried before its rows are deferred to the next run.
const MAX_ATTEMPTS: u32 = 8;
/// The shortest wait of a batch in the queue; a batch that is due sooner is retried within the process.
const LEAST_WAIT: Duration = Duration::from_secs(1);

/// One attempt and its results.
pub(super) struct AttemptAt<'a> {
    pub(super) pointer: &'a BatchPointer,
    pub(super) frame: &'a Frame,
    pub(super) attempts: u32,
    pub(super) progress: Progress,
    /// Results of the first rows; of all rows if the attempt settles the batch.
    pub(super) results: Vec<RowResult>,
    pub(super) spent: Spent,
}

/// How an attempt ends.
pub(super) enum Ended {
    /// Every row has its result. A failure says why the run as a whole cannot succeed.
    Settled(Option<Failure>),
    /// The batch is retried later.
    Later { wait: Duration, attempt: Attempt },
}

impl<C, F> PushWorker<C, F>
where
    C: Connector,
    F: Fn(&Connection) -> Result<C, StageError>,
{
    pub(super) async fn attempt(&self, at: &mut AttemptAt<'_>, until: Instant) -> Result<Ended, StageError> {
        let pointer = at.pointer;
        if at.results.len() == at.frame.rows.len() {
            return Ok(Ended::Settled(None));
        }
        if let Some(failure) = self.stop_of(pointer) {
            return Ok(at.defer_rest(failure));
        }
        if at.attempts > MAX_ATTEMPTS {
            let text = format!(
                "a batch was tried {MAX_ATTEMPTS} times and its worker died each time; its rows are deferred"
            );
            return Ok(at.defer_rest(failure(StopCode::WorkerKeepsDying, text)));
        }
        let known = match self.connector(&pointer.connection_id).await {
            Ok(known) => known,
            // The connection was removed, or its consent was withdrawn, since the run began.
            Err(StageError::Stop { code, text }) => return Ok(at.defer_rest(failure(code, text))),
            Err(error) => return Err(error),
        };
        let context = CallContext::paced(until, known.pacer.clone());
        let sent = at.send(known.connector.as_ref(), &context).await?;
        at.spent = Spent { calls: context.calls(), throttled: context.throttles() };
        let done_before = at.results.len();
        let error = match sent {
            Ok(Pushed::Done(results)) => {
                at.results.extend(results);
                return Ok(Ended::Settled(None));
            }
            Ok(Pushed::Accepted { job, look_after }) => {
                let job = serde_json::to_value(job)
                    .map_err(|error| StageError::stop(StopCode::JobUnwritable, error.to_string()))?;
                at.progress.job = Some(job);
                return Ok(Ended::Later { wait: look_after.max(LEAST_WAIT), attempt: Attempt::BeginsAnew });
            }
            Ok(Pushed::Partly(results, error)) => {
                at.results.extend(results);
                at.progress.job = None;
                error
            }
            Err(error) => error,
        };
        at.progress.rows_done = u32::try_from(at.results.len()).unwrap_or(u32::MAX);
        let got_further = at.results.len() > done_before;
        self.after(at, error, got_further).await
    }

    async fn after(
        &self,
        at: &mut AttemptAt<'_>,
        error: PushError,
        got_further: bool,
    ) -> Result<Ended, StageError> {
        let attempt = if got_further { Attempt::BeginsAnew } else { Attempt::Counts };
        let uncounted = if got_further { Attempt::BeginsAnew } else { Attempt::CountsNot };
        let are_tries_left = got_further || at.attempts < MAX_ATTEMPTS;
        match error.retry {
            Retry::Wait(wait) => return Ok(Ended::Later { wait: wait.max(LEAST_WAIT), attempt: uncounted }),
            Retry::Pause(until) => {
                let pause = Pause { until, text: error.to_string() };
                let now = Timestamp::now();
                self.ledger.note_pause(at.pointer.run_id, &pause, now).await?;
                let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                return Ok(Ended::Later { wait: left + LEAST_WAIT, attempt: uncounted });
            }
            Retry::Backoff if are_tries_left => {
                let attempts = if got_further { 1 } else { at.attempts };
                return Ok(Ended::Later { wait: wait(attempts), attempt });
            }
            Retry::After(wait) if are_tries_left => return Ok(Ended::Later { wait, attempt }),
            Retry::Never | Retry::Backoff | Retry::After(_) => {}
        }
        let failure = failure(error.kind.stop_code(), error.to_string());
        if let Some(reach) = reach(&error, at.pointer.target) {
            let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
            stopped.insert((at.pointer.run_id, reach), failure.clone());
        }
        Ok(at.defer_rest(failure))
    }

    /// Returns why the batch need not be sent, if another batch has found that out.
    fn stop_of(&self, pointer: &BatchPointer) -> Option<Failure> {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let reaches = [Reach::Run, Reach::Target(pointer.target)];
        reaches.into_iter().find_map(|reach| stopped.get(&(pointer.run_id, reach)).cloned())
    }
}

impl AttemptAt<'_> {
    async fn send<C: Connector>(
        &self,
        connector: &C,
        context: &CallContext,
    ) -> Result<Result<Pushed<C::Job>, PushError>, StageError> {
        let malformed = |what: &str, error: &serde_json::Error| {
            StageError::stop(
                StopCode::MessageMalformed,
                format!("{what} cannot be read ({:?})", error.classify()),
            )
        };
        let target: C::Target = serde_json::from_value(self.pointer.prepared.clone())
            .map_err(|error| malformed("the prepared target", &error))?;
        let rest = self.rest();
        let job = self.progress.job.clone().map(serde_json::from_value).transpose();
        Ok(match job.map_err(|error| malformed("the job", &error))? {
            Some(job) => connector.poll(&target, job, &rest, context).await,
            None => connector.push(&target, self.pointer.batch.kind, &rest, context).await,
        })
    }

    /// Returns the rows that have no result yet.
    fn rest(&self) -> Cow<'_, Frame> {
        if self.results.is_empty() {
            return Cow::Borrowed(self.frame);
        }
        let rows = self.frame.rows.get(self.results.len()..).unwrap_or_default().to_vec();
        Cow::Owned(Frame { field_keys: self.frame.field_keys.clone(), rows })
    }

    /// Defers the rows without a result to the next run.
    fn defer_rest(&mut self, failure: Failure) -> Ended {
        let reason = Reason::made(failure.code.as_str(), failure.text.clone());
        self.results.resize(self.frame.rows.len(), RowResult::new(Outcome::Deferred(reason)));
        Ended::Settled(Some(failure))
    }
}

fn failure(code: StopCode, text: String) -> Failure {
    Failure { stage: Stage::Push, code, text }
}

/// Returns which other batches an error also applies to, so that they fail without a call. A missing list
/// says nothing about the other lists.
const fn reach(error: &PushError, target: usize) -> Option<Reach> {
    match (error.retry, error.kind) {
        (Retry::Never, ErrorKind::Authentication | ErrorKind::Permission | ErrorKind::Settings) => {
            Some(Reach::Run)
        }
        (Retry::Never, ErrorKind::ListMissing) => Some(Reach::Target(target)),
        _ => None,
    }
}
