//! Merges outcomes into the next delivered state, writes the report, ends the run, and lets the next one
//! begin.

pub(super) mod events;
mod rejects;
mod settle;
mod stop;
mod totals;

use super::StageError;
use super::exclusions;
use super::runner::snapshot_message;
use events::{Events, NOT_SENT};
use jiff::Timestamp;
use rejects::Rejects;
use relay_cloud::ledger::{DeliveredPointer, Ledger, RunChange};
use relay_cloud::{EventBus, Objects};
use relay_delivery::delta::DeliveredReader;
use relay_model::privacy::Exclusions;
use relay_model::run::{
    Cancellation, Delta, Failure, Keys, Plan, Report, ReportTarget, Run, RunMode, RunState, Stage, StopCode,
};
use relay_model::{Counts, RunId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use totals::{durations, event_detail, report};

/// The clients that the finish step needs.
#[derive(Clone)]
pub struct Finish {
    /// The ledger.
    pub ledger: Ledger,
    /// Deltas, results, delivered states and reports.
    pub objects: Objects,
    /// The bus for events about finished runs.
    pub events: EventBus,
    /// The queue that starts the next run.
    pub snapshot_queue: relay_cloud::Queue,
}

impl Finish {
    /// Finishes a run. A repeated call writes the same objects again.
    pub async fn run(&self, run_id: RunId) -> Result<(), StageError> {
        let mut run = self.ledger.run(run_id).await?;
        if run.state == RunState::Pushing && run.batches_open == 0 {
            let change = RunChange { started: Some(Stage::Finish), ..RunChange::default() };
            let from = [RunState::Pushing];
            self.ledger.advance(run_id, &from, RunState::Finishing, Timestamp::now(), &change).await?;
            run = self.ledger.run(run_id).await?;
        } else if run.state == RunState::Pushing && run.canceled.is_some() && self.stop(&run).await? {
            run = self.ledger.run(run_id).await?;
        }
        if run.state == RunState::Finishing
            && let Err(error) = self.account(&mut run).await
        {
            let StageError::Stop { code, text } = error else { return Err(error) };
            self.give_up(&mut run, code, text).await?;
        }
        if !run.state.is_over() {
            return Ok(());
        }
        self.make_place(&run).await?;
        if let Err(error) = self.clear(&run).await {
            // The run is over and its export is free, so a leftover object is only logged.
            tracing::warn!(run.id = %run.run_id, %error, "superseded delivered state could not be deleted");
        }
        Ok(())
    }

    /// Deletes the delivered states that the run has replaced.
    ///
    /// Called only after the run has ended, because a retried finish step reads them again. A state is
    /// deleted only if the pointer has moved on, which is final.
    async fn clear(&self, run: &Run) -> Result<(), StageError> {
        let keys = Keys::new(run.run_id, run.export_id.clone());
        let Some(plan) = self.plan(&keys).await? else { return Ok(()) };
        for delta in &plan.deltas {
            let Some(before) = &delta.delivered_before else { continue };
            let pointer = self.ledger.delivered(&run.export_id, &delta.target_list).await?;
            if pointer.is_some_and(|pointer| pointer.object_key != *before) {
                self.objects.delete(before).await?;
            }
        }
        Ok(())
    }

    async fn plan(&self, keys: &Keys) -> Result<Option<Plan>, StageError> {
        let Some(bytes) = self.objects.find(&keys.plan()).await? else { return Ok(None) };
        let plan = serde_json::from_slice(&bytes);
        plan.map(Some).map_err(|error| StageError::stop(StopCode::PlanDamaged, error.to_string()))
    }

    async fn account(&self, run: &mut Run) -> Result<(), StageError> {
        let keys = Keys::new(run.run_id, run.export_id.clone());
        let plan = self.plan(&keys).await?;
        let mut targets = Vec::new();
        let mut counts = Counts::default();
        let mut pointers = Vec::new();
        // A run that stopped before its batches were sent has delivered nothing, whatever its plan says.
        let is_stopped = run.failure.is_some() || run.canceled.is_some();
        let plan = plan.filter(|_| run.push_started_at.is_some() || !is_stopped);
        // People who were erased since the run began are excluded already. A run without rows concerns no
        // person.
        let excluded = match &plan {
            Some(_) => exclusions(&self.ledger, &self.objects).await?,
            None => Exclusions::default(),
        };
        let mut rejects = Rejects::new(excluded)?;
        if let Some(plan) = &plan {
            rejects.query_rows(plan);
            counts += plan.query_counts();
            for (number, delta) in plan.deltas.iter().enumerate() {
                let (target, pointer, used) = self.target(run, &keys, number, delta, rejects).await?;
                rejects = used;
                counts += target.counts;
                targets.push(target);
                pointers.push((delta, pointer));
            }
        }
        let rows_in = plan.as_ref().map_or(0, Plan::rows_in);
        let mut failure = run.failure.clone();
        if counts.total() != rows_in {
            let text = format!("{} rows have outcomes, but {rows_in} came in", counts.total());
            failure = Some(Failure { stage: Stage::Finish, code: StopCode::AccountsDoNotAddUp, text });
        }
        let now = Timestamp::now();
        // The delivered state advances only if the counts add up: rows that were not counted cannot be
        // vouched for.
        for (delta, pointer) in pointers.iter().filter(|_| counts.total() == rows_in) {
            let (list, before) = (&delta.target_list, delta.delivered_before.as_deref());
            if !self.ledger.set_delivered(&run.export_id, list, before, pointer, now).await? {
                let text = format!(
                    "the delivered state of target list {list} is no longer the one that this run found"
                );
                return Err(StageError::stop(StopCode::DeliveredStateMoved, text));
            }
        }
        let (rejected_key, reasons) = rejects.finish(&self.objects, &keys).await?;
        let state = match (&failure, &run.canceled) {
            _ if counts.total() != rows_in => RunState::Failed,
            (_, Some(_)) => RunState::Canceled,
            (Some(_), None) => RunState::Failed,
            (None, None) => RunState::Succeeded,
        };
        let report =
            report(run, plan.as_ref(), state, now, rows_in, counts, targets, reasons, failure, rejected_key);
        self.store(&keys, &report).await?;
        self.tell(run, &event_detail(&report, &keys)).await;
        let change = RunChange {
            is_ended: Some(now),
            counts: Some(counts),
            failure: report.failure.clone(),
            report_key: Some(keys.report()),
            ..RunChange::default()
        };
        self.ledger.advance(run.run_id, &[RunState::Finishing], state, now, &change).await?;
        (run.state, run.ended_at) = (state, Some(now));
        let durations = durations(run, now);
        tracing::info!(run.id = %run.run_id, export.id = %run.export_id, state = state.name(), rows_in,
            rows_applied = counts.added + counts.changed + counts.removed, snapshot_ms = durations.snapshot_ms,
            chunk_ms = durations.chunk_ms, push_ms = durations.push_ms, calls = run.calls, "run is finished");
        Ok(())
    }

    /// Ends a run whose outcomes cannot be settled. Its delivered states stay as they were, so the next run
    /// sends all rows again.
    async fn give_up(&self, run: &mut Run, code: StopCode, text: String) -> Result<(), StageError> {
        tracing::error!(run.id = %run.run_id, error.code = code.as_str(), error = text, "run cannot be accounted for");
        let now = Timestamp::now();
        let failure = Failure { stage: Stage::Finish, code, text };
        let detail = json!({
            "run_id": run.run_id, "export_id": run.export_id, "state": RunState::Failed, "failure": failure,
        });
        self.tell(run, &detail).await;
        let change = RunChange { failure: Some(failure), is_ended: Some(now), ..RunChange::default() };
        self.ledger.advance(run.run_id, &[RunState::Finishing], RunState::Failed, now, &change).await?;
        (run.state, run.ended_at) = (RunState::Failed, Some(now));
        Ok(())
    }

    /// Sends the event of a finished run. The run ends even if the event cannot be sent.
    async fn tell(&self, run: &Run, detail: &Value) {
        if let Err(error) = self.events.put("Run Finished", detail).await {
            tracing::error!(run.id = %run.run_id, %error, "event could not be put");
        }
    }

    /// Merges one target list's outcomes into its next delivered state.
    async fn target(
        &self,
        run: &Run,
        keys: &Keys,
        number: usize,
        delta: &Delta,
        rejects: Rejects,
    ) -> Result<(ReportTarget, DeliveredPointer, Rejects), StageError> {
        let before = match &delta.delivered_before {
            Some(key) => Some(self.objects.download(key).await?),
            None => None,
        };
        let not_sent = if run.canceled.is_some() { Cancellation::not_sent() } else { NOT_SENT };
        let events = Events::fetch(&self.objects, keys, number, delta, not_sent).await?;
        let (list, field_keys) = (delta.target_list.clone(), delta.field_keys.clone());
        let terms = delta.terms.clone();
        // Merging takes as long as there are rows, so it runs on a blocking thread.
        let merged = tokio::task::spawn_blocking(move || {
            let before = match before {
                Some(file) => DeliveredReader::open(file)?,
                None => DeliveredReader::empty(),
            };
            settle::settle(before, events, &list, (&terms, &field_keys), rejects)
        });
        let settled =
            merged.await.map_err(|error| StageError::stop(StopCode::MergePanicked, error.to_string()))??;
        let object_key = keys.delivered(&delta.target_list);
        self.objects.upload(&object_key, settled.file.path()).await?;
        let mut counts = settled.counts;
        counts.unchanged += delta.counts.unchanged;
        let target = ReportTarget {
            target_list: delta.target_list.clone(),
            rows_in: delta.rows_in,
            counts,
            delivered: settled.delivered,
            members_counted: run.members.get(&number).copied(),
            warnings: delta.warnings.clone(),
        };
        // A retry only covers some members of the upload, so it cannot tell whether others are still on the
        // list.
        let has_ended = counts.deferred == 0 && !matches!(run.mode, RunMode::Retry { .. });
        let pointer = DeliveredPointer {
            object_key,
            delivered: settled.delivered,
            run_id: run.run_id,
            uploads: delta.uploads.after(has_ended),
        };
        Ok((target, pointer, settled.rejects))
    }

    async fn store(&self, keys: &Keys, report: &Report) -> Result<(), StageError> {
        let bytes = serde_json::to_vec_pretty(report)
            .map_err(|error| StageError::stop(StopCode::ReportUnwritable, error.to_string()))?;
        Ok(self.objects.put(&keys.report(), bytes).await?)
    }

    async fn make_place(&self, run: &Run) -> Result<(), StageError> {
        let Some(next) = self.ledger.release(&run.export_id, run.run_id, run.delivered_at()).await? else {
            return Ok(());
        };
        let change = RunChange::default();
        let now = Timestamp::now();
        self.ledger.advance(next, &[RunState::Waiting], RunState::Snapshotting, now, &change).await?;
        let message = snapshot_message(next, run.export_id.as_str(), 0)?;
        Ok(self.snapshot_queue.send(&[message]).await?)
    }
}

/// How often each reason occurs, by kind and code, with its text.
type Reasons = BTreeMap<(relay_model::OutcomeKind, String), (String, u64)>;
