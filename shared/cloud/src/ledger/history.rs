//! Lists runs of one export and of several.

use super::item::{Item, export_text, find_text, key, text};
use super::{Ledger, LedgerError};
use crate::count_call;
use futures_util::{StreamExt, TryStreamExt, future, stream};
use jiff::Timestamp;
use relay_model::run::{Run, RunState};
use relay_model::{ExportId, RunId};
use std::cmp::Reverse;
use uuid::Uuid;

/// The number of concurrent reads of runs or lists.
const READS_AT_A_TIME: usize = 16;
/// The maximum number of runs in a page.
const LARGEST_PAGE: usize = 100;
/// The maximum number of runs that are read for a filtered page.
const MOST_LOOKED_AT: usize = 300;
const PREFIX: &str = "run#";
/// The number of bits after the time in milliseconds in a run's id (RFC 9562).
const BITS_BEHIND_TIME: u32 = 80;

/// Returns the sort key of a run. Ids are ordered by time, and so is the list.
pub(super) fn history_key(export: &ExportId, run: RunId) -> Item {
    key(export_text(export), sort_key(run))
}

fn sort_key(run: RunId) -> String {
    format!("{PREFIX}{run}")
}

/// A filter of runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// The states; empty for any state.
    pub states: Vec<RunState>,
    /// Runs requested at or after this time.
    pub since: Option<Timestamp>,
    /// Runs requested before this time.
    pub until: Option<Timestamp>,
}

/// A range of ids, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    least: RunId,
    greatest: RunId,
}

impl RunFilter {
    /// Returns the ids that can match, of runs before `cursor`; `None` if there are none.
    fn bounds(&self, cursor: Option<RunId>) -> Option<Bounds> {
        let least = self.since.map_or(0, first_id_at);
        let ends = [self.until.map(first_id_at), cursor.map(|run| run.0.as_u128())];
        let greatest = match ends.into_iter().flatten().min() {
            Some(end) => end.checked_sub(1)?,
            None => u128::MAX,
        };
        let run = |id| RunId(Uuid::from_u128(id));
        (least <= greatest).then_some(Bounds { least: run(least), greatest: run(greatest) })
    }

    fn takes(&self, run: &Run) -> bool {
        self.states.is_empty() || self.states.contains(&run.state)
    }
}

/// Returns the least id of a run in this millisecond.
fn first_id_at(at: Timestamp) -> u128 {
    u128::try_from(at.as_millisecond()).unwrap_or_default() << BITS_BEHIND_TIME
}

impl Ledger {
    /// Returns the runs of an export, the newest first: at most `limit` (1 to 100) of those before
    /// `cursor`, and the cursor of the next page, if there is one.
    pub async fn runs(
        &self,
        export: &ExportId,
        limit: usize,
        cursor: Option<RunId>,
    ) -> Result<(Vec<Run>, Option<RunId>), LedgerError> {
        self.runs_of(std::slice::from_ref(export), &RunFilter::default(), limit, cursor).await
    }

    /// Returns the runs of several exports, the newest first: at most `limit` (1 to 100) of those before
    /// `cursor`, and the cursor of the next page, if there is one.
    ///
    /// A page costs one query of ids per export and one read per run, independent of the length of the
    /// histories. If the filter has states, up to 300 runs are read instead, so a page may have fewer than
    /// `limit` runs, or none, and still a cursor.
    pub async fn runs_of(
        &self,
        exports: &[ExportId],
        filter: &RunFilter,
        limit: usize,
        cursor: Option<RunId>,
    ) -> Result<(Vec<Run>, Option<RunId>), LedgerError> {
        let limit = limit.clamp(1, LARGEST_PAGE);
        let Some(bounds) = filter.bounds(cursor) else { return Ok((Vec::new(), None)) };
        let most_ids = if filter.states.is_empty() { limit } else { MOST_LOOKED_AT };
        let (ids, has_more) = self.newest_ids(exports, most_ids, bounds).await?;
        let last = ids.last().copied();
        let reads = stream::iter(ids).map(|run_id| async move {
            match self.run(run_id).await {
                // The two items of a run expire independently.
                Err(LedgerError::RunMissing(_)) => Ok((run_id, None)),
                read => read.map(|run| (run_id, Some(run))),
            }
        });
        let mut reads = std::pin::pin!(reads.buffered(READS_AT_A_TIME));
        let mut runs = Vec::new();
        while let Some((run_id, run)) = reads.try_next().await? {
            runs.extend(run.filter(|run| filter.takes(run)));
            if runs.len() == limit {
                let is_end = last == Some(run_id) && !has_more;
                return Ok((runs, (!is_end).then_some(run_id)));
            }
        }
        Ok((runs, last.filter(|_| has_more)))
    }

