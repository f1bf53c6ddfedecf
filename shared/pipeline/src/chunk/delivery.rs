//! A delivery: stores its deltas and makes the plan of the run.

use super::accounts::Accounts;
use super::context::Context;
use super::delta::{TargetDelta, TargetWork, compute_delta};
use super::retire::{Deletion, Retirement, delete};
use super::sequence::{Receiver, compute};
use super::sink::{DeltaFiles, DeltaSink};
use super::{Chunk, RunDefinitions, StageError, pacer};
use crate::retrying::Retried;
use jiff::Timestamp;
use relay_cloud::ledger::RunChange;
use relay_connectors::{CallContext, Connector, LaneScope};
use relay_model::ListId;
use relay_model::run::{Delta, DeltaLocals, Keys, Plan, Run, RunMode, RunState, StopCode};
use serde_json::json;
use std::collections::HashSet;
use std::ops::ControlFlow;
use tokio::time::Instant;

/// The parts of a delivery that are stored so far.
struct Delivery {
    deltas: Vec<Delta>,
    notices: Vec<String>,
    /// The members to retry, if the run is a retry.
    retried: Option<Retried>,
    is_approved: bool,
}

/// Makes the plan of a delivery. `None` if the guard holds the run, or if the run has left this step
/// meanwhile.
pub(super) async fn make_plan<C: Connector>(
    chunk: &Chunk,
    connector: &C,
    run: &Run,
    definitions: &RunDefinitions,
    keys: &Keys,
    deadline: Instant,
) -> Result<Option<Plan>, StageError> {
    let export = &definitions.export;
    let calls = CallContext::paced(deadline, pacer(&chunk.ledger, export.connection()?, connector));
    let retried = Retried::of(&chunk.objects, run).await?;
    let segments = super::delta::run_segments(&chunk.objects, run, export, keys).await?;
    let context = Context { chunk, connector, run, definitions, keys, segments: &segments, calls: &calls };
    let mut notices = definitions.notices.clone();
    notices.extend(retry_notice(run));
    let mut delivery = Delivery { deltas: Vec::new(), notices, retried, is_approved: run.is_approved };
    let Some(checked) = compute(&context, &mut delivery).await? else { return Ok(None) };
    let Delivery { deltas, mut notices, .. } = delivery;
    if let Some(held) = checked.held
        && !run.is_approved
    {
        // The event is sent before the state is written, because a held run is not visited again: a duplicate
        // event is better than none.
        report_held(chunk, run, &held).await;
        notices.push(held);
        let change = RunChange { notices: Some(notices), ..RunChange::default() };
        let from = [RunState::Chunking];
        chunk.ledger.advance(run.run_id, &from, RunState::Held, Timestamp::now(), &change).await?;
        return Ok(None);
    }
    Ok(Some(Plan {
        run_id: run.run_id,
        export_id: export.id.clone(),
        connection_id: export.connection()?.clone(),
        destination: C::DESTINATION,
        lanes: connector.lanes(),
        calls: calls.calls(),
        segments,
        deltas,
        notices,
    }))
}

/// Sends an event about a run that needs an approval. The run is held even if the event cannot be sent.
async fn report_held(chunk: &Chunk, run: &Run, text: &str) {
    let (run_id, export_id) = (run.run_id, &run.export_id);
    let detail = json!({ "run_id": run_id, "export_id": export_id, "state": RunState::Held, "text": text });
    if let Err(error) = chunk.events.put("Run Held", &detail).await {
        tracing::error!(run.id = %run_id, %error, "event could not be put");
    }
}

fn retry_notice(run: &Run) -> Option<String> {
    match run.mode {
        RunMode::Retry { of } => Some(format!("only the rows that run {of} deferred or rejected")),
        RunMode::Delivery | RunMode::DryRun => None,
    }
}

impl<C: Connector> Receiver<C> for Delivery {
    type Output = DeltaSink;

    fn only(&mut self, list: &ListId) -> Option<HashSet<u128>> {
        self.retried.as_mut().map(|retried| retried.take(list))
    }

