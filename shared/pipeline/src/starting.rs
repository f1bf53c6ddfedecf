//! Starts many exports at once.

use super::{RunRequests, StageError, StartError};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use relay_cloud::ledger::Requested;
use relay_model::ExportId;
use relay_model::catalog::{Export, Schedule};
use relay_model::run::{Trigger, TriggerKind};

/// How many exports are started at a time.
const EXPORTS_AT_A_TIME: usize = 16;

/// The result of starting one export among others.
#[derive(Debug)]
pub struct Asked {
    /// The export.
    pub export_id: ExportId,
    /// Its run, or why there is none. One export that cannot start does not keep the others from starting.
    pub requested: Result<Requested, StartError>,
}

impl RunRequests {
    /// Starts every enabled export that runs after each refresh of the profiles, once per `key`. `by` is the
    /// requester.
    pub async fn refresh(
        &self,
        key: &str,
        by: Option<String>,
        now: Timestamp,
    ) -> Result<Vec<Asked>, StartError> {
        let trigger = Trigger::new(TriggerKind::Refresh, format!("refresh/{key}")).by(by);
        self.start_all(&trigger, now, |schedule| *schedule == Schedule::EveryRefresh).await
    }

    /// Starts every enabled export that has a schedule, once per `key`. `by` is the requester.
    pub async fn start_scheduled(
        &self,
        key: &str,
        by: Option<String>,
        now: Timestamp,
    ) -> Result<Vec<Asked>, StartError> {
        let trigger = Trigger::new(TriggerKind::OnDemand, format!("all/{key}")).by(by);
        self.start_all(&trigger, now, |schedule| *schedule != Schedule::Off).await
    }

    async fn start_all(
        &self,
        trigger: &Trigger,
        now: Timestamp,
        is_meant: impl Fn(&Schedule) -> bool,
    ) -> Result<Vec<Asked>, StartError> {
        let mut exports = self.readable_exports().await?;
        exports.retain(|export| export.enabled && is_meant(&export.schedule));
        let starts = exports.into_iter().map(|Export { id: export_id, .. }| async move {
            let requested = self.start(&export_id, trigger.clone(), now).await;
            if let Err(error) = &requested {
                tracing::error!(export.id = %export_id, %error, "export could not be started");
            }
            Asked { export_id, requested }
        });
        Ok(stream::iter(starts).buffered(EXPORTS_AT_A_TIME).collect().await)
    }

    /// Returns all readable exports and logs the unreadable ones.
    pub(super) async fn readable_exports(&self) -> Result<Vec<Export>, StageError> {
        let exports = self.catalog.list::<Export>().await?.into_iter();
        let readable = exports.filter_map(|export| match export {
            Ok(saved) => Some(saved.document),
            Err(error) => {
                tracing::error!(%error, "a definition of the catalog cannot be read");
                None
            }
        });
        Ok(readable.collect())
    }
}
