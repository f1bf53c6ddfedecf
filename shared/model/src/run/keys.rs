//! Keys of a run's objects in the data bucket.

use crate::{ExportId, ListId, RunId, SegmentId};
use std::fmt::Display;

/// The object keys of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    run: RunId,
    export: ExportId,
}

impl Keys {
    /// Creates the keys of a run.
    #[must_use]
    pub const fn new(run: RunId, export: ExportId) -> Self {
        Self { run, export }
    }

    /// Returns the key of a segment's snapshot.
    #[must_use]
    pub fn snapshot(&self, segment: &SegmentId) -> String {
        format!("snapshots/{}/{segment}.parquet", self.run)
    }

    /// Returns the key of a snapshot's manifest.
    #[must_use]
    pub fn manifest(&self, segment: &SegmentId) -> String {
        format!("snapshots/{}/{segment}.json", self.run)
    }

    /// Returns the key of the export's definition at the start of the run. Segment ids have no slash, so no
    /// snapshot has this key.
    #[must_use]
    pub fn definitions(&self) -> String {
        format!("snapshots/{}/definitions/export.json", self.run)
    }

    /// Returns the key of the run's plan.
    #[must_use]
    pub fn plan(&self) -> String {
        format!("deltas/{}/plan.json", self.run)
    }

    /// Returns the key of the batches of one target list, by its index in the plan.
    #[must_use]
    pub fn delta(&self, target: usize) -> String {
        format!("deltas/{}/{target}.frames", self.run)
    }

    /// Returns the key of the rows of one target list that were settled without a call.
    #[must_use]
    pub fn settled(&self, target: usize, phase: impl Display) -> String {
        format!("results/{}/{target}/settled-{phase}.ndjson.zst", self.run)
    }

    /// Returns the key of the results of one batch.
    #[must_use]
    pub fn results(&self, target: usize, batch: u32) -> String {
        format!("results/{}/{target}/{batch:06}.ndjson.zst", self.run)
    }

    /// Returns the key of the delivered state that the run leaves for one target list.
    #[must_use]
    pub fn delivered(&self, list: &ListId) -> String {
        // List ids are the destination's and may contain any character, so the key has their digest.
        let digest = blake3::hash(list.0.as_bytes()).to_hex();
        format!("delivered/{}/{}/{}.parquet", self.export, digest.get(..16).unwrap_or_default(), self.run)
    }

    /// Returns the key of a dry run's result.
    #[must_use]
    pub fn dry_run(&self) -> String {
        format!("dry-runs/{}/{}.json", self.export, self.run)
    }

    /// Returns the key of the run's report.
    #[must_use]
    pub fn report(&self) -> String {
        format!("reports/{}/{}/report.json", self.export, self.run)
    }

    /// Returns the key of the CSV of rows that were not applied.
    #[must_use]
    pub fn rejected(&self) -> String {
        format!("reports/{}/{}/rejected.csv", self.export, self.run)
    }
}
