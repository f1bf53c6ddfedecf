//! Runs of the exports that use a custom upload: when there is a new one, and when one has come to its end.

use super::tick::Tick;
use super::{RunRequests, StageError, StartError};
use jiff::Timestamp;
use relay_cloud::ledger::Requested;
use relay_model::SegmentId;
use relay_model::catalog::{Activation, Export, ExportSegment};
use relay_model::run::{Trigger, TriggerKind};
use relay_model::uploads::UploadId;

/// The trigger of the runs that a new upload starts.
#[must_use]
pub fn upload_trigger(segment: &SegmentId, upload: &UploadId) -> Trigger {
    Trigger::new(TriggerKind::Upload, format!("upload/{segment}/{upload}"))
}

/// The trigger of the runs that the end of an upload starts, so many days after it.
#[must_use]
pub fn expiry_trigger(segment: &SegmentId, upload: &UploadId, days: i64) -> Trigger {
    Trigger::new(TriggerKind::Upload, format!("expiry/{segment}/{upload}/{days}"))
}

/// What became of the requests for runs of a segment's exports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentRuns {
    /// Exports of which a run is asked for now.
    pub asked: u64,
    /// Exports that may not run, which the log names.
    pub noted: u64,
}

impl RunRequests {
    /// Asks for a run of each of `exports` that is enabled and uses the segment, once for the trigger. One that may
    /// not run, because nobody has agreed to it or a definition is missing, is noted and keeps no other from running.
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
    /// Starts a run of each export that uses an upload which has come to its end, so that its members leave.
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
        // A run that could not take them off is followed by another one, but not before the next day.
        let days = now.duration_since(current.expires_at).as_hours() / 24;
        let trigger = expiry_trigger(segment, &current.upload_id, days);
        self.requests.start_for_segment(&holding, segment, &trigger, now).await
    }

    /// Whether the export has put the upload's members on a list, and not taken them all off. An export that has not,
    /// because it is new or because they have left, is not run by an upload's end.
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
