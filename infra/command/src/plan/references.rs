//! Whether everything that is named is there, or will be.

use std::collections::BTreeSet;

use relay::catalog::Kind;
use serde_json::Value;

use super::tables::tables_read;

/// Identifiers that will be there once the plan is carried out.
#[derive(Debug, Default)]
pub(super) struct Known {
    ids: BTreeSet<(&'static str, String)>,
}

impl Known {
    pub(super) fn insert(&mut self, kind: Kind, id: &str) {
        self.ids.insert((kind.name(), id.to_owned()));
    }

    fn has(&self, kind: Kind, id: &str) -> bool {
        self.ids.contains(&(kind.name(), id.to_owned()))
    }
}

/// What a document names: the kind, the identifier, and the field that names it.
fn references(kind: Kind, document: &Value) -> Vec<(Kind, String, String)> {
    if kind != Kind::Export {
        return Vec::new();
    }
    let named =
        |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let connection = named(document, "/connection").map(|id| (Kind::Connection, id, "connection".to_owned()));
    let segments = document.get("segments").and_then(Value::as_array).into_iter().flatten().enumerate();
    let segments = segments.filter_map(|(index, entry)| {
        Some((Kind::Segment, named(entry, "/segment")?, format!("segments[{index}].segment")))
    });
    connection.into_iter().chain(segments).collect()
}

/// Which missing documents are the plan's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// All of them: the folder says so.
    Anything,
    /// Those that the plan removes: what was missing or unreadable before is nothing that this plan could mend.
    Removed,
}

/// The fields of a document that name what is not there; `place` is the file or the definition.
pub(super) fn dangling(
    kind: Kind,
    document: &Value,
    place: &str,
    blamed: Missing,
    known: &Known,
    removed: &BTreeSet<(&str, &str)>,
) -> Vec<String> {
    let is_removed = |wanted: Kind, id: &str| removed.contains(&(wanted.name(), id));
    let missing = references(kind, document).into_iter().filter(|(wanted, id, _)| {
        !known.has(*wanted, id) && (blamed == Missing::Anything || is_removed(*wanted, id))
    });
    let fault = |(wanted, id, field): (Kind, String, String)| {
        let why = if is_removed(wanted, &id) {
            "which is not in the folder and would be removed"
        } else {
            "which is neither in the folder nor there already"
        };
        format!("{place}: {field}: needs {} \"{id}\", {why}", wanted.name())
    };
    missing.map(fault).collect()
}

/// The tables of a segment's query that no source stands for.
pub(super) fn unknown_tables(document: &Value, known: &Known) -> Vec<String> {
    let query = document.get("query").and_then(Value::as_str).unwrap_or_default();
    tables_read(query).into_iter().filter(|table| !known.has(Kind::Source, table)).collect()
}
