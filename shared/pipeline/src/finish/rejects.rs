//! The rows that were not applied, for people: a CSV with codes and reasons, and the count of each reason.

use super::events::Event;
use super::{Reasons, StageError};
use relay_cloud::Objects;
use relay_model::privacy::Exclusions;
use relay_model::run::{Keys, Plan, ReasonCount, StopCode};
use relay_model::{ListId, MemberKey, Operation, OutcomeKind};
use std::fs::File;
use std::io::BufWriter;
use tempfile::NamedTempFile;

/// Writes the CSV and counts the reasons.
pub(super) struct Rejects {
    /// Excluded people: they are counted but not named.
    excluded: Exclusions,
    file: NamedTempFile,
    csv: csv::Writer<BufWriter<File>>,
    rows: u64,
    reasons: Reasons,
}

fn operation_name(operation: Operation) -> &'static str {
    match operation {
        Operation::Add => "add",
        Operation::Change => "change",
        Operation::Remove => "remove",
    }
}

fn csv_error(error: &csv::Error) -> StageError {
    StageError::again(StopCode::Disk, format!("rejected rows cannot be written: {error}"))
}

impl Rejects {
    pub(super) fn new(excluded: Exclusions) -> Result<Self, StageError> {
        let file = NamedTempFile::new()?;
        let mut csv = csv::Writer::from_writer(BufWriter::new(file.reopen()?));
        let header = ["target_list", "member_key", "match_key", "operation", "outcome", "code", "reason"];
        csv.write_record(header).map_err(|error| csv_error(&error))?;
        Ok(Self { excluded, file, csv, rows: 0, reasons: Reasons::new() })
    }

    /// Returns whether a member is excluded.
    pub(super) fn is_excluded(&self, member: &MemberKey) -> bool {
        self.excluded.has(&member.0)
    }

    /// Counts the queries' rows that could not become members. They are not listed, because they have no key.
    pub(super) fn query_rows(&mut self, plan: &Plan) {
        let counts = plan.query_counts();
        let mut add = |kind, code: &str, text: &str, rows| {
            if rows > 0 {
                self.reasons.insert((kind, code.to_owned()), (text.to_owned(), rows));
            }
        };
        let text = "the query gave rows without a member key, so they cannot be anybody";
        add(OutcomeKind::Rejected, "member_key_missing", text, counts.rejected);
        let text = "the query gave more than one row for a member; the first goes";
        add(OutcomeKind::Skipped, "duplicate_member_row", text, counts.skipped);
    }

    /// Counts an event that was not applied and writes its row.
    pub(super) fn event(&mut self, list: &ListId, event: &Event) -> Result<(), StageError> {
        let Some(reason) = event.outcome.reason() else {
            return Ok(());
        };
        let kind = event.outcome.kind(event.operation);
        let entry = self.reasons.entry((kind, reason.code.to_string()));
        entry.or_insert_with(|| (reason.text.to_string(), 0)).1 += 1;
        if self.is_excluded(&event.member_key) {
            return Ok(());
        }
        self.rows += 1;
        let record = [
            &list.0,
            &event.member_key.0,
            &event.match_key.0,
            operation_name(event.operation),
            kind.name(),
            &reason.code,
            &reason.text,
        ];
        self.csv.write_record(record).map_err(|error| csv_error(&error))
    }

    /// Returns the CSV and the number of rows that the reasons account for.
    #[cfg(test)]
    pub(super) fn written(mut self) -> std::io::Result<(String, u64)> {
        self.csv.flush()?;
        let rows = self.reasons.values().map(|(_, rows)| rows).sum();
        Ok((std::fs::read_to_string(self.file.path())?, rows))
    }

    /// Stores the CSV if it has any rows, and returns the reasons, the most frequent first.
    pub(super) async fn finish(
        mut self,
        objects: &Objects,
        keys: &Keys,
    ) -> Result<(Option<String>, Vec<ReasonCount>), StageError> {
        self.csv.flush()?;
        let rejected_key = (self.rows > 0).then(|| keys.rejected());
        if let Some(key) = &rejected_key {
            objects.upload(key, self.file.path()).await?;
        }
        let reasons = self.reasons.into_iter();
        let mut reasons: Vec<ReasonCount> =
            reasons.map(|((kind, code), (text, rows))| ReasonCount { kind, code, text, rows }).collect();
        reasons.sort_by(|left, right| right.rows.cmp(&left.rows).then_with(|| left.code.cmp(&right.code)));
        Ok((rejected_key, reasons))
    }
}
