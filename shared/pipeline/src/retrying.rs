//! Retries the rows that an earlier run could not deliver, and no others.

use super::finish::events::{Event, Events, NOT_SENT};
use super::{RunRequests, StageError, StartError};
use jiff::Timestamp;
use relay_cloud::Objects;
use relay_cloud::ledger::Requested;
use relay_model::run::{Keys, Plan, Run, RunMode, StopCode, Trigger};
use relay_model::{ListId, Outcome, RunId};
use std::collections::{HashMap, HashSet};

impl RunRequests {
    /// Starts a run that sends the rows that an earlier run deferred or rejected again, with their current
    /// values.
    ///
    /// If another run of the export is waiting already, that run also delivers these rows. If the earlier
    /// run's results have been deleted, the new run fails with `retry_expired`.
    pub async fn retry(
        &self,
        run_id: RunId,
        trigger: Trigger,
        now: Timestamp,
    ) -> Result<Requested, StartError> {
        let run = self.ledger.run(run_id).await?;
        if !run.state.is_over() {
            return Err(StartError::NotOver { run_id, state: run.state });
        }
        // A dry run leaves no rows to retry, whatever it counted.
        if run.mode == RunMode::DryRun || run.counts.deferred + run.counts.rejected == 0 {
            return Err(StartError::NothingToRetry(run_id));
        }
        self.start_as(RunMode::Retry { of: run_id }, &run.export_id, trigger, now).await
    }
}

/// Fails a retry if the earlier run's objects have been deleted. Objects expire in the order in which they
/// were written, so the earliest is checked.
pub async fn require_results(objects: &Objects, run: &Run) -> Result<(), StageError> {
    let RunMode::Retry { of } = run.mode else { return Ok(()) };
    let keys = Keys::new(of, run.export_id.clone());
    match objects.find(&keys.definitions()).await? {
        Some(_) => Ok(()),
        None => Err(expired(of)),
    }
}

/// The members with deferred or rejected rows in a run, by target list.
///
/// A member takes 16 bytes of memory here, however large its row is.
#[derive(Debug, Default)]
pub(super) struct Retried {
    lists: HashMap<ListId, HashSet<u128>>,
}

impl Retried {
    /// Reads the results of the run that `run` retries; `None` if `run` is not a retry.
    pub(super) async fn of(objects: &Objects, run: &Run) -> Result<Option<Self>, StageError> {
        let RunMode::Retry { of } = run.mode else { return Ok(None) };
        let keys = Keys::new(of, run.export_id.clone());
        let plan = objects.find(&keys.plan()).await?.ok_or_else(|| expired(of))?;
        let plan: Plan = serde_json::from_slice(&plan)
            .map_err(|error| StageError::stop(StopCode::PlanDamaged, error.to_string()))?;
        let mut lists = HashMap::new();
        for (target, delta) in plan.deltas.iter().enumerate() {
            let events = Events::fetch(objects, &keys, target, delta, NOT_SENT).await;
            let events = events
                .map_err(|error| if error.code() == StopCode::ObjectMissing { expired(of) } else { error })?;
            let (terms, field_keys) = (delta.terms.clone(), delta.field_keys.clone());
            let members = tokio::task::spawn_blocking(move || {
                let mut members = HashSet::new();
                for stream in events.into_streams(&terms, &field_keys)? {
                    note(stream, &mut members)?;
                }
                Ok::<_, StageError>(members)
            });
            let members = members
                .await
                .map_err(|error| StageError::stop(StopCode::RetryPanicked, error.to_string()))??;
            if !members.is_empty() {
                lists.insert(delta.target_list.clone(), members);
            }
        }
        Ok(Some(Self { lists }))
    }

    /// Takes the members of a target list out of the map.
    pub(super) fn take(&mut self, list: &ListId) -> HashSet<u128> {
        self.lists.remove(list).unwrap_or_default()
    }

    /// Returns whether a target list has members to retry.
    pub(super) fn has(&self, list: &ListId) -> bool {
        self.lists.contains_key(list)
    }
}

fn note(
    events: impl Iterator<Item = Result<Event, StageError>>,
    members: &mut HashSet<u128>,
) -> Result<(), StageError> {
    for event in events {
        let event = event?;
        if matches!(event.outcome, Outcome::Deferred(_) | Outcome::Rejected(_)) {
            members.insert(event.member_key.digest());
        }
    }
    Ok(())
}

fn expired(of: RunId) -> StageError {
    let text = format!(
        "the results of run {of} have been deleted, for they are kept for RunDataRetentionDays only: start a run of the \
         whole export instead, which brings the same rows"
    );
    StageError::stop(StopCode::RetryExpired, text)
}
