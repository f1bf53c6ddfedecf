//! Where a run's objects are in the data bucket.

use crate::{ExportId, ListId, RunId, SegmentId};
use std::fmt::Display;

/// The object keys of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    run: RunId,
    export: ExportId,
}

impl Keys {
    /// The keys of a run.
    #[must_use]
    pub const fn new(run: RunId, export: ExportId) -> Self {
        Self { run, export }
    }

    /// A segment's snapshot.
    #[must_use]
    pub fn snapshot(&self, segment: &SegmentId) -> String {
        format!("snapshots/{}/{segment}.parquet", self.run)
    }

    /// A snapshot's manifest.
    #[must_use]
    pub fn manifest(&self, segment: &SegmentId) -> String {
        format!("snapshots/{}/{segment}.json", self.run)
    }

    /// The export as the run found it. No segment's id has a slash, so no snapshot is called like this.
    #[must_use]
    pub fn definitions(&self) -> String {
        format!("snapshots/{}/definitions/export.json", self.run)
    }

    /// The run's plan.
    #[must_use]
    pub fn plan(&self) -> String {
        format!("deltas/{}/plan.json", self.run)
    }

    /// The batches of one target list, by its place in the plan.
    #[must_use]
    pub fn delta(&self, target: usize) -> String {
        format!("deltas/{}/{target}.frames", self.run)
    }

    /// Rows of one target list that were settled without a call.
    #[must_use]
    pub fn settled(&self, target: usize, phase: impl Display) -> String {
        format!("results/{}/{target}/settled-{phase}.ndjson.zst", self.run)
    }

    /// The results of one batch.
    #[must_use]
    pub fn results(&self, target: usize, batch: u32) -> String {
        format!("results/{}/{target}/{batch:06}.ndjson.zst", self.run)
    }

    /// The delivered state that the run leaves for one target list.
    #[must_use]
    pub fn delivered(&self, list: &ListId) -> String {
        // A list's id is the destination's and may hold anything, so its digest stands in the key.
        let digest = blake3::hash(list.0.as_bytes()).to_hex();
        format!("delivered/{}/{}/{}.parquet", self.export, digest.get(..16).unwrap_or_default(), self.run)
    }

    /// What a dry run has found.
    #[must_use]
    pub fn dry_run(&self) -> String {
        format!("dry-runs/{}/{}.json", self.export, self.run)
    }

    /// The run's report.
    #[must_use]
    pub fn report(&self) -> String {
        format!("reports/{}/{}/report.json", self.export, self.run)
    }

    /// The rows that were not applied, for people.
    #[must_use]
    pub fn rejected(&self) -> String {
        format!("reports/{}/{}/rejected.csv", self.export, self.run)
    }
}
