//! Runs every minute: starts runs for due schedules and expired uploads, and requeues stalled runs.

use super::runner::stage_message;
use super::{RunRequests, StageError, StartError};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use relay_cloud::ledger::{LedgerError, Requested, RunChange};
use relay_cloud::{OutgoingMessage, Saved};
use relay_model::catalog::{CatalogError, Export, Schedule};
use relay_model::run::{Failure, Run, RunState, Stage, StopCode, Trigger, TriggerKind};
use relay_model::{ExportId, RunId};
use std::ops::Add;

/// How long a step may be silent before its message is taken to be lost and is sent again. Every step updates
/// its run at its beginning and its end, and no step takes longer than a function may run.
pub(super) const STEP_STANDS_STILL: SignedDuration = SignedDuration::from_mins(20);
/// How long a run's batches may bring no results before they are taken to be lost. The time is long because
/// they may wait behind the batches of another export of the connection.
const PUSH_STANDS_STILL: SignedDuration = SignedDuration::from_hours(24);
/// How long a canceled run may be silent before it is checked again: its last worker may have died.
const STOP_STANDS_STILL: SignedDuration = SignedDuration::from_mins(2);
/// How long a step may take before it is taken never to end, because its function is killed each time.
pub(super) const STEP_NEVER_ENDS: SignedDuration = SignedDuration::from_hours(6);

/// For how long the start or end of a segment triggers a run. The ledger remembers for longer that the run
/// was requested.
const TURN_IS_NEWS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How many exports are processed at a time. Each takes a few small calls, so a thousand exports take some
/// seconds of the minute, and one that hangs does not block the others.
pub(super) const AT_ONCE: usize = 16;

/// The counts of one tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Runs that due schedules requested.
    pub due: u64,
    /// Stalled runs that were requeued.
    pub pushed_on: u64,
    /// Runs that expired uploads requested.
    pub expired: u64,
    /// Exports that could not be processed.
    pub failed: u64,
}

impl Add for Ticked {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            due: self.due + other.due,
            pushed_on: self.pushed_on + other.pushed_on,
            expired: self.expired + other.expired,
            failed: self.failed + other.failed,
        }
    }
}

/// The clients that a tick needs.
#[derive(Clone, Debug)]
pub struct Tick {
    /// Starts runs.
    pub requests: RunRequests,
}

impl Tick {
    /// Processes every export once. An export that is unreadable or slow does not block the others.
    pub async fn run(&self, now: Timestamp) -> Result<Ticked, StageError> {
        let exports = self.requests.catalog.list::<Export>().await?;
        let readable: Vec<Export> = exports.iter().flatten().map(|saved| saved.document.clone()).collect();
        let visits = exports.into_iter().map(|export| self.visit(export, now));
        let visits = stream::iter(visits).buffer_unordered(AT_ONCE);
        let visits = visits.fold(Ticked::default(), async |total, visited| total + visited);
        let mut ticked = self.look_after_uploads(&readable, now).await;
        match self.refresh_if_due(now).await {
            Ok(started) => ticked.due += started,
            Err(error) => {
                ticked.failed += 1;
                tracing::error!(%error, "the profiles' refresh could not be followed");
            }
        }
        Ok(ticked + visits.await)
    }

    async fn visit(&self, export: Result<Saved<Export>, CatalogError>, now: Timestamp) -> Ticked {
        let mut ticked = Ticked::default();
        match export {
            Ok(Saved { document, saved_at, .. }) => {
                if let Err(error) = self.look_after(&document, saved_at, now, &mut ticked).await {
                    ticked.failed += 1;
                    tracing::error!(export.id = %document.id, %error, "export could not be looked after");
                }
            }
            Err(error) => {
                ticked.failed += 1;
                tracing::error!(%error, "a definition of the catalog cannot be read");
            }
        }
        ticked
    }

    async fn look_after(
        &self,
        export: &Export,
        saved_at: Timestamp,
        now: Timestamp,
        ticked: &mut Ticked,
    ) -> Result<(), StartError> {
        // The active run is checked first: an export that may not start another run still has to end its
        // current one.
        if self.sweep(&export.id, now).await? {
            ticked.pushed_on += 1;
        }
        ticked.pushed_on += self.sweep_placeless(&export.id, now).await?;
        // Saving an export does not start a run: only schedules that become due afterwards count.
        let due = export.schedule.last_due(now).filter(|due| *due > saved_at && export.enabled);
        if let Some(due) = due {
            let trigger = Trigger::new(TriggerKind::Schedule, format!("schedule/{due}"));
            let requested = self.requests.start(&export.id, trigger, now).await?;
            ticked.due += u64::from(!matches!(requested, Requested::Repeated(_)));
        }
        // A segment with a start or end time causes a run at that time, without waiting for the schedule.
        // Exports that run on demand only are left alone.
        let is_news = |turn: &Timestamp| *turn > saved_at && now.duration_since(*turn) < TURN_IS_NEWS;
        let turn = export.last_turn(now).filter(is_news).filter(|_| export.enabled);
        if let Some(turn) = turn.filter(|_| export.schedule != Schedule::Off) {
            let trigger = Trigger::new(TriggerKind::Schedule, format!("turn/{turn}"));
            if self
                .requests
                .ledger
                .asked_run(&export.id, &trigger.key)
                .await
                .map_err(StageError::from)?
                .is_some()
            {
                return Ok(());
            }
            let requested = self.requests.start(&export.id, trigger, now).await?;
            ticked.due += u64::from(!matches!(requested, Requested::Repeated(_)));
        }
        Ok(())
    }

