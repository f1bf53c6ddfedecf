//! Runs of the exports that use a custom upload: after a new upload, and after one has expired.

use super::tick::Tick;
use super::{RunRequests, StageError, StartError};
use jiff::Timestamp;
use relay_cloud::ledger::Requested;
use relay_model::SegmentId;
use relay_model::catalog::{Activation, Export, ExportSegment};
use relay_model::run::{Trigger, TriggerKind};
use relay_model::uploads::UploadId;

/// Returns the trigger of the runs that a new upload starts.
#[must_use]
pub fn upload_trigger(segment: &SegmentId, upload: &UploadId) -> Trigger {
    Trigger::new(TriggerKind::Upload, format!("upload/{segment}/{upload}"))
}

/// Returns the trigger of the runs that an expired upload starts, `days` days after its expiry.
#[must_use]
pub fn expiry_trigger(segment: &SegmentId, upload: &UploadId, days: i64) -> Trigger {
    Trigger::new(TriggerKind::Upload, format!("expiry/{segment}/{upload}/{days}"))
}

/// The results of requesting runs of a segment's exports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentRuns {
    /// Exports with a requested run.
    pub asked: u64,
    /// Exports that may not run; the log names them.
    pub noted: u64,
}

impl RunRequests {
    /// Requests a run of each of `exports` that is enabled and uses the segment, once per trigger. An export
    /// that may not run is counted and does not block the others: its consent or a definition may be missing.
    pub async fn start_for_segment(
        &self,
        exports: &[Export],
        segment: &SegmentId,
        trigger: &Trigger,
        now: Timestamp,
    ) -> Result<SegmentRuns, StageError> {
        let mut runs = SegmentRuns::default();
        for export in exports {
            if !export.uses(segment) || !export.enabled {
                continue;
            }
            if self.ledger.asked_run(&export.id, &trigger.key).await?.is_some() {
                continue;
            }
            match self.start(&export.id, trigger.clone(), now).await {
                Ok(requested) => runs.asked += u64::from(!matches!(requested, Requested::Repeated(_))),
                Err(StartError::Cloud(error)) => return Err(error),
                Err(error) => {
                    runs.noted += 1;
                    tracing::warn!(export.id = %export.id, segment.id = %segment, %error, "export does not follow its upload");
                }
            }
        }
        Ok(runs)
    }
}

impl Tick {
    /// Starts a run of each export that uses an expired upload, so that the upload's members are removed.
    pub(super) async fn end_if_expired(
        &self,
        exports: &[Export],
        segment: &SegmentId,
        now: Timestamp,
    ) -> Result<SegmentRuns, StageError> {
        let uploads = self.requests.ledger.uploads(segment).await?;
        let Some(current) = uploads.current.filter(|current| current.is_expired(now)) else {
            return Ok(SegmentRuns::default());
        };
        let mut holding = Vec::new();
        for export in exports {
            if self.has_members(export, segment, &current.upload_id, now).await? {
                holding.push(export.clone());
            }
        }
        // If a run could not remove them, another one follows, but at most one per day.
        let days = now.duration_since(current.expires_at).as_hours() / 24;
        let trigger = expiry_trigger(segment, &current.upload_id, days);
        self.requests.start_for_segment(&holding, segment, &trigger, now).await
    }

    /// Returns whether the export has delivered members of the upload and not removed all of them. The expiry
    /// of an upload starts no run of an export that is new or has removed them already.
    async fn has_members(
        &self,
        export: &Export,
        segment: &SegmentId,
        upload: &UploadId,
        now: Timestamp,
    ) -> Result<bool, StageError> {
        let goes =
            |entry: &&ExportSegment| entry.segment == *segment && entry.activation(now) == Activation::Active;
        for entry in export.segments.iter().filter(goes) {
            let pointer = self.requests.ledger.delivered(&export.id, &entry.list()).await?;
            if pointer.is_some_and(|pointer| pointer.uploads.contains(upload)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
