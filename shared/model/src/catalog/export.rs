//! Exports: a connection, segments, target lists, mapping, options and a schedule.

use super::{CatalogError, Document, ExportSegment, Kind, Schedule, labels};
use crate::{ConnectionId, ExportId, ListId, SegmentId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// A definition of which segments are sent where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// Its identifier.
    pub id: ExportId,
    /// The display name.
    pub name: String,
    /// Labels for sorting: at most 20, with 50 characters each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub labels: Vec<String>,
    /// The connection. Without one the export is detached: it keeps its definition and does not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    /// The attribute that finds the person in the destination.
    pub match_key: String,
    /// The mapping from attributes to fields, in the order in which they are sent.
    #[serde(default)]
    pub mapping: Vec<FieldMapping>,
    /// The segments and their target lists. Segments with the same target list are merged into a union.
    pub segments: Vec<ExportSegment>,
    /// The maximum number of profiles.
    #[serde(default)]
    pub cap: Cap,
    /// The threshold above which removals need approval.
    #[serde(default)]
    pub guard: Guard,
    /// When it runs automatically.
    #[serde(default)]
    pub schedule: Schedule,
    /// What happens to a target list when its segment is removed from the export.
    #[serde(default)]
    pub when_segment_removed: SegmentRemoval,
    /// A disabled export does not run.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// The destination-specific options, which the connector parses.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub options: Map<String, Value>,
}

const fn enabled() -> bool {
    true
}

/// An attribute and the destination's field that it is written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldMapping {
    /// The attribute: a column of the segments' queries.
    pub attribute: String,
    /// The destination's field, by its key or its display name.
    pub field: String,
    /// What an absent value means.
    #[serde(default)]
    pub if_null: NullPolicy,
    /// What to do with a value that does not fit the field.
    #[serde(default)]
    pub if_invalid: InvalidPolicy,
}

/// What an absent value (`NULL`) means. `0`, `false` and the empty text are values, never absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NullPolicy {
    /// Leave the field unchanged in the destination.
    #[default]
    Omit,
    /// Clear the field in the destination.
    Clear,
    /// Reject the row.
    Reject,
}

/// What to do with a value that does not fit the destination's field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvalidPolicy {
    /// Reject the row.
    #[default]
    Reject,
    /// Leave the field unchanged in the destination; the report counts the row.
    Omit,
    /// Shorten text that is too long (the report counts the row); reject the row for any other reason.
    Truncate,
}

/// The maximum number of profiles of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cap {
    /// A limit of the customer's own contract, below the destination's.
    pub rows: Option<u64>,
    /// What happens over the cap.
    pub over: OverCap,
}

/// What happens over the cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverCap {
    /// The run fails before the first push.
    #[default]
    Fail,
    /// Send the first members by member key; the rest are skipped and counted.
    Truncate,
}

/// What happens to a target list when its segment is removed from the export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SegmentRemoval {
    /// Keep it unchanged. If the segment is added again, the export continues where it stopped.
    #[default]
    Keep,
    /// Remove every member that the export has added.
    Empty,
    /// As `empty`, and delete the list if the export created it and nothing else uses it.
    Delete,
}

/// The threshold above which removals need approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Guard {
    /// Hold the run if more than this percentage of the delivered members would be removed …
    pub removed_percent: u8,
    /// … and more than this number of members.
    pub removed_rows: u64,
}

impl Default for Guard {
    fn default() -> Self {
        Self { removed_percent: 30, removed_rows: 100 }
    }
}

impl Export {
    /// Returns the connection, or an error for a detached export.
    pub fn connection(&self) -> Result<&ConnectionId, CatalogError> {
        let detached = || self.refuse("connection", "the export is detached; set its connection");
        self.connection.as_ref().ok_or_else(detached)
    }

    /// Returns whether the export uses a segment.
    #[must_use]
    pub fn uses(&self, segment: &SegmentId) -> bool {
        self.segments.iter().any(|entry| entry.segment == *segment)
    }

    /// Returns the attributes that the segments must provide: the match key and the mapped ones, each once.
    #[must_use]
    pub fn attributes(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        std::iter::once(&self.match_key)
            .chain(self.mapping.iter().map(|mapping| &mapping.attribute))
            .filter(|attribute| seen.insert(attribute.as_str()))
            .cloned()
            .collect()
    }

    /// Returns the target lists, each once, in the order of their first segment.
    #[must_use]
    pub fn target_lists(&self) -> Vec<ListId> {
        let mut seen = BTreeSet::new();
        self.segments.iter().map(ExportSegment::list).filter(|list| seen.insert(list.clone())).collect()
    }

    /// Returns the last instant up to `now` at which the activation of one of its segments changed.
    #[must_use]
    pub fn last_turn(&self, now: Timestamp) -> Option<Timestamp> {
        let turns = self.segments.iter().flat_map(|entry| [entry.starts_at, entry.ends_at]);
        turns.flatten().filter(|turn| *turn <= now).max()
    }

    fn refuse(&self, field: impl Into<String>, problem: impl Into<String>) -> CatalogError {
        CatalogError::Field {
            kind: Self::KIND.name(),
            id: self.id.to_string(),
            field: field.into(),
            problem: problem.into(),
        }
    }
}

impl Document for Export {
    const KIND: Kind = Kind::Export;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn validate(&self) -> Result<(), CatalogError> {
        labels::validate(&self.labels).map_err(|(field, problem)| self.refuse(field, problem))?;
        if self.match_key.trim().is_empty() {
            return Err(self.refuse("match_key", "must name the attribute that holds the person's match key"));
        }
        if self.segments.is_empty() {
            return Err(self.refuse("segments", "must have at least one segment"));
        }
        let mut pairs = BTreeSet::new();
        for (index, entry) in self.segments.iter().enumerate() {
            entry
                .validate()
                .map_err(|(field, problem)| self.refuse(format!("segments[{index}].{field}"), problem))?;
            if !pairs.insert((&entry.segment, entry.list())) {
                let problem =
                    format!("segment \"{}\" is listed twice for the same target list", entry.segment);
                return Err(self.refuse(format!("segments[{index}]"), problem));
            }
        }
        let mut fields = BTreeSet::new();
        for (index, mapping) in self.mapping.iter().enumerate() {
            if mapping.attribute.trim().is_empty() || mapping.field.trim().is_empty() {
                return Err(self.refuse(format!("mapping[{index}]"), "attribute and field must not be empty"));
            }
            if !fields.insert(&mapping.field) {
                let problem = format!("field \"{}\" is mapped twice", mapping.field);
                return Err(self.refuse(format!("mapping[{index}].field"), problem));
            }
        }
        if self.cap.rows == Some(0) {
            return Err(self.refuse("cap.rows", "must be at least 1"));
        }
        if self.guard.removed_percent > 100 {
            return Err(self.refuse("guard.removed_percent", "must be 0 to 100"));
        }
        self.schedule.validate().map_err(|error| self.refuse("schedule", error.to_string()))
    }
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
