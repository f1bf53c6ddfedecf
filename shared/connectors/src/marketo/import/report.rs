//! Which rows an import refused: its report has the rows themselves and one column more, and no numbers. Pure.

use super::file::ImportFile;
use crate::marketo::answers::ImportStatus;
use crate::marketo::outcomes;
use csv::StringRecord;
use relay_delivery::batch::RowResult;
use relay_model::{Outcome, Reason};
use std::collections::{HashMap, VecDeque};

const NOT_NAMED: Reason = Reason::new(
    "failure_not_named",
    "Marketo refused some rows of the import without saying which; the next run tries again",
);
/// What the added columns are called.
const REASONS: &[&str] = &["Import Failure Reason", "Import Warning Reason"];

/// One refused row.
struct Refused {
    /// Our columns that the report has, with its cells.
    cells: Vec<(usize, String)>,
    reason: String,
}

/// Whether as many rows are accounted for as were sent: what is processed may or may not include what failed.
pub(super) fn adds_up(status: &ImportStatus, rows: usize) -> bool {
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    let processed = status.num_of_leads_processed;
    processed == rows || processed.saturating_add(status.num_of_rows_failed) == rows
}

/// One result per row. Where Marketo's counts do not say that all other rows were taken, none of them is called so.
pub(super) fn results(status: &ImportStatus, file: &ImportFile, failures: &[u8]) -> Vec<RowResult> {
    let refused = read(file, failures);
    let is_whole = u64::try_from(refused.len()).is_ok_and(|count| count == status.num_of_rows_failed);
    let fields: Vec<&str> = file.header.iter().map(String::as_str).collect();
    let mut results: Vec<Option<RowResult>> = vec![None; file.rows.len()];
    let unmatched = assign(file, &refused, |row, reason| {
        if let Some(result) = results.get_mut(row) {
            *result = Some(outcomes::import_failure(reason, &fields));
        }
    });
    let are_others_applied = is_whole && unmatched == 0 && adds_up(status, file.rows.len());
    if !are_others_applied {
        tracing::warn!(
            batch = status.batch_id,
            rows = file.rows.len(),
            processed = status.num_of_leads_processed,
            failed = status.num_of_rows_failed,
            unmatched,
            "the counts of an import do not add up"
        );
    }
    let other = || {
        if are_others_applied { RowResult::new(Outcome::Applied) } else { outcomes::deferred(NOT_NAMED) }
    };
    results.into_iter().map(|result| result.unwrap_or_else(other)).collect()
}

/// How many rows a report has.
pub(super) fn count(file: &ImportFile, report: &[u8]) -> usize {
    read(file, report).len()
}

/// Gives each refused row to one of ours: to one that is the same in all columns, else to one with the same match
/// key. Identical rows take turns, so that as many of them are refused as the report has. Gives how many fit nowhere.
fn assign(file: &ImportFile, refused: &[Refused], mut give: impl FnMut(usize, &str)) -> usize {
    let mut is_given = vec![false; file.rows.len()];
    let mut left: Vec<&Refused> = Vec::new();
    // All rows of a report have the same columns.
    let columns: Vec<usize> =
        refused.first().map_or_else(Vec::new, |row| row.cells.iter().map(|(column, _)| *column).collect());
    let mut same = index(file, &columns);
    for row in refused {
        let cells: Vec<&str> = row.cells.iter().map(|(_, cell)| cell.as_str()).collect();
        match same.get_mut(&cells).and_then(VecDeque::pop_front) {
            Some(number) => {
                if let Some(is_given) = is_given.get_mut(number) {
                    *is_given = true;
                }
                give(number, &row.reason);
            }
            None => left.push(row),
        }
    }
    let mut by_key = index(file, &[0]);
    let mut unmatched = 0;
    for row in left {
        let key = row.cells.iter().find(|(column, _)| *column == 0).map(|(_, cell)| cell.as_str());
        let numbers = key.and_then(|key| by_key.get_mut(&vec![key]));
        let free = numbers.and_then(|numbers| {
            std::iter::from_fn(|| numbers.pop_front()).find(|number| is_given.get(*number) == Some(&false))
        });
        match free {
            Some(number) => give(number, &row.reason),
            None => unmatched += 1,
        }
    }
    unmatched
}

/// The rows' numbers by their cells in some columns.
fn index<'a>(file: &'a ImportFile, columns: &[usize]) -> HashMap<Vec<&'a str>, VecDeque<usize>> {
    let mut index: HashMap<Vec<&str>, VecDeque<usize>> = HashMap::new();
    for (number, row) in file.rows.iter().enumerate() {
        let cells = columns.iter().map(|column| row.get(*column).map_or("", String::as_str)).collect();
        index.entry(cells).or_default().push_back(number);
    }
    index
}

fn read(file: &ImportFile, report: &[u8]) -> Vec<Refused> {
    let report = report.strip_prefix("\u{feff}".as_bytes()).unwrap_or(report);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(report);
    let Ok(header) = reader.byte_headers().cloned() else {
        return Vec::new();
    };
    let header: Vec<String> =
        header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let known: Vec<(usize, usize)> = header
        .iter()
        .enumerate()
        .filter_map(|(place, name)| Some((place, file.header.iter().position(|column| column == name)?)))
        .collect();
    let reason_at = header.iter().position(|name| REASONS.contains(&name.as_str()));
    let refused = |record: StringRecord| {
        let reason_at = reason_at.or_else(|| record.len().checked_sub(1))?;
        let cells = known
            .iter()
            .map(|(place, column)| (*column, record.get(*place).unwrap_or_default().to_owned()))
            .collect();
        Some(Refused { cells, reason: record.get(reason_at).unwrap_or_default().to_owned() })
    };
    // A record that is not UTF-8 counts as one that fits nowhere.
    let records = reader.byte_records().map_while(Result::ok);
    records.filter_map(|record| refused(StringRecord::from_byte_record_lossy(record))).collect()
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
