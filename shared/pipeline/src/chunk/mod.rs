//! Snapshot against delivered state: the delta of each target list, cut into batches, and one message a batch.

pub(super) mod accounts;
mod cap;
mod limits;
pub(super) mod lists;
mod look;
mod look_sink;
mod retire;
mod sink;
mod waiting;

use super::pacing::pacer;
use super::retrying::Retried;
use super::runner::stage_message;
use super::{Connections, RunDefinitions, StageError, frozen_definitions};
use accounts::{Accounts, TargetWork};
use jiff::Timestamp;
use lists::PreparedList;
use relay_cloud::ledger::{Ledger, RunChange};
use relay_cloud::{CatalogStore, EventBus, Objects, OutgoingMessage, Queue};
use relay_connectors::{CallContext, Connector};
use relay_model::catalog::Connection;
use relay_model::run::{BatchPointer, Keys, Plan, Run, RunMode, RunState, Stage, StopCode, deduplication_id};
use relay_model::{Destination, RunId};
use retire::Deletion;
use serde_json::json;
use tokio::time::Instant;

/// What chunking needs.
#[derive(Clone)]
pub struct Chunk {
    /// The definitions.
    pub catalog: CatalogStore,
    /// The ledger.
    pub ledger: Ledger,
    /// Snapshots, deltas and delivered states.
    pub objects: Objects,
    /// Connectors.
    pub connections: Connections,
    /// Where batches go.
    pub push_queues: PushQueues,
    /// Where runs without batches, and runs that have to stop, go.
    pub finish_queue: Queue,
    /// Who hears of runs that wait for somebody's approval.
    pub events: EventBus,
}

/// Where each destination's batches go.
#[derive(Clone, Debug)]
pub struct PushQueues {
    /// To Campaign Monitor.
    pub campaign_monitor: Queue,
    /// To Marketo Engage.
    pub marketo: Queue,
    /// To Omnisend.
    pub omnisend: Queue,
    /// To Dynamics 365 Sales.
    pub dynamics365_sales: Queue,
}

impl Chunk {
    /// Chunks a run. Asked again, it sends what was not sent, and decides nothing anew.
    pub async fn run(&self, run_id: RunId, deadline: Instant) -> Result<(), StageError> {
        let run = self.ledger.run(run_id).await?;
        let keys = Keys::new(run_id, run.export_id.clone());
        match run.state {
            RunState::Chunking => {}
            RunState::Pushing if run.canceled.is_none() => {
                return self.send(&self.plan(&keys).await?).await;
            }
            RunState::Waiting
            | RunState::Snapshotting
            | RunState::Held
            | RunState::Pushing
            | RunState::Finishing
            | RunState::Succeeded
            | RunState::Failed
            | RunState::Canceled => return Ok(()),
        }
        let definitions = frozen_definitions(&self.objects, &keys).await?;
        let connection = definitions.export.connection()?;
        let connection: Connection = self.catalog.get(connection.as_str()).await?;
        let planned = match connection.destination {
            Destination::CampaignMonitor => {
                let connector = self.connections.campaign_monitor(&connection)?;
                self.make_plan(&connector, &run, &definitions, &keys, deadline).await?
            }
            Destination::Marketo => {
                let connector = self.connections.marketo(&connection)?;
                self.make_plan(&connector, &run, &definitions, &keys, deadline).await?
            }
            Destination::Omnisend => {
                let connector = self.connections.omnisend(&connection)?;
                self.make_plan(&connector, &run, &definitions, &keys, deadline).await?
            }
            Destination::Dynamics365Sales => {
                let connector = self.connections.dynamics365_sales(&connection)?;
                self.make_plan(&connector, &run, &definitions, &keys, deadline).await?
            }
        };
        let Some(plan) = planned else { return Ok(()) };
        let bytes = serde_json::to_vec(&plan)
            .map_err(|error| StageError::stop(StopCode::PlanUnwritable, error.to_string()))?;
        self.objects.put(&keys.plan(), bytes).await?;
        self.begin_push(&plan).await
    }

