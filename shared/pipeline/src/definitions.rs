//! The definitions of a run, frozen by its first step: later edits apply to the next run.
//!
//! Only the export is frozen. Each step reads the connection anew, because a withdrawn consent has to stop an
//! active run, and a corrected secret has to repair it.

use super::StageError;
use jiff::Timestamp;
use relay_cloud::{CatalogStore, LookupError, Objects};
use relay_model::catalog::{Activation, CatalogError, Export, Segment};
use relay_model::run::{Keys, StopCode};
use relay_model::{ExportId, ListId, SegmentId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The definitions that a run uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunDefinitions {
    /// The export, with the segments that the run delivers: those that have started and not ended, unless a
    /// segment of the same list is inactive.
    pub export: Export,
    /// The lists with an inactive segment, and the lists whose segments have not started yet. They are
    /// neither updated nor emptied.
    pub left_alone: BTreeSet<ListId>,
    /// Why the run delivers less than the export has, for people.
    pub notices: Vec<String>,
}

impl RunDefinitions {
    /// Returns what a run of the export delivers at `now`. `is_active` says for each of its segments whether
    /// it is active.
    #[must_use]
    pub fn of(mut export: Export, now: Timestamp, is_active: &BTreeMap<SegmentId, bool>) -> Self {
        let mut notices = Vec::new();
        let mut not_yet = BTreeSet::new();
        export.segments.retain(|entry| {
            let when = match entry.activation(now) {
                Activation::Active => return true,
                Activation::NotYet(from) => {
                    not_yet.insert(entry.list());
                    format!("goes from {from} on")
                }
                Activation::Over(until) => format!("went until {until}"),
            };
            notices.push(format!("segment \"{}\" {when}, so this run is without it", entry.segment));
            false
        });
        let is_off = |segment: &SegmentId| is_active.get(segment) == Some(&false);
        let off = export.segments.iter().filter(|entry| is_off(&entry.segment));
        let mut left_alone = BTreeSet::new();
        for entry in off {
            let (segment, list) = (&entry.segment, entry.list());
            notices
                .push(format!("segment \"{segment}\" is switched off, so target list {list} stays as it is"));
            left_alone.insert(list);
        }
        export.segments.retain(|entry| !left_alone.contains(&entry.list()));
        // Members of such a list are meant to stay until its segment starts, because an earlier run put them
        // there.
        left_alone.extend(
            not_yet.into_iter().filter(|list| !export.segments.iter().any(|entry| entry.list() == *list)),
        );
        Self { export, left_alone, notices }
    }
}

/// Returns the frozen definitions; if there are none yet, freezes those in the catalog at `now`.
///
/// Only the first step of a run calls this. After a crash, a repeated call returns the same definitions.
pub async fn freeze_definitions(
    catalog: &CatalogStore,
    objects: &Objects,
    export_id: &ExportId,
    keys: &Keys,
    now: Timestamp,
) -> Result<RunDefinitions, StageError> {
    if let Some(definitions) = find(objects, keys).await? {
        return Ok(definitions);
    }
    let export: Export = catalog.get(export_id.as_str()).await?;
    let mut is_active = BTreeMap::new();
    for entry in &export.segments {
        // A missing segment is reported by the step that needs it: one that has not started may still be
        // created.
        match catalog.get::<Segment>(entry.segment.as_str()).await {
            Ok(segment) => drop(is_active.insert(segment.id, segment.active)),
            Err(LookupError::Catalog(CatalogError::Missing { .. })) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let definitions = RunDefinitions::of(export, now, &is_active);
    let bytes = serde_json::to_vec_pretty(&definitions)
        .map_err(|error| StageError::stop(StopCode::DefinitionUnwritable, error.to_string()))?;
    objects.put(&keys.definitions(), bytes).await?;
    Ok(definitions)
}

/// Returns the definitions that the run's first step froze.
pub async fn frozen_definitions(objects: &Objects, keys: &Keys) -> Result<RunDefinitions, StageError> {
    let text = "the export as this run found it is gone; start another run";
    find(objects, keys).await?.ok_or_else(|| StageError::stop(StopCode::DefinitionMissing, text))
}

async fn find(objects: &Objects, keys: &Keys) -> Result<Option<RunDefinitions>, StageError> {
    let Some(bytes) = objects.find(&keys.definitions()).await? else { return Ok(None) };
    let definitions = serde_json::from_slice(&bytes);
    definitions.map(Some).map_err(|error| StageError::stop(StopCode::DefinitionDamaged, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_model::catalog::Document;
    use serde_json::{Value, json};

    const NOW: &str = "2026-11-22T10:00:00Z";

    /// Checks which segments a run delivers, which lists it leaves alone, and how many notices it has.
    #[track_caller]
    fn check(segments: &Value, off: &[&str], expected: (&[&str], &[&str], usize)) {
        let document =
            json!({ "id": "newsletter", "name": "Newsletter", "match_key": "email", "segments": segments });
        let export = Export::parse(&document.to_string()).unwrap();
        let id = |text: &str| SegmentId::try_from(text.to_owned()).unwrap();
        let is_active = ["a", "b", "c"].map(|name| (id(name), !off.contains(&name))).into();
        let definitions = RunDefinitions::of(export, NOW.parse().unwrap(), &is_active);
        let brought: Vec<&str> =
            definitions.export.segments.iter().map(|entry| entry.segment.as_str()).collect();
        let left_alone: Vec<&str> = definitions.left_alone.iter().map(|list| list.0.as_str()).collect();
        assert_eq!((brought.as_slice(), left_alone.as_slice(), definitions.notices.len()), expected);
    }

    #[test]
    fn a_run_brings_what_has_started_has_not_ended_and_is_switched_on() {
        let (past, future) = ("2026-11-22T09:59:59Z", "2026-11-22T10:00:01Z");
        let lists = json!([
            { "segment": "a", "target_list": "1" }, { "segment": "b", "target_list": "1" }, { "segment": "c" }
        ]);
        check(&lists, &[], (&["a", "b", "c"], &[], 0));
        // The other segments of the list cannot be delivered without the inactive one: its members would be
        // removed.
        check(&lists, &["b"], (&["c"], &["1"], 1));
        check(&lists, &["a", "b"], (&["c"], &["1"], 2));
        check(&lists, &["c"], (&["a", "b"], &["segment:c"], 1));
        check(&lists, &["a", "c"], (&[], &["1", "segment:c"], 2));
        let turns = json!([
            { "segment": "a", "target_list": "1", "starts_at": past, "ends_at": future },
            { "segment": "b", "target_list": "1", "ends_at": past },
            { "segment": "c", "starts_at": future }
        ]);
        check(&turns, &[], (&["a"], &["segment:c"], 2));
        // A segment that is not due does not prevent an update of its list.
        check(&turns, &["b", "c"], (&["a"], &["segment:c"], 2));
        check(&turns, &["a"], (&[], &["1", "segment:c"], 3));
    }
}
