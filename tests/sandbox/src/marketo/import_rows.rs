//! The rows of an import's file, and what is done with each.

use super::clock::Moment;
use super::errors::{self, ApiError};
use super::fields::{FieldNumber, Fields, ID};
use super::ids::{LeadId, ListId};
use super::options::{BadValues, EmptyCells};
use super::upsert::{self, Step, Terms};
use super::values::Changes;
use super::world::World;
use csv::{ReaderBuilder, StringRecord, Writer};
use serde_json::Value;
use std::vec::IntoIter;

/// A file that is being imported.
#[derive(Debug)]
pub(super) struct ImportFile {
    header: StringRecord,
    /// Those that are still to come: what was imported is forgotten.
    rest: IntoIter<StringRecord>,
    rows: usize,
    columns: Vec<FieldNumber>,
    is_unreadable: bool,
    /// Rows that made or changed a lead.
    pub(super) imported: usize,
    /// Rows whose lead is on the list now.
    pub(super) members: usize,
    /// Rows that were not imported, with the reason.
    pub(super) failures: Vec<(StringRecord, String)>,
    /// Rows that were imported without some of their values, with the reason.
    pub(super) warnings: Vec<(StringRecord, String)>,
}

impl ImportFile {
    pub(super) fn read(content: &[u8], delimiter: u8) -> Self {
        let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(content);
        let header = reader.headers().cloned();
        let rows: Result<Vec<StringRecord>, csv::Error> = reader.into_records().collect();
        let is_unreadable = header.is_err() || rows.is_err();
        let rows = rows.unwrap_or_default();
        Self {
            header: header.unwrap_or_default(),
            rows: rows.len(),
            rest: rows.into_iter(),
            columns: Vec::new(),
            is_unreadable,
            imported: 0,
            members: 0,
            failures: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Finds the fields of the columns; a message if the file cannot be imported at all.
    pub(super) fn resolve(&mut self, fields: &Fields, lookup: &str) -> Result<(), String> {
        if self.is_unreadable || self.header.is_empty() {
            return Err("Import failed: the file cannot be read".to_owned());
        }
        if !self.header.iter().any(|name| name == lookup) {
            return Err(format!("Import failed: there is no column '{lookup}'"));
        }
        for name in &self.header {
            let (number, _) =
                fields.find(name).ok_or_else(|| format!("Import failed: field '{name}' not found"))?;
            self.columns.push(number);
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn taken(&self) -> usize {
        self.rows.saturating_sub(self.rest.len())
    }

    /// A file of some rows, as they were sent, with one more column.
    pub(super) fn written(&self, rows: &[(StringRecord, String)], extra: &str) -> Vec<u8> {
        let mut writer = Writer::from_writer(Vec::new());
        let mut write = |row: &StringRecord, last: &str| {
            // Writing into memory fails for rows of unequal length only: those are filled up.
            let missing = self.header.len().saturating_sub(row.len());
            let cells = row.iter().take(self.header.len()).chain(std::iter::repeat_n("", missing));
            writer.write_record(cells.chain([last])).ok();
        };
        write(&self.header, extra);
        for (row, reason) in rows {
            write(row, reason);
        }
        writer.into_inner().unwrap_or_default()
    }
}

/// Imports the next row.
pub(super) fn take_row(
    world: &mut World,
    file: &mut ImportFile,
    terms: &Terms,
    list: Option<ListId>,
    now: Moment,
) {
    let Some(row) = file.rest.next() else {
        return;
    };
    let read = read(world, &row, &file.columns, terms);
    let imported = read.and_then(|(key, changes, warning)| {
        let id = apply(world, terms, key.as_deref(), changes, now)?;
        Ok((id, warning))
    });
    match imported {
        Ok((id, warning)) => {
            file.imported += 1;
            file.warnings.extend(warning.map(|warning| (row, warning)));
            if let Some(list) = list {
                if world.add_member(list, id, now) {
                    world.report.members_added += 1;
                }
                file.members += 1;
            }
        }
        Err(reason) => {
            *world.report.import_failed.entry(reason.code).or_default() += 1;
            file.failures.push((row, reason.message.into_owned()));
        }
    }
}

type Row = (Option<Box<str>>, Changes, Option<String>);

/// The row's key, its changes, and why some of its values were left out.
fn read(world: &World, row: &StringRecord, columns: &[FieldNumber], terms: &Terms) -> Result<Row, ApiError> {
    if row.len() != columns.len() {
        return Err(errors::error(1003, "Invalid number of columns"));
    }
    let mut key: Option<Box<str>> = None;
    let mut changes = Changes::with_capacity(columns.len());
    let mut warning = None;
    for (number, text) in columns.iter().zip(row) {
        if *number == ID {
            if terms.lookup != ID {
                return Err(errors::error(1003, "Field 'id' is not updateable"));
            }
            key = Some(text.into());
            continue;
        }
        if text.is_empty() {
            if world.options.import_empty_cells == EmptyCells::Clear && *number != terms.lookup {
                changes.push((*number, None));
            }
            continue;
        }
        let Some(field) = world.fields.get(*number) else {
            continue;
        };
        match upsert::change(world, *number, field, &Value::String(text.to_owned())) {
            Ok(change) => changes.push(change),
            Err(reason)
                if *number != terms.lookup && world.options.import_bad_values == BadValues::WarnAndDrop =>
            {
                warning = Some(reason.message.into_owned());
            }
            Err(reason) => return Err(reason),
        }
    }
    let key = key.or_else(|| upsert::key_of(&changes, terms.lookup).map(Box::from));
    Ok((key, changes, warning))
}

fn apply(
    world: &mut World,
    terms: &Terms,
    key: Option<&str>,
    changes: Changes,
    now: Moment,
) -> Result<LeadId, ApiError> {
    match upsert::decide(world, terms, key, changes) {
        Step::Skip(reason) => Err(reason),
        Step::Update(id, changes) => {
            world.leads.update(id, &changes, now);
            world.report.import_updated += 1;
            Ok(id)
        }
        Step::Create(changes) => {
            let first = world.partitions.first().map(|partition| partition.id);
            world.report.import_created += 1;
            Ok(world.leads.create(terms.partition.or(first).unwrap_or(1), &changes, now))
        }
    }
}
