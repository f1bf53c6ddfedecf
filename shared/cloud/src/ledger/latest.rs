//! The latest run of each export.

use super::item::{export_key, find_moment, find_text};
use super::{Ledger, LedgerError};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use relay_model::ExportId;
use relay_model::run::Run;

/// The number of exports that are read concurrently.
const EXPORTS_AT_A_TIME: usize = 16;

/// The latest run of an export. Dry runs do not count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LatestRun {
    /// The run in progress, or the one that ended last while the ledger keeps it.
    pub run: Option<Run>,
    /// When a complete delivery ended last.
    pub delivered_at: Option<Timestamp>,
}

impl Ledger {
    /// Returns the latest runs of exports, in the order of the exports. It takes two reads for each, some exports at a
    /// time.
    pub async fn latest_runs(&self, exports: &[ExportId]) -> Result<Vec<LatestRun>, LedgerError> {
        let reads =
            stream::iter(exports.to_vec()).map(|export| async move { self.latest_run(&export).await });
        reads.buffered(EXPORTS_AT_A_TIME).try_collect().await
    }

    /// Returns the latest run of an export.
    pub async fn latest_run(&self, export: &ExportId) -> Result<LatestRun, LedgerError> {
        let item = self.item(export_key(export)).await?.unwrap_or_default();
        let stored = find_moment(&item, "delivered_at_ms");
        let run_id = find_text(&item, "active_run").or_else(|| find_text(&item, "last_run"));
        let Some(run_id) = run_id.and_then(|id| id.parse().ok()) else {
            return Ok(LatestRun { run: None, delivered_at: stored });
        };
        let run = match self.run(run_id).await {
            // Runs expire after months.
            Err(LedgerError::RunMissing(_)) => None,
            read => Some(read?),
        };
        // A run ends a moment before it releases its slot, and only the release stores its end with the
        // export.
        let delivered_at = run.as_ref().and_then(Run::delivered_at).max(stored);
        Ok(LatestRun { run, delivered_at })
    }
}
