//! The list of an export's runs.

use super::item::{Item, export_text, find_text, key, text};
use super::{Ledger, LedgerError};
use crate::aws::count_call;
use crate::model::{ExportId, RunId};
use crate::run::Run;
use futures_util::{StreamExt, TryStreamExt, stream};

/// How many runs are read at a time.
const READS_AT_A_TIME: usize = 16;
/// The most runs of one page.
const LARGEST_PAGE: usize = 100;
const PREFIX: &str = "run#";

/// A run's ids are ordered by time, and so is the list.
pub(super) fn history_key(export: &ExportId, run: RunId) -> Item {
    key(export_text(export), format!("{PREFIX}{run}"))
}

impl Ledger {
    /// The runs of an export, the newest first: at most `limit` (1 to 100) of those before `cursor`, and the cursor of
    /// the next page, where there is one.
    pub async fn runs(
        &self,
        export: &ExportId,
        limit: usize,
        cursor: Option<RunId>,
    ) -> Result<(Vec<Run>, Option<RunId>), LedgerError> {
        let limit = limit.clamp(1, LARGEST_PAGE);
        let mut ids = self.run_ids(export, limit, cursor).await?;
        let has_more = ids.len() > limit;
        ids.truncate(limit);
        let next = ids.last().copied().filter(|_| has_more);
        let reads = stream::iter(ids).map(|run_id| async move {
            match self.run(run_id).await {
                // The two items of a run are forgotten one after the other.
                Err(LedgerError::RunMissing(_)) => Ok(None),
                read => read.map(Some),
            }
        });
        let runs: Vec<Option<Run>> = reads.buffered(READS_AT_A_TIME).try_collect().await?;
        Ok((runs.into_iter().flatten().collect(), next))
    }

    /// One id more than `limit`, where there are so many: whoever asks knows then that there is a next page.
    async fn run_ids(
        &self,
        export: &ExportId,
        limit: usize,
        cursor: Option<RunId>,
    ) -> Result<Vec<RunId>, LedgerError> {
        let mut ids: Vec<RunId> = Vec::with_capacity(limit + 1);
        let mut start = cursor.map(|run| history_key(export, run));
        loop {
            count_call();
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .scan_index_forward(false)
                .limit(i32::try_from(limit + 1 - ids.len()).unwrap_or(1))
                .key_condition_expression("pk = :export AND begins_with(sk, :prefix)")
                .expression_attribute_values(":export", text(export_text(export)))
                .expression_attribute_values(":prefix", text(PREFIX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| self.cloud("list runs in", &error))?;
            let run_id = |item: &Item| find_text(item, "sk")?.strip_prefix(PREFIX)?.parse::<RunId>().ok();
            ids.extend(page.items().iter().filter_map(run_id));
            start = page.last_evaluated_key;
            if start.is_none() || ids.len() > limit {
                return Ok(ids);
            }
        }
    }
}
