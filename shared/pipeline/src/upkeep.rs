//! The part of a tick that handles expired uploads and the deployment's own refresh schedule.

use super::tick::{AT_ONCE, Tick, Ticked};
use super::{Asked, StageError, StartError};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use relay_cloud::{LookupError, Saved};
use relay_model::catalog::{CatalogError, DeploymentSettings, Export, Segment, SettingsId};

impl Tick {
    /// Starts the exports that run after every refresh of the profiles, if the deployment's
    /// `refresh_schedule` is due. Returns how many runs were requested.
    pub(super) async fn refresh_if_due(&self, now: Timestamp) -> Result<u64, StartError> {
        let Some(Saved { document: settings, saved_at, .. }) = self.settings().await? else { return Ok(0) };
        let due = settings.refresh_schedule.last_due(now).filter(|due| *due > saved_at);
        let Some(due) = due else { return Ok(0) };
        let key = format!("schedule/{due}");
        if self.requests.ledger.latest_refresh().await?.as_ref() == Some(&key) {
            return Ok(0);
        }
        let asked = self.requests.refresh(&key, None, now).await?;
        let is_unsure = |asked: &Asked| matches!(asked.requested, Err(StartError::Cloud(_)));
        let started = asked.iter().filter(|asked| asked.requested.is_ok()).count();
        if !asked.iter().any(is_unsure) {
            self.requests.ledger.note_refresh(&key).await?;
        }
        Ok(u64::try_from(started).unwrap_or(u64::MAX))
    }

    /// Returns the deployment's settings; `None` if there are none or if they cannot be read, because exports
    /// have to run nevertheless.
    async fn settings(&self) -> Result<Option<Saved<DeploymentSettings>>, StageError> {
        match self.requests.catalog.find(SettingsId::Deployment.as_str()).await {
            Ok(found) => Ok(found),
            Err(LookupError::Catalog(error)) => {
                tracing::error!(%error, "the deployment's settings cannot be read, so the defaults apply");
                Ok(None)
            }
            Err(LookupError::Cloud(error)) => Err(error.into()),
        }
    }

    /// Starts the runs that expired uploads require.
    pub(super) async fn look_after_uploads(&self, exports: &[Export], now: Timestamp) -> Ticked {
        let segments = match self.requests.catalog.list::<Segment>().await {
            Ok(segments) => segments,
            Err(error) => {
                tracing::error!(%error, "segments could not be listed");
                return Ticked { failed: 1, ..Ticked::default() };
            }
        };
        let visits = segments.into_iter().map(|segment| self.look_after_upload(exports, segment, now));
        stream::iter(visits)
            .buffer_unordered(AT_ONCE)
            .fold(Ticked::default(), async |total, one| total + one)
            .await
    }

    async fn look_after_upload(
        &self,
        exports: &[Export],
        segment: Result<Saved<Segment>, CatalogError>,
        now: Timestamp,
    ) -> Ticked {
        let segment = match segment {
            Ok(saved) => saved.document,
            Err(error) => {
                tracing::error!(%error, "a definition of the catalog cannot be read");
                return Ticked { failed: 1, ..Ticked::default() };
            }
        };
        // Exports leave the lists of an inactive segment alone, so no run could remove its members.
        if segment.upload().is_none() || !segment.active {
            return Ticked::default();
        }
        match self.end_if_expired(exports, &segment.id, now).await {
            Ok(runs) => Ticked { expired: runs.asked, ..Ticked::default() },
            Err(error) => {
                tracing::error!(segment.id = %segment.id, %error, "segment could not be looked after");
                Ticked { failed: 1, ..Ticked::default() }
            }
        }
    }
}
