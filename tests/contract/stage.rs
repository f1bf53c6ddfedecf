//! One destination with a prepared list, and what the promises do with it.

use crate::driver::{Allowance, Delivery, LONG, drive};
use crate::harness::Harness;
use crate::pacer::RecordingPacer;
use crate::people::{self, HasName};
use crate::store::MemoryStore;
use relay_connectors::{CallContext, Connector, DeltaSize, Prepared, PushError, Pushed};
use relay_delivery::batch::{DeltaWriter, Frame, RowResult};
use relay_model::batch::Kind;
use relay_model::{ListId, MatchKey, Outcome, Row};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// How many further runs bring what was deferred.
const RUNS: usize = 6;

/// A destination, ready for batches.
pub(crate) struct Stage<H: Harness> {
    pub(crate) harness: H,
    pub(crate) prepared: Prepared<<H::C as Connector>::Target>,
    pub(crate) pacer: Arc<RecordingPacer>,
    pub(crate) time: Duration,
}

impl<H: Harness> Stage<H> {
    /// Starts a destination and prepares its list.
    pub(crate) async fn open() -> Self {
        let harness = H::start().await;
        let connector = harness.connect(MemoryStore::new(harness.secret()));
        let pacer = Arc::new(RecordingPacer::generous());
        let allowance = Allowance { time: LONG, pacer: Arc::clone(&pacer) };
        let context = allowance.context(&connector);
        let prepared = connector.prepare(&harness.export(), &harness.wanted(), &context).await;
        let mut prepared = prepared.expect("the list can be prepared");
        let fields = u64::from(harness.field_key().is_some());
        let delta = DeltaSize { upsert_rows: 100, upsert_bytes: 10_000, fields, lanes: connector.lanes() };
        connector.gather(&mut prepared.target, delta);
        Self { harness, prepared, pacer, time: LONG }
    }

    /// The same with so little time for each attempt that none is patient for long.
    pub(crate) async fn open_in_a_hurry() -> Self {
        Self { time: H::LEAST_TIME + Duration::from_millis(600), ..Self::open().await }
    }

    pub(crate) const fn list(&self) -> &ListId {
        &self.prepared.list_id
    }

    /// A connector with the right credentials, as a worker that has just started has it.
    pub(crate) fn connector(&self) -> H::C {
        self.harness.connect(MemoryStore::new(self.harness.secret()))
    }

    pub(crate) fn allowance(&self) -> Allowance {
        Allowance { time: self.time, pacer: Arc::clone(&self.pacer) }
    }

    /// The people of these numbers, to be added.
    pub(crate) fn rows(&self, numbers: Range<usize>) -> Vec<Row> {
        numbers.map(|number| self.row(number, self.harness.match_key(number))).collect()
    }

    /// One person under a key of our choice.
    pub(crate) fn row(&self, number: usize, key: MatchKey) -> Row {
        let has_name = if self.harness.field_key().is_some() { HasName::Yes } else { HasName::No };
        people::row(number, key, has_name)
    }

    pub(crate) fn frame(&self, rows: &[Row]) -> Frame {
        Frame { field_keys: self.harness.field_key().into_iter().collect(), rows: rows.to_vec() }
    }

    /// Everybody who is on the list, when all work is done.
    pub(crate) async fn members(&self) -> BTreeSet<String> {
        self.harness.come_to_rest().await;
        self.harness.members(self.list())
    }

    /// One attempt, as it is.
    pub(crate) async fn attempt(
        &self,
        connector: &H::C,
        kind: Kind,
        rows: &[Row],
        context: &CallContext,
    ) -> Result<Pushed<<H::C as Connector>::Job>, PushError> {
        connector.push(&self.prepared.target, kind, &self.frame(rows), context).await
    }

    /// One batch, to its end.
    pub(crate) async fn push(&self, kind: Kind, rows: &[Row]) -> Delivery {
        let (connector, frame) = (|| self.connector(), self.frame(rows));
        drive(connector, &self.prepared.target, kind, &frame, &self.allowance()).await
    }

    /// Rows cut into batches as a delta is, each to its end. The results are in the rows' order.
    pub(crate) async fn push_all(&self, rows: &[Row]) -> Vec<RowResult> {
        let field_keys: Vec<String> = self.harness.field_key().into_iter().collect();
        let limits = <H::C as Connector>::LIMITS.batch;
        let mut object = Vec::new();
        let mut writer =
            DeltaWriter::new(&mut object, &field_keys, 1, limits, <H::C as Connector>::row_bytes);
        for row in rows {
            writer.push(row).unwrap();
        }
        let mut results = Vec::new();
        for entry in writer.finish().unwrap() {
            let place = entry.frames[0];
            let (start, length) =
                (usize::try_from(place.offset_bytes).unwrap(), usize::try_from(place.length_bytes).unwrap());
            let frame = Frame::decode(&object[start..start + length]).unwrap();
            let delivery =
                drive(|| self.connector(), &self.prepared.target, entry.kind, &frame, &self.allowance())
                    .await;
            assert_eq!(delivery.errors, [], "nothing is wrong with the destination");
            results.extend(delivery.results);
        }
        results
    }

    /// Rows brought by one run after the other until none is deferred. Says what happened in all of them.
    pub(crate) async fn settle(&self, kind: Kind, rows: &[Row]) -> Delivery {
        let mut whole = self.push(kind, rows).await;
        for _ in 0..RUNS {
            let places: Vec<usize> = (0..rows.len())
                .filter(|place| matches!(whole.results[*place].outcome, Outcome::Deferred(_)))
                .collect();
            if places.is_empty() {
                break;
            }
            let rest: Vec<Row> = places.iter().map(|place| rows[*place].clone()).collect();
            let next = self.push(kind, &rest).await;
            for (place, result) in places.into_iter().zip(next.results) {
                whole.results[place] = result;
            }
            whole.errors.extend(next.errors);
            whole.failure = next.failure;
            whole.calls += next.calls;
            whole.throttles += next.throttles;
            whole.jobs.extend(next.jobs);
        }
        whole
    }

    /// Puts people on the list by the connector, without trouble.
    pub(crate) async fn deliver(&self, numbers: Range<usize>) -> (Vec<Row>, Vec<RowResult>) {
        let rows = self.rows(numbers);
        let delivery = self.push(Kind::Upsert, &rows).await;
        assert_applied(&delivery.results);
        (rows, delivery.results)
    }
}

/// The error of an attempt that cannot have gone well.
#[track_caller]
pub(crate) fn failed<J>(sent: Result<Pushed<J>, PushError>) -> PushError {
    match sent {
        Ok(Pushed::Done(results) | Pushed::Partly(results, _)) => panic!("it went well: {results:?}"),
        Ok(Pushed::Accepted { .. }) => panic!("it was accepted"),
        Err(error) => error,
    }
}

/// Every row is done. Whoever had it already is as good as who was just brought.
#[track_caller]
pub(crate) fn assert_applied(results: &[RowResult]) {
    for (place, result) in results.iter().enumerate() {
        assert!(is_done(result), "row {place}: {result:?}");
    }
}

/// Whether the destination has acknowledged the row.
pub(crate) const fn is_done(result: &RowResult) -> bool {
    matches!(result.outcome, Outcome::Applied | Outcome::Unchanged)
}