    fn cap_checked(&self, checked: Result<(), StageError>) -> Result<Option<String>, StageError> {
        checked.map(|()| None)
    }

    async fn receive(
        &mut self,
        context: &Context<'_, C>,
        delta: TargetDelta<C::Target, DeltaFiles>,
    ) -> Result<(), StageError> {
        let label = delta.label.clone();
        let labelled = |notice: &String| format!("target list {label}: {notice}");
        self.notices.extend(delta.prepared.notices.iter().map(labelled));
        let stored = store(context, self.deltas.len(), delta).await?;
        if self.retried.is_some() && stored.rows_in == 0 {
            // Nothing of this list is retried, so its delivered state stays as it is.
            return Ok(());
        }
        self.notices.extend(stored.notices.iter().map(labelled));
        self.deltas.push(stored);
        Ok(())
    }

    fn retires(&self, is_held: bool) -> bool {
        !is_held || self.is_approved
    }

    async fn retire(
        &mut self,
        context: &Context<'_, C>,
        retirement: Retirement,
        accounts: &mut Accounts,
    ) -> Result<ControlFlow<()>, StageError> {
        let (ledger, export) = (&context.chunk.ledger, context.export());
        // A deletion cannot be undone, so a run that was canceled or has failed meanwhile must not reach it.
        if ledger.run(context.run.run_id).await?.state != RunState::Chunking {
            return Ok(ControlFlow::Break(()));
        }
        let list = retirement.label();
        let only = match &mut self.retried {
            Some(retried) if retried.has(list) => Some(retried.take(list)),
            Some(_) => return Ok(ControlFlow::Continue(())),
            None => None,
        };
        let deletion = delete(context, &retirement).await?;
        self.notices.push(format!("target list {list}: its segment was taken out, {}", deletion.words()));
        if deletion != Deletion::NotWanted {
            return Ok(ControlFlow::Continue(()));
        }
        let Some(prepared) = retirement.prepare(context.connector, export, context.calls).await? else {
            ledger.forget_list(&export.id, list).await?;
            return Ok(ControlFlow::Continue(()));
        };
        let pointer = ledger.delivered(&export.id, list).await?;
        let work = TargetWork { list, label: &list.0, prepared: &prepared, pointer, only };
        let delta = compute_delta::<C, DeltaSink>(context, work, accounts).await?;
        let stored = store(context, self.deltas.len(), delta).await?;
        self.deltas.push(stored);
        Ok(ControlFlow::Continue(()))
    }
}

/// Stores the delta of the target list at place `target` of the plan.
async fn store<C: Connector>(
    context: &Context<'_, C>,
    target: usize,
    delta: TargetDelta<C::Target, DeltaFiles>,
) -> Result<Delta, StageError> {
    let (objects, keys) = (&context.chunk.objects, context.keys);
    let object_key = keys.delta(target);
    let settled = DeltaLocals {
        members_key: keys.settled(target, "members"),
        removals_key: keys.settled(target, "removals"),
    };
    objects.upload(&object_key, delta.made.frames.path()).await?;
    objects.upload(&settled.members_key, delta.made.members.path()).await?;
    objects.upload(&settled.removals_key, delta.made.removals.path()).await?;
    Ok(Delta {
        target_list: delta.list,
        uploads: delta.uploads,
        prepared: serde_json::to_value(&delta.target)
            .map_err(|error| StageError::stop(StopCode::TargetUnwritable, error.to_string()))?,
        field_keys: delta.field_keys,
        terms: delta.prepared.terms,
        object_key,
        batches: delta.batches,
        settled,
        delivered_before: delta.pointer.map(|pointer| pointer.object_key),
        rows_in: delta.figures.members + delta.figures.removals,
        counts: delta.figures.settled,
        warnings: delta.figures.warnings,
        notices: delta.notices,
        lanes_of: match C::LIMITS.lane_scope {
            LaneScope::Connection => None,
            LaneScope::List => Some(delta.prepared.list_id),
        },
    })
}
