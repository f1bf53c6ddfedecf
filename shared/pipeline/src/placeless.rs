//! Runs without their export's slot: dry runs, and waiting runs that were canceled.

use super::StageError;
use super::runner::stage_message;
use super::tick::{STEP_NEVER_ENDS, STEP_STANDS_STILL, Tick};
use jiff::Timestamp;
use relay_cloud::ledger::RunChange;
use relay_model::ExportId;
use relay_model::run::{Failure, Run, RunMode, RunState, Stage, StopCode};

/// How many of an export's latest runs are checked.
const LATEST: usize = 20;
/// How often the sweep runs, in minutes. Such runs are few and block no other run, so not every tick checks
/// them.
const EVERY_MINUTES: i64 = 20;

impl Tick {
    /// Ends dry runs whose step never ends, and ends canceled runs whose message to the finish step was lost.
    /// Returns how many runs it ended.
    pub(super) async fn sweep_placeless(
        &self,
        export_id: &ExportId,
        now: Timestamp,
    ) -> Result<u64, StageError> {
        if now.as_second().div_euclid(60) % EVERY_MINUTES != 0 {
            return Ok(0);
        }
        let place = self.requests.ledger.place(export_id).await?;
        let (runs, _) = self.requests.ledger.runs(export_id, LATEST, None).await?;
        let has_place = |run: &Run| [place.active, place.waiting].contains(&Some(run.run_id));
        let mut swept = 0;
        for run in runs.iter().filter(|run| !run.state.is_over() && !has_place(run)) {
            swept += u64::from(self.end_placeless(run, now).await?);
        }
        Ok(swept)
    }

    async fn end_placeless(&self, run: &Run, now: Timestamp) -> Result<bool, StageError> {
        let stage = match run.state {
            RunState::Snapshotting => Stage::Snapshot,
            RunState::Chunking => Stage::Chunk,
            RunState::Finishing if now.duration_since(run.updated_at) > STEP_STANDS_STILL => {
                let try_number = u64::try_from(now.as_second()).unwrap_or_default();
                let message = stage_message(run.run_id, run.export_id.as_str(), "finish", try_number)?;
                self.requests.finish_queue.send(&[message]).await?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        if run.mode != RunMode::DryRun || now.duration_since(run.requested_at) <= STEP_NEVER_ENDS {
            return Ok(false);
        }
        let failure = Failure {
            stage,
            code: StopCode::StepNeverEnds,
            text: "the step has not come to its end for hours; its function may need more memory or time"
                .to_owned(),
        };
        let change = RunChange { failure: Some(failure), is_ended: Some(now), ..RunChange::default() };
        Ok(self.requests.ledger.advance(run.run_id, &[run.state], RunState::Failed, now, &change).await?)
    }
}
