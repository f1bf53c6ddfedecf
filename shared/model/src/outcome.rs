//! Outcomes of rows. Every row has exactly one outcome, and the counts add up.

use super::Operation;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::AddAssign;
use utoipa::ToSchema;

/// Why a row was not applied: a stable code and a sentence for people. Neither contains personal data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// A stable code: Segment Relay's own (`email_invalid`) or the destination's code with its name
    /// (`campaign_monitor_206`).
    pub code: Cow<'static, str>,
    /// A sentence that says what is wrong and, if possible, how to fix it.
    pub text: Cow<'static, str>,
}

impl Reason {
    /// Creates a reason with constant texts.
    #[must_use]
    pub const fn new(code: &'static str, text: &'static str) -> Self {
        Self { code: Cow::Borrowed(code), text: Cow::Borrowed(text) }
    }

    /// Creates a reason with texts made at run time (never from a row's values).
    #[must_use]
    pub fn made(code: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.into(), text: text.into() }
    }
}

/// The outcome of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The destination has acknowledged the row.
    Applied,
    /// The destination already has this state; nothing was sent.
    Unchanged,
    /// The row was skipped for a reason that needs no correction (unsubscribed, a duplicate, over the cap).
    Skipped(Reason),
    /// The destination, or a check before sending, refused the row; the data has to be corrected.
    Rejected(Reason),
    /// The row could not be sent this time; the next run sends it again.
    Deferred(Reason),
}

impl Outcome {
    /// Returns the kind of the outcome, given what the row asked for.
    #[must_use]
    pub const fn kind(&self, operation: Operation) -> OutcomeKind {
        match (self, operation) {
            (Self::Applied, Operation::Add) => OutcomeKind::Added,
            (Self::Applied, Operation::Change) => OutcomeKind::Changed,
            (Self::Applied, Operation::Remove) => OutcomeKind::Removed,
            (Self::Unchanged, _) => OutcomeKind::Unchanged,
            (Self::Skipped(_), _) => OutcomeKind::Skipped,
            (Self::Rejected(_), _) => OutcomeKind::Rejected,
            (Self::Deferred(_), _) => OutcomeKind::Deferred,
        }
    }

    /// Returns why the row was not applied, if it was not.
    #[must_use]
    pub const fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Applied | Self::Unchanged => None,
            Self::Skipped(reason) | Self::Rejected(reason) | Self::Deferred(reason) => Some(reason),
        }
    }
}

/// The seven kinds that a run's rows are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// Added to the list.
    Added,
    /// Updated.
    Changed,
    /// Removed from the list.
    Removed,
    /// Already up to date.
    Unchanged,
    /// Skipped, with no correction needed.
    Skipped,
    /// Refused; the data has to be corrected.
    Rejected,
    /// Postponed to the next run.
    Deferred,
}

impl OutcomeKind {
    /// Every kind, in report order.
    pub const ALL: [Self; 7] = [
        Self::Added,
        Self::Changed,
        Self::Removed,
        Self::Unchanged,
        Self::Skipped,
        Self::Rejected,
        Self::Deferred,
    ];

    /// Returns the kind's name in reports, the API and the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Rejected => "rejected",
            Self::Deferred => "deferred",
        }
    }
}

/// Row counts by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Counts {
    /// Rows added to the list.
    pub added: u64,
    /// Rows updated.
    pub changed: u64,
    /// Rows removed from the list.
    pub removed: u64,
    /// Rows already up to date.
    pub unchanged: u64,
    /// Rows skipped.
    pub skipped: u64,
    /// Rows whose data has to be corrected.
    pub rejected: u64,
    /// Rows that the next run sends again.
    pub deferred: u64,
}

impl Counts {
    /// Returns the number of rows with this outcome.
    #[must_use]
    pub const fn of(&self, kind: OutcomeKind) -> u64 {
        match kind {
            OutcomeKind::Added => self.added,
            OutcomeKind::Changed => self.changed,
            OutcomeKind::Removed => self.removed,
            OutcomeKind::Unchanged => self.unchanged,
            OutcomeKind::Skipped => self.skipped,
            OutcomeKind::Rejected => self.rejected,
            OutcomeKind::Deferred => self.deferred,
        }
    }

    /// Counts `rows` more rows of `kind`.
    pub const fn count(&mut self, kind: OutcomeKind, rows: u64) {
        let counter = match kind {
            OutcomeKind::Added => &mut self.added,
            OutcomeKind::Changed => &mut self.changed,
            OutcomeKind::Removed => &mut self.removed,
            OutcomeKind::Unchanged => &mut self.unchanged,
            OutcomeKind::Skipped => &mut self.skipped,
            OutcomeKind::Rejected => &mut self.rejected,
            OutcomeKind::Deferred => &mut self.deferred,
        };
        *counter += rows;
    }

    /// Returns the number of all rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        OutcomeKind::ALL.iter().map(|kind| self.of(*kind)).sum()
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        for kind in OutcomeKind::ALL {
            self.count(kind, other.of(kind));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_counted_once() {
        let mut counts = Counts::default();
        for (rows, kind) in (1..).zip(OutcomeKind::ALL) {
            counts.count(kind, rows);
            assert_eq!(counts.of(kind), rows, "{}", kind.name());
        }
        assert_eq!(counts.total(), 28);
        let mut twice = counts;
        twice += counts;
        assert_eq!(twice.total(), 56);
    }

    #[test]
    fn only_applied_rows_count_as_what_they_asked_for() {
        let skipped = Outcome::Skipped(Reason::new("code", "text"));
        assert_eq!(skipped.kind(Operation::Remove), OutcomeKind::Skipped);
        assert_eq!(Outcome::Applied.kind(Operation::Remove), OutcomeKind::Removed);
        assert_eq!(Outcome::Applied.kind(Operation::Change), OutcomeKind::Changed);
        assert_eq!(Outcome::Applied.kind(Operation::Add), OutcomeKind::Added);
    }
}
