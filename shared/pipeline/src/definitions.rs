//! What a run is about, as its first step found it: what is edited while the run is under way is the next run's.
//!
//! Only the export is kept. The connection is read anew by each step, for a consent that is taken back has to stop a
//! run that is under way, and a secret that is put right has to mend it.

use super::StageError;
use jiff::Timestamp;
use relay_cloud::{CatalogStore, LookupError, Objects};
use relay_model::catalog::{Activation, CatalogError, Export, Segment};
use relay_model::run::{Keys, StopCode};
use relay_model::{ExportId, ListId, SegmentId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a run is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunDefinitions {
    /// The export, with the segments that the run brings: those that have started, have not ended, and whose lists have
    /// no segment that is switched off.
    pub export: Export,
    /// The lists that have such a segment, and those whose segments are all still to go. They are neither brought up to date
    /// nor emptied.
    pub left_alone: BTreeSet<ListId>,
    /// Why the run brings less than the export has, for people.
    pub notices: Vec<String>,
}

impl RunDefinitions {
    /// What a run of the export is about at `now`. `is_active` says of each of its segments whether it is switched on.
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
        // Whoever is on the list of a segment that is still to go was meant to stay, or would not be there.
        left_alone.extend(
            not_yet.into_iter().filter(|list| !export.segments.iter().any(|entry| entry.list() == *list)),
        );
        Self { export, left_alone, notices }
    }
}

/// What a run is about: as it was kept, or as the catalog has it at `now`, which is kept then.
///
/// For the first step of a run, which is the only one that asks for it; asked again after a crash, it finds the same.
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
        // What is not there is told by whoever needs it: a segment that has not started yet may still be made.
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

/// What a run is about, as its first step kept it.
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

    /// Which segments a run brings, which lists it leaves alone, and how many notices it has.
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
        // A list's other segments cannot go without the one that is off: its members would leave.
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
        // One that does not go keeps no list from being brought up to date.
        check(&turns, &["b", "c"], (&["a"], &["segment:c"], 2));
        check(&turns, &["a"], (&[], &["1", "segment:c"], 3));
    }
}
