//! What became of the rows of a batch, while it is worked on.

use crate::{NoJob, PushError, Pushed};
use relay_delivery::batch::RowResult;
use relay_model::Row;
use std::collections::HashMap;

/// The rows of a batch and their results so far. A contact that several rows name is worked on once, for calls that
/// name one twice are refused.
pub(super) struct Board<'a> {
    rows: &'a [Row],
    results: Vec<Option<RowResult>>,
    /// For each row the first one with its contact.
    firsts: Vec<usize>,
}

impl<'a> Board<'a> {
    pub(super) fn new(rows: &'a [Row]) -> Self {
        let mut seen = HashMap::with_capacity(rows.len());
        let first = |(number, row): (usize, &'a Row)| *seen.entry(row.match_key.0.as_str()).or_insert(number);
        let firsts = rows.iter().enumerate().map(first).collect();
        Self { rows, results: vec![None; rows.len()], firsts }
    }

    /// The rows of `numbers` that are to be worked on yet.
    pub(super) fn open(&self, numbers: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let is_open = |number: &usize| {
            self.firsts.get(*number) == Some(number) && matches!(self.results.get(*number), Some(None))
        };
        numbers.into_iter().filter(is_open).collect()
    }

    /// How many rows there are.
    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// The contacts of rows.
    pub(super) fn contacts(&self, numbers: &[usize]) -> Vec<&'a str> {
        numbers
            .iter()
            .filter_map(|number| self.rows.get(*number))
            .map(|row| row.match_key.0.as_str())
            .collect()
    }

    /// What became of a row.
    pub(super) fn settle(&mut self, number: usize, result: RowResult) {
        if let Some(slot) = self.results.get_mut(number) {
            *slot = Some(result);
        }
    }

    /// Ends the work: all results, or those of the first rows and why there are no more.
    pub(super) fn close(self, ended: Result<(), PushError>) -> Result<Pushed<NoJob>, PushError> {
        let total = self.rows.len();
        let results: Vec<RowResult> =
            self.firsts.iter().map_while(|first| self.results.get(*first).cloned().flatten()).collect();
        match ended {
            Ok(()) if results.len() == total => Ok(Pushed::Done(results)),
            Ok(()) => Err(super::unsettled()),
            Err(error) if results.is_empty() => Err(error),
            Err(error) => Ok(Pushed::Partly(results, error)),
        }
    }
}
