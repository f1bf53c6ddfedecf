//! Every minute: due schedules become runs, and runs that stand still are pushed on.

use super::runner::stage_message;
use super::{RunRequests, StageError, StartError};
use crate::aws::{OutgoingMessage, Queue};
use crate::catalog::Export;
use crate::ledger::RunChange;
use crate::model::ExportId;
use crate::run::{Failure, Run, RunState, Stage, Trigger, TriggerKind};
use jiff::{SignedDuration, Timestamp};

/// A step whose message was lost is asked for again after so long without news. Every step tells its news at its
/// beginning and its end, and none may take longer than a function may run.
const STEP_STANDS_STILL: SignedDuration = SignedDuration::from_mins(20);
/// A run whose batches bring no results for so long has lost them to the dead-letter queue.
const PUSH_STANDS_STILL: SignedDuration = SignedDuration::from_hours(6);

/// What a tick did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Due schedules that asked for a run.
    pub due: u64,
    /// Runs that were pushed on.
    pub pushed_on: u64,
    /// Exports that could not be looked after.
    pub failed: u64,
}

/// What a tick needs.
#[derive(Clone, Debug)]
pub struct Tick {
    /// Starts runs.
    pub requests: RunRequests,
    /// Where runs end.
    pub finish_queue: Queue,
}

impl Tick {
    /// Looks after every export once. One export that cannot be read does not keep the others waiting.
    pub async fn run(&self, now: Timestamp) -> Result<Ticked, StageError> {
        let mut ticked = Ticked::default();
        for export in self.requests.catalog.list::<Export>().await? {
            match export {
                Ok(saved) => {
                    let export_id = saved.document.id.clone();
                    let looked_after =
                        self.look_after(&saved.document, saved.saved_at, now, &mut ticked).await;
                    if let Err(error) = looked_after {
                        ticked.failed += 1;
                        tracing::error!(export.id = %export_id, %error, "export could not be looked after");
                    }
                }
                Err(error) => {
                    ticked.failed += 1;
                    tracing::error!(%error, "a definition of the catalog cannot be read");
                }
            }
        }
        Ok(ticked)
    }

    async fn look_after(
        &self,
        export: &Export,
        saved_at: Timestamp,
        now: Timestamp,
        ticked: &mut Ticked,
    ) -> Result<(), StartError> {
        // Saving an export does not run it: only what becomes due afterwards counts.
        let due = export.schedule.last_due(now).filter(|due| *due > saved_at && export.enabled);
        if let Some(due) = due {
            let trigger = Trigger { kind: TriggerKind::Schedule, key: format!("schedule/{due}") };
            self.requests.start(&export.id, trigger, now).await?;
            ticked.due += 1;
        }
        if let Some(run_id) = self.requests.ledger.active_run(&export.id).await.map_err(StageError::from)? {
            let run = self.requests.ledger.run(run_id).await.map_err(StageError::from)?;
            if self.push_on(&run, &export.id, now).await? {
                ticked.pushed_on += 1;
            }
        }
        Ok(())
    }

    async fn push_on(&self, run: &Run, export_id: &ExportId, now: Timestamp) -> Result<bool, StageError> {
        let still_for = now.duration_since(run.updated_at);
        let patience = if run.state == RunState::Pushing { PUSH_STANDS_STILL } else { STEP_STANDS_STILL };
        if still_for < patience || matches!(run.state, RunState::Held | RunState::Waiting) {
            return Ok(false);
        }
        tracing::warn!(run.id = %run.run_id, state = run.state.name(), "run stands still and is pushed on");
        // Asked for again in every window of patience, not in every minute.
        let try_number = u64::try_from(now.as_second() / patience.as_secs().max(1)).unwrap_or_default() + 1;
        let message = |step: &str| -> Result<[OutgoingMessage; 1], StageError> {
            Ok([stage_message(run.run_id, export_id.as_str(), step, try_number)?])
        };
        match run.state {
            RunState::Snapshotting => self.requests.begin(run.run_id, export_id, try_number).await?,
            RunState::Chunking => self.requests.chunk_queue.send(&message("chunk")?).await?,
            RunState::Pushing => {
                let failure = Failure {
                    stage: Stage::Push,
                    code: "batches_lost".to_owned(),
                    text:
                        "some batches brought no results for hours; their rows are deferred, look into the \
                           dead-letter queue"
                            .to_owned(),
                };
                let change = RunChange {
                    failure: Some(failure),
                    started: Some(Stage::Finish),
                    ..RunChange::default()
                };
                let from = [RunState::Pushing];
                self.requests.ledger.advance(run.run_id, &from, RunState::Finishing, now, &change).await?;
                self.finish_queue.send(&message("finish")?).await?;
            }
            // A run that is over but still holds its export's place died between the two writes.
            RunState::Finishing | RunState::Succeeded | RunState::Failed => {
                self.finish_queue.send(&message("finish")?).await?;
            }
            RunState::Held | RunState::Waiting => {}
        }
        Ok(true)
    }
}
