//! The sums over a run's target lists that the cap and the guard check.

use super::StageError;
use super::limits::{cap_error, declared_removals, held_text};
use relay_connectors::{CapScope, Limits};
use relay_delivery::delta::DifferFigures;
use relay_model::catalog::{Export, Guard, OverCap};
use relay_model::run::RunSegment;
use relay_model::uploads::UploadId;

/// Sums over the target lists of a run.
pub(super) struct Accounts {
    cap_rows: u64,
    scope: CapScope,
    over: OverCap,
    guard: Guard,
    deliverable: u64,
    /// The largest figure of one target list.
    largest: u64,
    delivered_before: u64,
    removals: u64,
    resting: u64,
}

impl Accounts {
    /// Creates sums without a target list. `resting` profiles are on lists that the run leaves alone; they
    /// count towards the cap.
    pub(super) fn new(limits: Limits, export: &Export, resting: u64) -> Self {
        Self {
            resting,
            cap_rows: export.cap.rows.map_or(limits.cap_rows, |rows| rows.min(limits.cap_rows)),
            scope: limits.cap_scope,
            over: export.cap.over,
            guard: export.guard,
            deliverable: 0,
            largest: 0,
            delivered_before: 0,
            removals: 0,
        }
    }

    /// Returns what happens over the cap.
    pub(super) const fn over(&self) -> OverCap {
        self.over
    }

    /// Returns how many more profiles the cap admits.
    pub(super) fn cap_left(&self) -> u64 {
        match self.scope {
            CapScope::Export => self.cap_rows.saturating_sub(self.deliverable + self.resting),
            CapScope::Segment => self.cap_rows,
        }
    }

    /// Adds the figures of one target list, which has the members of `segments`.
    pub(super) fn add<'a>(
        &mut self,
        figures: &DifferFigures,
        segments: impl Iterator<Item = &'a RunSegment>,
        ending: &[UploadId],
    ) {
        let declared = declared_removals(figures.removals, segments, ending);
        self.deliverable += figures.deliverable;
        self.largest = self.largest.max(figures.deliverable);
        self.delivered_before += figures.delivered_before.saturating_sub(declared);
        self.removals += figures.removals - declared;
    }

    /// Returns an error if the run exceeds the cap and the export does not truncate.
    pub(super) fn check_cap(&self) -> Result<(), StageError> {
        self.within_cap(self.deliverable, self.largest)
    }

    /// Returns an error if `all` profiles, or the `largest` target list, exceed the cap and the export does
    /// not truncate.
    pub(super) fn within_cap(&self, all: u64, largest: u64) -> Result<(), StageError> {
        let counted = match self.scope {
            CapScope::Export => all + self.resting,
            CapScope::Segment => largest,
        };
        if self.over == OverCap::Fail && counted > self.cap_rows {
            return Err(cap_error(counted, self.cap_rows));
        }
        Ok(())
    }

    /// Returns why the guard holds the run, if it does.
    pub(super) fn held(&self, segments: &[RunSegment]) -> Option<String> {
        held_text(self.guard, self.removals, self.delivered_before, segments)
    }
}