    async fn sweep(&self, export_id: &ExportId, now: Timestamp) -> Result<bool, StageError> {
        let ledger = &self.requests.ledger;
        let Some(run_id) = ledger.active_run(export_id).await? else { return Ok(false) };
        match ledger.run(run_id).await {
            Ok(run) => self.push_on(&run, export_id, now).await,
            Err(LedgerError::RunMissing(_)) => {
                // The ledger forgets runs after months; a run that was held for so long must not block its
                // export too.
                tracing::warn!(run.id = %run_id, export.id = %export_id, "export is held by a forgotten run");
                let next = ledger.release(export_id, run_id, None).await?;
                if let Some(next) = next {
                    self.let_begin(next, export_id, 1, now).await?;
                }
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn push_on(&self, run: &Run, export_id: &ExportId, now: Timestamp) -> Result<bool, StageError> {
        let still_for = now.duration_since(run.updated_at);
        let patience = match run.state {
            RunState::Held => return Ok(false),
            RunState::Pushing if run.canceled.is_some() => STOP_STANDS_STILL,
            _ if run.is_paused(now) => return Ok(false),
            RunState::Pushing if run.batches_open > 0 => PUSH_STANDS_STILL,
            _ => STEP_STANDS_STILL,
        };
        if still_for < patience {
            return Ok(false);
        }
        tracing::warn!(run.id = %run.run_id, state = run.state.name(), "run stands still and is pushed on");
        // The message is repeated once per timeout window, not every minute.
        let try_number = u64::try_from(now.as_second() / patience.as_secs().max(1)).unwrap_or_default() + 1;
        let message = |step: &str| -> Result<[OutgoingMessage; 1], StageError> {
            Ok([stage_message(run.run_id, export_id.as_str(), step, try_number)?])
        };
        if now.duration_since(run.requested_at.max(run.step_started_at())) > STEP_NEVER_ENDS
            && matches!(run.state, RunState::Snapshotting | RunState::Chunking)
        {
            let text = "the step was tried again and again for hours and never came to its end; its function may need \
                        more memory or time";
            self.give_up(run, StopCode::StepNeverEnds, text, now).await?;
            self.requests.finish_queue.send(&message("finish")?).await?;
            return Ok(true);
        }
        match run.state {
            // The run before it ended, but its worker died before it could start this one.
            RunState::Waiting => self.let_begin(run.run_id, export_id, try_number, now).await?,
            RunState::Snapshotting => self.requests.begin(run.run_id, export_id, try_number).await?,
            RunState::Chunking => self.requests.chunk_queue.send(&message("chunk")?).await?,
            RunState::Pushing => {
                if run.batches_open > 0 && run.canceled.is_none() {
                    let text = "some batches brought no results for a day; their rows are deferred, look into the \
                                dead-letter queue";
                    self.give_up(run, StopCode::BatchesLost, text, now).await?;
                }
                self.requests.finish_queue.send(&message("finish")?).await?;
            }
            // A run that is over but still holds its export's slot was interrupted between the two writes.
            RunState::Finishing | RunState::Succeeded | RunState::Failed | RunState::Canceled => {
                self.requests.finish_queue.send(&message("finish")?).await?;
            }
            RunState::Held => {}
        }
        Ok(true)
    }

    /// Starts a waiting run. The state changes first, because the first step ignores waiting runs.
    async fn let_begin(
        &self,
        run_id: RunId,
        export_id: &ExportId,
        try_number: u64,
        now: Timestamp,
    ) -> Result<(), StageError> {
        let (from, change) = ([RunState::Waiting], RunChange::default());
        self.requests.ledger.advance(run_id, &from, RunState::Snapshotting, now, &change).await?;
        self.requests.begin(run_id, export_id, try_number).await
    }

    async fn give_up(&self, run: &Run, code: StopCode, text: &str, now: Timestamp) -> Result<(), StageError> {
        let stage = match run.state {
            RunState::Pushing => Stage::Push,
            RunState::Chunking => Stage::Chunk,
            _ => Stage::Snapshot,
        };
        let failure = Failure { stage, code, text: text.to_owned() };
        let change =
            RunChange { failure: Some(failure), started: Some(Stage::Finish), ..RunChange::default() };
        self.requests.ledger.advance(run.run_id, &[run.state], RunState::Finishing, now, &change).await?;
        Ok(())
    }
}

#[cfg(test)]
#[path = "tick_tests.rs"]
mod tests;
