//! Canceling runs: by request, or because their connection or export is removed.

use super::runner::stage_message;
use super::{RunRequests, StageError, StartError};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use relay_cloud::ledger::{LedgerError, RunChange};
use relay_model::run::{CancelReason, Cancellation, Run, RunMode, RunState, StopCode};
use relay_model::{ConnectionId, ExportId, RunId};

/// How often a cancellation is retried because the run has changed state meanwhile. A run has fewer steps
/// than this.
const TRIES: usize = 8;
/// How many exports are processed at a time.
const EXPORTS_AT_A_TIME: usize = 16;

impl RunRequests {
    /// Cancels a run. A repeated call changes nothing and returns the same run.
    ///
    /// Batches in flight finish, and rows that the destination acknowledged count as delivered. All other
    /// rows are deferred (`run_canceled`), so the next run sends them. A run in its finish step can no longer
    /// be canceled.
    pub async fn cancel(&self, run_id: RunId, by: &str, now: Timestamp) -> Result<Run, StartError> {
        let cancellation = Cancellation { by: by.to_owned(), at: now, reason: CancelReason::Asked };
        self.cancel_as(run_id, &cancellation).await
    }

    /// Cancels every active or waiting run that uses a connection, and returns the canceled runs. Dry runs
    /// write nothing, so they are left to fail on the missing connection.
    ///
    /// The caller removes the connection afterwards, and then detaches or removes its exports.
    pub async fn stop_connection(
        &self,
        connection_id: &ConnectionId,
        by: &str,
        now: Timestamp,
    ) -> Result<Vec<Run>, StartError> {
        let reason = CancelReason::ConnectionRemoved(connection_id.clone());
        let cancellation = &Cancellation { by: by.to_owned(), at: now, reason };
        let exports = self.readable_exports().await?.into_iter();
        let stops = exports.map(|export| async move {
            // An export may have been moved to another connection since its run began.
            let is_on_it = |run: &Run| run.connection_id == *connection_id;
            self.stop_runs(&export.id, is_on_it, cancellation).await
        });
        let stopped: Vec<Vec<Run>> =
            stream::iter(stops).buffer_unordered(EXPORTS_AT_A_TIME).try_collect().await?;
        Ok(stopped.into_iter().flatten().collect())
    }

    /// Cancels the active and the waiting run of an export, and returns the canceled runs.
    ///
    /// The caller removes the export afterwards.
    pub async fn stop_export(
        &self,
        export_id: &ExportId,
        by: &str,
        now: Timestamp,
    ) -> Result<Vec<Run>, StartError> {
        let cancellation = Cancellation { by: by.to_owned(), at: now, reason: CancelReason::Asked };
        self.stop_runs(export_id, |_| true, &cancellation).await
    }

    async fn stop_runs(
        &self,
        export_id: &ExportId,
        is_meant: impl Fn(&Run) -> bool,
        cancellation: &Cancellation,
    ) -> Result<Vec<Run>, StartError> {
        let place = self.ledger.place(export_id).await?;
        let mut stopped = Vec::new();
        // The waiting run is canceled first: otherwise it would begin as soon as the active run ends.
        for run_id in [place.waiting, place.active].into_iter().flatten() {
            let run = match self.ledger.run(run_id).await {
                Ok(run) => run,
                Err(LedgerError::RunMissing(_)) => continue,
                Err(error) => return Err(error.into()),
            };
            if is_meant(&run) {
                match self.cancel_as(run_id, cancellation).await {
                    Ok(run) => stopped.push(run),
                    Err(StartError::NothingToCancel { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(stopped)
    }

    async fn cancel_as(&self, run_id: RunId, cancellation: &Cancellation) -> Result<Run, StartError> {
        let now = cancellation.at;
        for _ in 0..TRIES {
            let run = self.ledger.run(run_id).await?;
            let state = run.state;
            if run.canceled.is_some() {
                if !state.is_over() {
                    // An earlier call may have stored the cancellation without sending its message, so a
                    // repeated call sends it.
                    self.wake_finish(&run).await?;
                }
                return Ok(run);
            }
            if run.mode == RunMode::DryRun && !state.is_over() {
                // The run has no rows to settle, so it ends at once.
                let from = [RunState::Snapshotting, RunState::Chunking];
                let canceled = Some(cancellation.clone());
                let change = RunChange { is_ended: Some(now), canceled, ..RunChange::default() };
                if self.ledger.advance(run_id, &from, RunState::Canceled, now, &change).await? {
                    return Ok(self.ledger.run(run_id).await?);
                }
                continue;
            }
            let is_canceled = match state {
                RunState::Waiting => {
                    self.ledger.cancel_waiting(&run.export_id, run_id, cancellation, now).await?
                        // The run has its export's slot already, but the process that assigned it has not yet
                        // updated the run.
                        || (self.ledger.place(&run.export_id).await?.waiting != Some(run_id)
                            && self.ledger.cancel_before_push(run_id, state, cancellation, now).await?)
                }
                RunState::Snapshotting | RunState::Chunking | RunState::Held => {
                    self.ledger.cancel_before_push(run_id, state, cancellation, now).await?
                }
                RunState::Pushing => self.ledger.cancel_pushing(run_id, cancellation, now).await?,
                RunState::Finishing | RunState::Succeeded | RunState::Failed | RunState::Canceled => {
                    return Err(StartError::NothingToCancel { run_id, state });
                }
            };
            if is_canceled {
                tracing::info!(run.id = %run_id, export.id = %run.export_id, state = state.name(), "run is canceled");
                self.wake_finish(&run).await?;
                return Ok(self.ledger.run(run_id).await?);
            }
        }
        let text = format!("run {run_id} kept moving on while it was canceled");
        Err(StageError::again(StopCode::RunMoves, text).into())
    }

    async fn wake_finish(&self, run: &Run) -> Result<(), StageError> {
        let message = stage_message(run.run_id, run.export_id.as_str(), "canceled", 0)?;
        Ok(self.finish_queue.send(&[message]).await?)
    }
}
