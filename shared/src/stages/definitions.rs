//! The export as a run found it: what is edited while the run is under way is the next run's.
//!
//! Only the export is kept. The connection is read anew by each step, for a consent that is taken back has to stop a
//! run that is under way, and a secret that is put right has to mend it.

use super::StageError;
use crate::aws::{CatalogStore, Objects};
use crate::catalog::Export;
use crate::model::ExportId;
use crate::run::Keys;

/// The export of a run: as it was kept, or as it stands in the catalog, which is kept then.
///
/// For the first step of a run, which is the only one that asks for it; asked again after a crash, it finds the same.
pub async fn freeze_export(
    catalog: &CatalogStore,
    objects: &Objects,
    export_id: &ExportId,
    keys: &Keys,
) -> Result<Export, StageError> {
    if let Some(export) = find(objects, keys).await? {
        return Ok(export);
    }
    let export: Export = catalog.get(export_id.as_str()).await?;
    let bytes = serde_json::to_vec_pretty(&export)
        .map_err(|error| StageError::stop("definition_unwritable", error.to_string()))?;
    objects.put(&keys.definitions(), bytes).await?;
    Ok(export)
}

/// The export of a run as its first step kept it.
pub async fn frozen_export(objects: &Objects, keys: &Keys) -> Result<Export, StageError> {
    let text = "the export as this run found it is gone; start another run";
    find(objects, keys).await?.ok_or_else(|| StageError::stop("definition_missing", text))
}

async fn find(objects: &Objects, keys: &Keys) -> Result<Option<Export>, StageError> {
    let Some(bytes) = objects.find(&keys.definitions()).await? else { return Ok(None) };
    let export = serde_json::from_slice(&bytes);
    export.map(Some).map_err(|error| StageError::stop("definition_damaged", error.to_string()))
}
