//! Reads the findings of a dry run.

use super::StageError;
use relay_cloud::Objects;
use relay_model::run::{DryRun, Keys, Run, StopCode};

/// Returns the findings of a dry run; `None` if it has none yet, has failed, or its findings have expired.
pub async fn dry_run_findings(objects: &Objects, run: &Run) -> Result<Option<DryRun>, StageError> {
    let keys = Keys::new(run.run_id, run.export_id.clone());
    let Some(bytes) = objects.find(&keys.dry_run()).await? else { return Ok(None) };
    let found = serde_json::from_slice(&bytes);
    found.map(Some).map_err(|error| StageError::stop(StopCode::FindingsDamaged, error.to_string()))
}