    /// Returns the newest ids of several exports' runs, and whether there are more than `limit`.
    async fn newest_ids(
        &self,
        exports: &[ExportId],
        limit: usize,
        bounds: Bounds,
    ) -> Result<(Vec<RunId>, bool), LedgerError> {
        let lists = stream::iter(exports.to_vec())
            .map(|export| async move { self.run_ids(&export, limit, bounds).await });
        // Merged as they arrive, so that memory holds one page and the pending reads only.
        let merged = lists.buffer_unordered(READS_AT_A_TIME).try_fold(Vec::new(), |mut newest, ids| {
            newest.extend(ids);
            newest.sort_unstable_by_key(|run| Reverse(*run));
            newest.truncate(limit + 1);
            future::ok(newest)
        });
        let mut ids = merged.await?;
        let has_more = ids.len() > limit;
        ids.truncate(limit);
        Ok((ids, has_more))
    }

    /// Returns up to `limit` + 1 ids, so that the caller knows whether there is a next page.
    async fn run_ids(
        &self,
        export: &ExportId,
        limit: usize,
        bounds: Bounds,
    ) -> Result<Vec<RunId>, LedgerError> {
        let mut ids: Vec<RunId> = Vec::new();
        let mut start = None;
        loop {
            count_call();
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .scan_index_forward(false)
                .limit(i32::try_from(limit + 1 - ids.len()).unwrap_or(1))
                .key_condition_expression("pk = :export AND sk BETWEEN :least AND :greatest")
                .expression_attribute_values(":export", text(export_text(export)))
                .expression_attribute_values(":least", text(sort_key(bounds.least)))
                .expression_attribute_values(":greatest", text(sort_key(bounds.greatest)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Returns a run id for this time, with fixed random bits.
    fn run_at(text: &str) -> RunId {
        let behind_time = 0x7abc_8abc_def0_1234_5678;
        RunId(Uuid::from_u128(first_id_at(at(text)) | behind_time))
    }

    #[track_caller]
    fn check(since: Option<&str>, until: Option<&str>, cursor: Option<RunId>, expected: &[&str]) {
        let filter = RunFilter { states: Vec::new(), since: since.map(at), until: until.map(at) };
        let runs = ["2026-11-21T09:59:59.999Z", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00.001Z"];
        let bounds = filter.bounds(cursor);
        let is_within =
            |run: RunId| bounds.is_some_and(|Bounds { least, greatest }| least <= run && run <= greatest);
        let found: Vec<&str> = runs.into_iter().filter(|run| is_within(run_at(run))).collect();
        let expected: Vec<String> = expected.iter().map(|time| format!("2026-11-21T{time}Z")).collect();
        assert_eq!(found, expected, "{filter:?}");
    }

    #[test]
    fn a_time_is_a_bound_of_ids() {
        check(None, None, None, &["09:59:59.999", "10:00:00", "10:00:00.001"]);
        check(Some("2026-11-21T10:00:00Z"), None, None, &["10:00:00", "10:00:00.001"]);
        check(None, Some("2026-11-21T10:00:00Z"), None, &["09:59:59.999"]);
        check(Some("2026-11-21T10:00:00Z"), Some("2026-11-21T10:00:00.001Z"), None, &["10:00:00"]);
        check(Some("2026-11-21T10:00:00Z"), Some("2026-11-21T10:00:00Z"), None, &[]);
        check(Some("1969-01-01T00:00:00Z"), None, None, &["09:59:59.999", "10:00:00", "10:00:00.001"]);
        check(None, Some("1969-01-01T00:00:00Z"), None, &[]);
        let cursor = run_at("2026-11-21T10:00:00Z");
        check(None, None, Some(cursor), &["09:59:59.999"]);
        check(None, Some("2026-11-21T10:00:00.001Z"), Some(cursor), &["09:59:59.999"]);
        check(Some("2026-11-21T10:00:00Z"), None, Some(cursor), &[]);
    }

    #[test]
    fn ids_are_made_of_their_times() {
        let (now, made) = (
            at("2026-11-21T10:00:00.250Z"),
            uuid::Timestamp::from_unix(uuid::NoContext, 1_795_255_200, 250_000_000),
        );
        let id = Uuid::new_v7(made).as_u128();
        assert_eq!(id >> BITS_BEHIND_TIME, first_id_at(now) >> BITS_BEHIND_TIME);
    }
}
