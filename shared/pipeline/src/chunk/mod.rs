//! Computes the delta of each target list against its delivered state, cuts it into batches, and sends one
//! message per batch.

mod accounts;
mod cap;
mod context;
mod delivery;
pub(super) mod delta;
mod dry_run;
mod dry_run_sink;
mod limits;
pub(super) mod lists;
mod retire;
mod sequence;
mod sink;
mod waiting;

use super::pacing::pacer;
use super::runner::stage_message;
use super::{Connections, RunDefinitions, StageError, frozen_definitions};
use dry_run::dry_run;
use jiff::Timestamp;
use relay_cloud::ledger::{Ledger, RunChange};
use relay_cloud::{CatalogStore, EventBus, Objects, OutgoingMessage, Queue};
use relay_connectors::Connector;
use relay_model::catalog::Connection;
use relay_model::run::{BatchPointer, Keys, Plan, Run, RunMode, RunState, Stage, StopCode, deduplication_id};
use relay_model::{Destination, RunId};
use tokio::time::Instant;

/// The clients that the chunk step needs.
#[derive(Clone)]
pub struct Chunk {
    /// The definitions.
    pub catalog: CatalogStore,
    /// The ledger.
    pub ledger: Ledger,
    /// Snapshots, deltas and delivered states.
    pub objects: Objects,
    /// The connectors.
    pub connections: Connections,
    /// The queues that batches are sent to.
    pub push_queues: PushQueues,
    /// The queue for runs without batches and runs that have to stop.
    pub finish_queue: Queue,
    /// The bus for events about runs that wait for an approval.
    pub events: EventBus,
}

/// The batch queue of each destination.
#[derive(Clone, Debug)]
pub struct PushQueues {
    /// Campaign Monitor.
    pub campaign_monitor: Queue,
    /// Marketo Engage.
    pub marketo: Queue,
    /// Omnisend.
    pub omnisend: Queue,
    /// Dynamics 365 Sales.
    pub dynamics365_sales: Queue,
}

impl Chunk {
    /// Chunks a run. A repeated call sends only the messages that were not sent, and keeps the earlier plan.
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

    /// Makes the plan. Returns `None` for a dry run, which ends here, and for a run that does not continue.
    async fn make_plan<C: Connector>(
        &self,
        connector: &C,
        run: &Run,
        definitions: &RunDefinitions,
        keys: &Keys,
        deadline: Instant,
    ) -> Result<Option<Plan>, StageError> {
        if run.mode == RunMode::DryRun {
            dry_run(self, connector, run, definitions, keys, deadline).await?;
            return Ok(None);
        }
        delivery::make_plan(self, connector, run, definitions, keys, deadline).await
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
            // An earlier attempt may have made this change and lost the response; the steps after it are then
            // still to do.
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

    /// Sends one message per batch. The queue drops duplicates, and a batch that is closed already ignores
    /// its message.
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
