//! Counts the people on each target list at the destination, after a run's last batch.

use super::PushWorker;
use crate::StageError;
use jiff::Timestamp;
use relay_cloud::ledger::Spent;
use relay_connectors::{CallContext, Connector};
use relay_model::catalog::Connection;
use relay_model::run::{BatchPointer, Keys, Plan, StopCode};
use tokio::time::Instant;

impl<C, F> PushWorker<C, F>
where
    C: Connector,
    F: Fn(&Connection) -> Result<C, StageError>,
{
    /// Counts members if the destination supports it. A failure is logged and does not change the run.
    pub(super) async fn count_members(&self, pointer: &BatchPointer, until: Instant) {
        if let Err(error) = self.try_count(pointer, until).await {
            tracing::warn!(run.id = %pointer.run_id, error.code = error.code().as_str(), %error, "members could not be counted");
        }
    }

    async fn try_count(&self, pointer: &BatchPointer, until: Instant) -> Result<(), StageError> {
        let known = self.connector(&pointer.connection_id).await?;
        let keys = Keys::new(pointer.run_id, pointer.export_id.clone());
        let plan: Plan = serde_json::from_slice(&self.objects.get(&keys.plan()).await?)
            .map_err(|error| StageError::stop(StopCode::PlanDamaged, error.to_string()))?;
        let context = CallContext::paced(until, known.pacer.clone());
        for (number, delta) in plan.deltas.iter().enumerate() {
            let target: C::Target = serde_json::from_value(delta.prepared.clone())
                .map_err(|error| StageError::stop(StopCode::PlanDamaged, error.to_string()))?;
            if let Some(members) = known.connector.count_members(&target, &context).await? {
                self.ledger.note_members(pointer.run_id, number, members).await?;
            }
        }
        let spent = Spent { calls: context.calls(), throttled: context.throttles() };
        if spent != Spent::default() {
            self.ledger.count_calls(pointer.run_id, spent, Timestamp::now()).await?;
        }
        Ok(())
    }
}
