//! The stored parts of a batch: its rows, and the results of earlier attempts.

use super::PushWorker;
use crate::StageError;
use futures_util::{StreamExt, TryStreamExt, stream};
use relay_cloud::ledger::Progress;
use relay_connectors::Connector;
use relay_delivery::batch::{Frame, RowResult, decode_results};
use relay_model::catalog::Connection;
use relay_model::run::{BatchPointer, Keys};

/// How many frames of one batch are fetched at a time.
const FETCHES_AT_A_TIME: usize = 8;

impl<C, F> PushWorker<C, F>
where
    C: Connector,
    F: Fn(&Connection) -> Result<C, StageError>,
{
    pub(super) async fn frame(&self, keys: &Keys, pointer: &BatchPointer) -> Result<Frame, StageError> {
        let key = keys.delta(pointer.target);
        let fetches = pointer.batch.frames.iter().map(|place| {
            let key = key.as_str();
            async move { self.objects.get_range(key, place.offset_bytes, place.length_bytes).await }
        });
        let packed: Vec<Vec<u8>> = stream::iter(fetches).buffered(FETCHES_AT_A_TIME).try_collect().await?;
        Ok(Frame::decode_all(packed.iter().map(Vec::as_slice))?)
    }

    /// Returns the results that earlier attempts stored. They record what those attempts did, which the
    /// destination would not report again.
    pub(super) async fn stored_results(
        &self,
        keys: &Keys,
        pointer: &BatchPointer,
        attempts: u32,
        progress: &Progress,
        rows: usize,
    ) -> Result<Vec<RowResult>, StageError> {
        if attempts < 2 && progress.rows_done == 0 {
            return Ok(Vec::new());
        }
        let stored = self.objects.find(&keys.results(pointer.target, pointer.batch.number)).await?;
        let mut results = stored.map(|packed| decode_results(&packed)).transpose()?.unwrap_or_default();
        let rows_done = usize::try_from(progress.rows_done).unwrap_or(usize::MAX);
        if results.len() > rows || (results.len() < rows && results.len() != rows_done) {
            // A job covers the rows after those that the ledger counts as done.
            results.truncate(rows_done);
        }
        Ok(results)
    }
}
