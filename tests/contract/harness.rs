//! The parts of the contract that depend on the destination.

use crate::people;
use crate::store::MemoryStore;
use relay_connectors::{Connector, WantedList};
use relay_model::catalog::{Document, Export};
use relay_model::{ListId, MatchKey, Row};
use sandbox::faults::FaultKind;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Calls that faults are injected into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calls {
    /// Calls that add or change people.
    Adding,
    /// Calls that remove people from the list.
    Removing,
    /// All calls, also those for access tokens.
    Any,
}

/// A destination's sandbox with an account and what an export needs, and connectors for it.
pub(crate) trait Harness: Sized {
    /// The connector under test.
    type C: Connector;

    /// More people than one call takes.
    const MANY: usize;

    /// Whether a list is an object that can be deleted. A tag exists as soon as a contact has it.
    const HAS_LISTS: bool = true;

    /// Whether the destination reports that a removed person was not on the list.
    const REPORTS_UNKNOWN_REMOVALS: bool = true;

    /// The least time that an attempt needs to start.
    const LEAST_TIME: Duration = Duration::from_secs(2);

    /// Starts a destination of its own.
    async fn start() -> Self;

    /// A connector whose credentials are in `store`.
    fn connect(&self, store: MemoryStore) -> Self::C;

    /// Credentials that work.
    fn secret(&self) -> String;

    /// Credentials of the right form that are not accepted.
    fn wrong_secret(&self) -> String;

    /// Valid credentials without a permission that an export needs.
    fn limited_secret(&self) -> String;

    /// All keys, secrets and tokens.
    fn keys(&self) -> Vec<String>;

    /// The export whose segment lands on [`Harness::wanted`]; made of [`export`].
    fn export(&self) -> Export;

    /// The target list.
    fn wanted(&self) -> WantedList;

    /// Lists that an export cannot use.
    fn unusable(&self) -> Vec<WantedList>;

    /// The key of the field that people's names go to; `None` where people have no fields.
    fn field_key(&self) -> Option<String>;

    /// The match key of the person of this number, who can be exported.
    fn match_key(&self, number: usize) -> MatchKey {
        MatchKey(people::email(number))
    }

    /// Match keys that pass the checks of Segment Relay and are refused by the destination.
    fn refused_keys(&self) -> Vec<MatchKey>;

    /// The match keys of all current members of the list.
    fn members(&self, list: &ListId) -> BTreeSet<String>;

    /// Waits until the destination has completed all accepted work: some accept a call and process it later.
    async fn wait_until_idle(&self) {}

    /// How many people the destination has, on any list.
    fn people(&self) -> usize;

    /// How many of these people the destination has before an export.
    fn known(&self, _rows: &[Row]) -> usize {
        0
    }

    /// The stored name of a person.
    fn name_of(&self, list: &ListId, key: &MatchKey) -> Option<String>;

    /// Adds a person to the list as another program would.
    fn put(&self, list: &ListId, key: &MatchKey);

    /// Creates a person in each state that an export must not change, and returns their match keys.
    fn guard(&self, list: &ListId) -> Vec<MatchKey>;

    /// The name of that state.
    fn state_of(&self, list: &ListId, key: &MatchKey) -> String;

    /// Injects a fault into the next calls of these kinds.
    fn fault(&self, calls: Calls, kind: &FaultKind, times: usize);

    /// Injects a fault into every n-th call: 3 means the third, the sixth, ….
    fn fault_every(&self, every: usize, kind: &FaultKind, times: usize);

    /// Removes all faults.
    fn clear_faults(&self);

    /// How many calls were received.
    fn calls(&self) -> usize;

    /// How many of these calls were writes.
    fn writes(&self) -> usize;

    /// The names of all lists, if exports create lists.
    fn lists(&self) -> Vec<String>;

    /// Deletes the list as its owner would.
    fn delete_list(&self, list: &ListId);
}

/// A destination whose lists can be deleted.
pub(crate) trait RetiringHarness: Harness {
    /// Uses the list for something else.
    fn begin_use(&self, list: &ListId);

    /// Ends the other use of the list.
    fn end_use(&self, list: &ListId);
}

/// An export to this list; `None` for a list of the segment's own.
pub(crate) fn export(list: Option<&str>, field: Option<&str>, options: &Value) -> Export {
    let mapping: Vec<Value> = field
        .into_iter()
        .map(|field| serde_json::json!({"attribute": "given_name", "field": field}))
        .collect();
    let mut segment = serde_json::json!({"segment": "readers"});
    if let Some(list) = list {
        segment["target_list"] = list.into();
    }
    let document = serde_json::json!({
        "id": "contract",
        "name": "Contract",
        "connection": "contract",
        "match_key": "email",
        "mapping": mapping,
        "segments": [segment],
        "options": options,
    });
    Export::parse(&document.to_string()).unwrap()
}

/// The match keys of the rows.
pub(crate) fn keys_of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> BTreeSet<String> {
    rows.into_iter().map(|row| row.match_key.0.clone()).collect()
}
