//! What the contract has to know of a destination.

use crate::people;
use crate::store::MemoryStore;
use relay_connectors::{Connector, WantedList};
use relay_model::catalog::{Document, Export};
use relay_model::{ListId, MatchKey, Row};
use sandbox::faults::FaultKind;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Calls that something is to go wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calls {
    /// Those that put people on the list or change them.
    Adding,
    /// Those that take people off the list.
    Removing,
    /// All, those for access tokens too.
    Any,
}

/// A destination's sandbox with an account and what an export needs, and connectors for it.
pub(crate) trait Harness: Sized {
    /// What is tried.
    type C: Connector;

    /// More people than one call takes.
    const MANY: usize;

    /// Whether a list is a thing of its own, which can be deleted; a tag is there as soon as somebody has it.
    const HAS_LISTS: bool = true;

    /// Whether the destination says of a removal that there was nobody to remove.
    const TELLS_STRANGERS: bool = true;

    /// What an attempt must have left to begin with.
    const LEAST_TIME: Duration = Duration::from_secs(2);

    /// Starts a destination of its own.
    async fn start() -> Self;

    /// A connector whose credentials are in `store`.
    fn connect(&self, store: MemoryStore) -> Self::C;

    /// Credentials that work.
    fn secret(&self) -> String;

    /// Credentials of the right form that are not accepted.
    fn wrong_secret(&self) -> String;

    /// Credentials that are accepted and lack a right that an export needs.
    fn limited_secret(&self) -> String;

    /// Every text that lets somebody in.
    fn keys(&self) -> Vec<String>;

    /// The export whose segment lands on [`Harness::wanted`]; made of [`export`].
    fn export(&self) -> Export;

    /// The target list.
    fn wanted(&self) -> WantedList;

    /// Lists that an export cannot go to.
    fn unusable(&self) -> Vec<WantedList>;

    /// The key of the field that people's names go to; `None` where people have no fields.
    fn field_key(&self) -> Option<String>;

    /// The match key of the person of this number, who can be exported.
    fn match_key(&self, number: usize) -> MatchKey {
        MatchKey(people::email(number))
    }

    /// Match keys that the destination does not take, although they have passed our own checks.
    fn refused_keys(&self) -> Vec<MatchKey>;

    /// The match keys of everybody who is on the list now.
    fn members(&self, list: &ListId) -> BTreeSet<String>;

    /// Returns when everything that the destination has promised is done: some say yes first and work later.
    async fn come_to_rest(&self) {}

    /// How many people the destination knows, on whatever list.
    fn people(&self) -> usize;

    /// How many of these people it knows before an export brings them.
    fn known(&self, _rows: &[Row]) -> usize {
        0
    }

    /// What is stored as a person's name.
    fn name_of(&self, list: &ListId, key: &MatchKey) -> Option<String>;

    /// Somebody else puts a person on the list.
    fn put(&self, list: &ListId, key: &MatchKey);

    /// Makes a person in each state that an export must not change, and gives their match keys.
    fn guard(&self, list: &ListId) -> Vec<MatchKey>;

    /// That state, in words.
    fn state_of(&self, list: &ListId, key: &MatchKey) -> String;

    /// The next so many calls of these kinds go wrong.
    fn fault(&self, calls: Calls, kind: &FaultKind, times: usize);

    /// Each so-many-th call from now on goes wrong, so many times: 3 is the third, the sixth, ….
    fn fault_every(&self, every: usize, kind: &FaultKind, times: usize);

    /// Nothing goes wrong any more.
    fn clear_faults(&self);

    /// How many calls have been answered or cut.
    fn calls(&self) -> usize;

    /// How many calls among them were there to change something.
    fn writes(&self) -> usize;

    /// The names of all lists, where exports make lists.
    fn lists(&self) -> Vec<String>;

    /// Somebody deletes the list.
    fn delete_list(&self, list: &ListId);
}

/// A destination whose lists can be deleted.
pub(crate) trait RetiringHarness: Harness {
    /// Somebody uses the list for something else.
    fn begin_use(&self, list: &ListId);

    /// Nothing else uses the list any more.
    fn end_use(&self, list: &ListId);
}

/// An export to this list; `None` for a list of the segment's own.
pub(crate) fn export(list: Option<&str>, field: Option<&str>, options: &Value) -> Export {
    let mapping: Vec<Value> = field
        .into_iter()
        .map(|field| serde_json::json!({"attribute": "given_name", "field": field}))
        .collect();
    let mut segment = serde_json::json!({"segment": "everybody"});
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

/// The members that rows stand for.
pub(crate) fn keys_of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> BTreeSet<String> {
    rows.into_iter().map(|row| row.match_key.0.clone()).collect()
}
