//! Checks that every referenced document exists or will exist.

use std::collections::BTreeSet;

use relay_model::catalog::{Kind, Segment};
use relay_model::query::TextError;
use serde_json::Value;

/// Identifiers that exist once the plan is applied.
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

    fn all(&self, kind: Kind) -> Vec<String> {
        self.ids.iter().filter(|(name, _)| *name == kind.name()).map(|(_, id)| id.clone()).collect()
    }
}

/// Returns the references of a document: kind, identifier, and the referencing field.
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

/// Which missing documents are errors of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// All, because the folder references them.
    Anything,
    /// Those that the plan removes. The plan cannot fix documents that were missing or unreadable before.
    Removed,
}

/// Returns the fields that reference missing documents; `place` is the file or the definition.
pub(super) fn dangling(
    kind: Kind,
    document: &Value,
    place: &str,
    blamed: Missing,
    known: &Known,
    removed: &BTreeSet<(&str, &str)>,
) -> Vec<String> {
    let is_removed = |referenced: Kind, id: &str| removed.contains(&(referenced.name(), id));
    let missing = references(kind, document).into_iter().filter(|(referenced, id, _)| {
        !known.has(*referenced, id) && (blamed == Missing::Anything || is_removed(*referenced, id))
    });
    let fault = |(referenced, id, field): (Kind, String, String)| {
        let why = if is_removed(referenced, &id) {
            "which is not in the folder and would be removed"
        } else {
            "which is neither in the folder nor in the deployment"
        };
        format!("{place}: {field}: needs {} \"{id}\", {why}", referenced.name())
    };
    missing.map(fault).collect()
}

/// Returns the errors in a segment's query and in its sources; `place` is the file or the definition.
pub(super) fn misread(
    kind: Kind,
    document: &Value,
    place: &str,
    blamed: Missing,
    known: &Known,
    removed: &BTreeSet<(&str, &str)>,
) -> Vec<String> {
    let segment = (kind == Kind::Segment).then(|| serde_json::from_value::<Segment>(document.clone()));
    // An invalid segment is reported by another check.
    let Some(Ok(segment)) = segment else { return Vec::new() };
    let names = match segment.sources() {
        Ok(names) => names,
        Err(_) if blamed == Missing::Removed => return Vec::new(),
        Err(error) => return vec![format!("{place}: query: {error}")],
    };
    let fault = |name: String| {
        let field = segment.place_of_source(&name);
        if removed.contains(&(Kind::Source.name(), name.as_str())) {
            return Some(format!("{place}: {field}: reads source \"{name}\", which would be removed"));
        }
        let unknown = TextError::UnknownSource { name, sources: known.all(Kind::Source) };
        (blamed == Missing::Anything).then(|| format!("{place}: {field}: {unknown}"))
    };
    names.into_iter().filter(|name| !known.has(Kind::Source, name)).filter_map(fault).collect()
}
