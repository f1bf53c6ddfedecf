//! What a tick does for segments, and when the profiles are refreshed by the deployment's own schedule.

use super::tick::{AT_ONCE, Tick, Ticked};
use super::{Asked, StageError, StartError};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use relay_cloud::Saved;
use relay_model::catalog::{CatalogError, DeploymentSettings, Export, Schedule, Segment};

impl Tick {
    /// Says that the profiles were refreshed, where the deployment's own schedule says so.
    pub(super) async fn refresh_if_due(
        &self,
        settings: &DeploymentSettings,
        saved_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<u64, StartError> {
        let due = settings.refresh_schedule.last_due(now).filter(|due| Some(*due) > saved_at);
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

    /// Looks after every segment once.
    pub(super) async fn look_after_segments(
        &self,
        exports: &[Export],
        settings: &DeploymentSettings,
        now: Timestamp,
    ) -> Ticked {
        let segments = match self.requests.catalog.list::<Segment>().await {
            Ok(segments) => segments,
            Err(error) => {
                tracing::error!(%error, "segments could not be listed");
                return Ticked { failed: 1, ..Ticked::default() };
            }
        };
        let visits =
            segments.into_iter().map(|segment| self.look_after_segment(exports, segment, settings, now));
        stream::iter(visits)
            .buffer_unordered(AT_ONCE)
            .fold(Ticked::default(), async |total, one| total + one)
            .await
    }

    async fn look_after_segment(
        &self,
        exports: &[Export],
        segment: Result<Saved<Segment>, CatalogError>,
        settings: &DeploymentSettings,
        now: Timestamp,
    ) -> Ticked {
        let saved = match segment {
            Ok(saved) => saved,
            Err(error) => {
                tracing::error!(%error, "a definition of the catalog cannot be read");
                return Ticked { failed: 1, ..Ticked::default() };
            }
        };
        let segment = &saved.document;
        let visited = match (segment.upload(), &segment.schedule) {
            // Its lists are left alone, so no run could take anybody off them.
            (Some(_), _) if !segment.active => Ok(Ticked::default()),
            (Some(_), _) => self
                .end_if_expired(exports, &segment.id, now)
                .await
                .map(|runs| Ticked { expired: runs.asked, ..Ticked::default() }),
            (None, Some(schedule)) => {
                let is_used = exports.iter().any(|export| export.uses(&segment.id));
                let due = schedule.last_due(now).filter(|due| *due > saved.saved_at && segment.active);
                self.keep_up(segment, due, is_used, settings, now).await
            }
            (None, None) => Ok(Ticked::default()),
        };
        visited.unwrap_or_else(|error| {
            tracing::error!(segment.id = %segment.id, %error, "segment could not be looked after");
            Ticked { failed: 1, ..Ticked::default() }
        })
    }

    /// Has a segment's members refreshed that is due, and lets go of those of a segment that nobody uses any more.
    async fn keep_up(
        &self,
        segment: &Segment,
        due: Option<Timestamp>,
        is_used: bool,
        settings: &DeploymentSettings,
        now: Timestamp,
    ) -> Result<Ticked, StageError> {
        let ledger = &self.requests.ledger;
        let members = ledger.members(&segment.id).await?;
        if is_used == members.unused_since.is_some() {
            ledger.note_use(&segment.id, (!is_used).then_some(now)).await?;
        }
        // A static segment's members cannot be had again.
        let may_rest = segment.schedule != Some(Schedule::Off);
        if !is_used && may_rest && members.rests(settings.unused_segment_days, now) {
            if let (Some(_), Some(since)) = (&members.kept, members.unused_since) {
                tracing::info!(segment.id = %segment.id, %since, "segment rests: no export uses it");
                self.requests.let_go_of_members(&segment.id, &format!("unused/{since}")).await?;
            }
            return Ok(Ticked::default());
        }
        let Some(due) = due.filter(|due| members.asked_at.is_none_or(|asked_at| asked_at < *due)) else {
            return Ok(Ticked::default());
        };
        self.requests.refresh_segment(&segment.id, &format!("schedule/{due}"), now).await?;
        Ok(Ticked { refreshed: 1, ..Ticked::default() })
    }
}
