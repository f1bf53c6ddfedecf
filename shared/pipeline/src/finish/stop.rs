//! Stops the batches of a canceled run: batches that no worker holds are stopped, and those in flight are
//! waited for.

use super::Finish;
use crate::StageError;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use relay_cloud::ledger::{BatchId, RunChange, Stopped};
use relay_model::run::{Keys, Run, RunState, Stage, accepted_notice};

/// How many batches are stopped at a time.
const BATCHES_AT_A_TIME: usize = 16;

/// The totals of a canceled run's batches.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    in_flight: u64,
    /// Jobs that the destination had accepted and not finished.
    jobs: u64,
    /// Rows of these jobs.
    rows_of_jobs: u64,
}

impl Finish {
    /// Stops every batch that no worker holds. Returns whether the run can be settled: it cannot while a
    /// batch is in flight. The worker of that batch wakes this step when it has the response.
    ///
    /// A stopped batch is never begun afterwards, so the acknowledged rows are final.
    pub(super) async fn stop(&self, run: &Run) -> Result<bool, StageError> {
        let keys = Keys::new(run.run_id, run.export_id.clone());
        let deltas = self.plan(&keys).await?.map(|plan| plan.deltas).unwrap_or_default();
        let now = Timestamp::now();
        let batches = deltas.iter().enumerate().flat_map(|(target, delta)| {
            delta.batches.iter().map(move |batch| {
                (BatchId { run_id: run.run_id, target, number: batch.number }, u64::from(batch.rows))
            })
        });
        let stops = stream::iter(batches).map(|(batch, rows)| async move {
            Ok::<_, StageError>((self.ledger.stop_batch(batch, now).await?, rows))
        });
        let tally = stops
            .buffer_unordered(BATCHES_AT_A_TIME)
            .try_fold(Tally::default(), async |mut tally, (stopped, rows)| {
                match stopped {
                    Stopped::InFlight => tally.in_flight += 1,
                    Stopped::Idle { progress } if progress.job.is_some() => {
                        tally.jobs += 1;
                        tally.rows_of_jobs += rows.saturating_sub(u64::from(progress.rows_done));
                    }
                    Stopped::Idle { .. } | Stopped::Closed => {}
                }
                Ok(tally)
            })
            .await?;
        if tally.in_flight > 0 {
            tracing::info!(run.id = %run.run_id, batches = tally.in_flight, "canceled run waits for batches in flight");
            return Ok(false);
        }
        let mut notices = run.notices.clone();
        notices.extend(accepted_notice(tally.jobs, tally.rows_of_jobs));
        let change =
            RunChange { started: Some(Stage::Finish), notices: Some(notices), ..RunChange::default() };
        self.ledger.advance(run.run_id, &[RunState::Pushing], RunState::Finishing, now, &change).await?;
        Ok(true)
    }
}