    async fn plan(&self, keys: &Keys) -> Result<Plan, StageError> {
        let bytes = self.objects.get(&keys.plan()).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| StageError::stop(StopCode::PlanDamaged, error.to_string()))
    }

    /// Makes the plan; `None` where the guard holds the run, and where it is a dry run, which is over then.
    async fn make_plan<C: Connector>(
        &self,
        connector: &C,
        run: &Run,
        definitions: &RunDefinitions,
        keys: &Keys,
        deadline: Instant,
    ) -> Result<Option<Plan>, StageError> {
        let export = &definitions.export;
        if run.mode == RunMode::DryRun {
            self.look(connector, run, definitions, keys, deadline).await?;
            return Ok(None);
        }
        let lanes = connector.lanes();
        let pacer = pacer(&self.ledger, export.connection()?, connector);
        let context = CallContext::paced(deadline, pacer);
        let mut retried = Retried::of(&self.objects, run).await?;
        let segments = self.run_segments(run, export, keys).await?;
        let mut accounts = Accounts::new(C::LIMITS, export, self.resting(definitions).await?);
        self.check_cap_before_calls(connector, export, &segments, keys, &accounts).await?;
        let lists = self.lists().prepare_lists(connector, export, &context).await?;
        let mut notices = definitions.notices.clone();
        let mut deltas = Vec::with_capacity(lists.len());
        notices.extend(retry_notice(run));
        for PreparedList { list, label, prepared, .. } in &lists {
            let said = |notice: &String| format!("target list {label}: {notice}");
            notices.extend(prepared.notices.iter().map(said));
            let (target, only) = (deltas.len(), retried.as_mut().map(|retried| retried.take(list)));
            let work = TargetWork { target, list, export, keys, segments: &segments, lanes, only };
            let delta = self.make_delta(work, connector, prepared, &mut accounts).await?;
            if retried.is_some() && delta.rows_in == 0 {
                // Nothing of this list is retried, so what was delivered to it stays as it is.
                continue;
            }
            notices.extend(delta.notices.iter().map(said));
            deltas.push(delta);
        }
        accounts.check_cap()?;
        let held = accounts.held(&segments);
        if held.is_none() || run.is_approved {
            for retirement in self.retirements(definitions).await? {
                // What is deleted is gone: a run that was canceled meanwhile, or given up, must not get there.
                if self.ledger.run(run.run_id).await?.state != RunState::Chunking {
                    return Ok(None);
                }
                let only = match &mut retried {
                    Some(retried) if retried.has(retirement.label()) => {
                        Some(retried.take(retirement.label()))
                    }
                    Some(_) => continue,
                    None => None,
                };
                let label = retirement.label().clone();
                let deletion = self.delete(connector, export, &retirement, &context).await?;
                notices.push(format!("target list {label}: its segment was taken out, {}", deletion.words()));
                if deletion == Deletion::NotWanted {
                    let (target, list) = (deltas.len(), &label);
                    let work = TargetWork { target, list, export, keys, segments: &segments, lanes, only };
                    deltas.extend(self.empty(connector, work, &retirement, &mut accounts, &context).await?);
                }
            }
        }
        if let Some(held) = held
            && !run.is_approved
        {
            // Before the state, because nobody comes back to a run that is held: told twice is better than never.
            self.tell_held(run, &held).await;
            notices.push(held);
            let change = RunChange { notices: Some(notices), ..RunChange::default() };
            let from = [RunState::Chunking];
            self.ledger.advance(run.run_id, &from, RunState::Held, Timestamp::now(), &change).await?;
            return Ok(None);
        }
        Ok(Some(Plan {
            run_id: run.run_id,
            export_id: export.id.clone(),
            connection_id: export.connection()?.clone(),
            destination: C::DESTINATION,
            lanes,
            segments,
            deltas,
            notices,
            calls: context.calls(),
        }))
    }

    /// Says that somebody has to decide. Where nobody hears it, the run is held all the same.
    async fn tell_held(&self, run: &Run, text: &str) {
        let (run_id, export_id) = (run.run_id, &run.export_id);
        let detail =
            json!({ "run_id": run_id, "export_id": export_id, "state": RunState::Held, "text": text });
        if let Err(error) = self.events.put("Run Held", &detail).await {
            tracing::error!(run.id = %run_id, %error, "event could not be put");
        }
    }

    async fn begin_push(&self, plan: &Plan) -> Result<(), StageError> {
        let batches = plan.batch_count();
        let (to, started) = if batches == 0 {
            (RunState::Finishing, Stage::Finish)
        } else {
            (RunState::Pushing, Stage::Push)
        };
        let change = RunChange {
            started: Some(started),
            planned: Some((plan.rows_in(), plan.settled_counts(), batches, plan.calls)),
            notices: Some(plan.notices.clone()),
            ..RunChange::default()
        };
        let from = [RunState::Chunking];
        if !self.ledger.advance(plan.run_id, &from, to, Timestamp::now(), &change).await? {
            let run = self.ledger.run(plan.run_id).await?;
            // It may have been done by an earlier try whose answer was lost; then what comes after is still to do.
            if run.state != to || run.canceled.is_some() {
                tracing::info!(run.id = %plan.run_id, state = run.state.name(), "run is not to be pushed any more");
                return Ok(());
            }
        }
        if batches == 0 {
            let message = stage_message(plan.run_id, plan.export_id.as_str(), "finish", 0)?;
            return Ok(self.finish_queue.send(&[message]).await?);
        }
        self.send(plan).await
    }

    /// Sends one message a batch. Those that were sent before are dropped by the queue, or find their batch closed.
    async fn send(&self, plan: &Plan) -> Result<(), StageError> {
        let mut messages = Vec::new();
        for (target, delta) in plan.deltas.iter().enumerate() {
            for batch in &delta.batches {
                let pointer = BatchPointer {
                    version: 1,
                    run_id: plan.run_id,
                    export_id: plan.export_id.clone(),
                    connection_id: plan.connection_id.clone(),
                    target,
                    batch: batch.clone(),
                    prepared: delta.prepared.clone(),
                };
                let body = serde_json::to_string(&pointer)
                    .map_err(|error| StageError::stop(StopCode::MessageUnwritable, error.to_string()))?;
                messages.push(OutgoingMessage {
                    group: delta.group(&plan.connection_id, batch.lane),
                    deduplication_id: deduplication_id(plan.run_id, &format!("{target}/{}", batch.number), 0),
                    body,
                });
            }
        }
        let queue = match plan.destination {
            Destination::CampaignMonitor => &self.push_queues.campaign_monitor,
            Destination::Marketo => &self.push_queues.marketo,
            Destination::Omnisend => &self.push_queues.omnisend,
            Destination::Dynamics365Sales => &self.push_queues.dynamics365_sales,
        };
        Ok(queue.send(&messages).await?)
    }
}

fn retry_notice(run: &Run) -> Option<String> {
    match run.mode {
        RunMode::Retry { of } => Some(format!("only the rows that run {of} deferred or rejected")),
        RunMode::Delivery | RunMode::DryRun => None,
    }
}
