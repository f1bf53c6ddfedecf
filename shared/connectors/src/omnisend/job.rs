//! What has to be remembered of a batch of rows while Omnisend works on it: numbers of rows and ids of batches, and
//! nothing about anybody.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rows on their way: each is waiting to be sent, part of a submission, failed, to go again, or neither of these,
/// which is applied. A row's number is its place in the frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OmnisendJob {
    /// When it was begun, in seconds since 1970.
    pub(super) since_second: i64,
    /// How often rows have gone again.
    #[serde(default)]
    pub(super) rounds: u32,
    /// Rows that are to be sent.
    #[serde(default)]
    pub(super) waiting: Vec<Span>,
    /// What Omnisend has taken and not ended, as far as we know.
    #[serde(default)]
    pub(super) submissions: Vec<Submission>,
    /// Rows that failed in a way that may pass, and how: they go again when no submission is left.
    #[serde(default)]
    pub(super) again: BTreeMap<u32, Failure>,
    /// Rows that failed for this run, and how.
    #[serde(default)]
    pub(super) failed: BTreeMap<u32, Failure>,
    /// Rows before this one have the tag.
    #[serde(default)]
    pub(super) tagged_rows: u32,
}

/// Rows that follow each other: the first one's number and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span(pub(super) u32, pub(super) u32);

/// One batch of Omnisend's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// Its id there.
    pub(super) batch_id: String,
    /// Whose contacts it has, in its order.
    pub(super) rows: Vec<Span>,
}

/// How a row failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u16", into = "u16")]
pub enum Failure {
    /// The batch ended and did not say.
    NotTold,
    /// The batch did not end in time.
    TooLate,
    /// The row alone is larger than a request may be.
    TooLarge,
    /// The contact has no room for one more tag.
    TooManyTags,
    /// The contact was written without the tag and still has it.
    TagStays,
    /// By this HTTP status.
    Status(u16),
}

impl From<u16> for Failure {
    fn from(code: u16) -> Self {
        match code {
            0 => Self::NotTold,
            1 => Self::TooLate,
            2 => Self::TooLarge,
            3 => Self::TooManyTags,
            4 => Self::TagStays,
            status => Self::Status(status),
        }
    }
}

impl From<Failure> for u16 {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotTold => 0,
            Failure::TooLate => 1,
            Failure::TooLarge => 2,
            Failure::TooManyTags => 3,
            Failure::TagStays => 4,
            Failure::Status(status) => status,
        }
    }
}

impl OmnisendJob {
    /// All rows wait.
    pub(super) fn new(rows: usize, since_second: i64) -> Self {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        Self {
            since_second,
            rounds: 0,
            waiting: vec![Span(0, rows)],
            submissions: Vec::new(),
            again: BTreeMap::new(),
            failed: BTreeMap::new(),
            tagged_rows: 0,
        }
    }

    /// The first `most` of the rows that wait.
    pub(super) fn first_waiting(&self, most: usize) -> Vec<u32> {
        numbers(&self.waiting).take(most).collect()
    }

    /// The first `count` of the rows that wait do so no longer.
    pub(super) fn take_waiting(&mut self, count: usize) {
        let rest: Vec<u32> = numbers(&self.waiting).skip(count).collect();
        self.waiting = spans(&rest);
    }
}

/// The numbers of the rows in some spans.
pub(super) fn numbers(spans: &[Span]) -> impl Iterator<Item = u32> {
    spans.iter().flat_map(|Span(first, count)| *first..first.saturating_add(*count))
}

/// Ascending numbers as spans.
pub(super) fn spans(numbers: &[u32]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for number in numbers {
        match spans.last_mut() {
            Some(Span(first, count)) if first.saturating_add(*count) == *number => *count += 1,
            _ => spans.push(Span(*number, 1)),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_kept_as_spans() {
        let check = |rows: &[u32], expected: &[(u32, u32)]| {
            let found = spans(rows);
            assert_eq!(found.iter().map(|Span(first, count)| (*first, *count)).collect::<Vec<_>>(), expected);
            assert_eq!(numbers(&found).collect::<Vec<_>>(), rows);
        };
        check(&[], &[]);
        check(&[0, 1, 2], &[(0, 3)]);
        check(&[1, 3, 4, 9], &[(1, 1), (3, 2), (9, 1)]);
    }

    #[test]
    fn a_job_survives_the_ledger_and_names_nobody() {
        let mut job = OmnisendJob::new(5, 1_772_236_800);
        job.take_waiting(2);
        job.submissions.push(Submission { batch_id: "5b0c188b".to_owned(), rows: vec![Span(0, 2)] });
        job.again.insert(1, Failure::Status(429));
        job.failed.insert(0, Failure::TooLate);
        let written = serde_json::to_value(&job).unwrap();
        let expected = serde_json::json!({
            "since_second": 1_772_236_800,
            "rounds": 0,
            "waiting": [[2, 3]],
            "submissions": [{"batch_id": "5b0c188b", "rows": [[0, 2]]}],
            "again": {"1": 429},
            "failed": {"0": 1},
            "tagged_rows": 0,
        });
        assert_eq!(written, expected);
        assert_eq!(serde_json::from_value::<OmnisendJob>(written).unwrap(), job);
    }
}
