//! The steps that make the deployment match a folder.

mod apply;
mod diff;
mod references;
mod show;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use apply::apply;
pub(crate) use diff::Difference;
use diff::differences;
use references::{Known, Missing, dangling, misread};
use relay_model::catalog::Kind;
use serde_json::Value;
pub(crate) use show::{figures, in_words};

use crate::api::Saved;
use crate::files::Definition;
use crate::kinds::{settled, shortest, whole};

/// What happens to definitions that are not in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leftovers {
    /// They are kept.
    Keep,
    /// They are removed, if the folder has a folder for their kind.
    Remove,
}

/// The steps, in an order that respects dependencies.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// The steps.
    pub(crate) steps: Vec<Step>,
    /// The number of documents that need no change.
    pub(crate) unchanged: usize,
    /// Notes for the user.
    pub(crate) notes: Vec<String>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// The kind of document.
    pub(crate) kind: Kind,
    /// Its identifier.
    pub(crate) id: String,
    /// The action.
    pub(crate) action: Action,
}

/// The action on a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Create it.
    Create {
        /// The new document, in its shortest form.
        document: Value,
    },
    /// Change it.
    Change {
        /// The new document, in its shortest form.
        document: Value,
        /// The version that the plan is based on.
        version: u64,
        /// The differences.
        differences: Vec<Difference>,
    },
    /// Remove it.
    Remove {
        /// The version that the plan is based on.
        version: u64,
    },
}

/// Creates the plan, or returns one line per error.
pub(crate) fn make(
    definitions: &[Definition],
    there: &[(Kind, Saved)],
    leftovers: Leftovers,
    kinds: &[Kind],
) -> Result<Plan, Vec<String>> {
    let mut remote: BTreeMap<(&str, &str), &Saved> =
        there.iter().map(|(kind, saved)| ((kind.name(), saved.id.as_str()), saved)).collect();
    let mut plan = Plan::default();
    let mut faults = Vec::new();
    for definition in definitions {
        let Definition { kind, id, document, .. } = definition;
        let Some(saved) = remote.remove(&(kind.name(), id.as_str())) else {
            match shortest(*kind, document) {
                Ok(document) => plan.push(*kind, id, Action::Create { document }),
                Err(error) => faults.push(error.to_string()),
            }
            continue;
        };
        if is_hidden(*kind, &saved.document) {
            let name = kind.name();
            plan.notes.push(format!("{name} {id}: unchanged, because your role may only see its name"));
            continue;
        }
        match change(*kind, document, saved) {
            Ok(None) => plan.unchanged += 1,
            Ok(Some(action)) => plan.push(*kind, id, action),
            Err(problem) => faults.push(problem),
        }
    }
    let mut known = Known::default();
    for definition in definitions {
        known.insert(definition.kind, &definition.id);
    }
    let removed = plan.take_leftovers(there, &remote, leftovers, kinds, &mut known);
    // Definitions that are kept may depend on definitions that are removed.
    let staying = there.iter().filter(|(kind, saved)| {
        remote.contains_key(&(kind.name(), saved.id.as_str()))
            && !removed.contains(&(kind.name(), saved.id.as_str()))
    });
    for one in definitions {
        let place = one.path.display().to_string();
        faults.extend(dangling(one.kind, &one.document, &place, Missing::Anything, &known, &removed));
        // An unchanged query may have been invalid before.
        let blamed = if plan.saves(one.kind, &one.id) { Missing::Anything } else { Missing::Removed };
        faults.extend(misread(one.kind, &one.document, &place, blamed, &known, &removed));
    }
    for (kind, saved) in staying {
        let place = format!("{} {}", kind.name(), saved.id);
        faults.extend(dangling(*kind, &saved.document, &place, Missing::Removed, &known, &removed));
        faults.extend(misread(*kind, &saved.document, &place, Missing::Removed, &known, &removed));
    }
    // A list belongs to one export, so a removed export's list is free only after its removal: export
    // removals precede saves. Other removals come last, when no definition depends on them.
    plan.steps.sort_by_key(|step| !step.is_removal_of_export());
    if faults.is_empty() { Ok(plan) } else { Err(faults) }
}

impl Step {
    fn is_removal_of_export(&self) -> bool {
        self.kind == Kind::Export && matches!(self.action, Action::Remove { .. })
    }
}

impl Plan {
    fn push(&mut self, kind: Kind, id: &str, action: Action) {
        self.steps.push(Step { kind, id: id.to_owned(), action });
    }

    /// Returns whether a document is created or changed.
    fn saves(&self, kind: Kind, id: &str) -> bool {
        let is_saved = |step: &Step| !matches!(step.action, Action::Remove { .. });
        self.steps.iter().any(|step| step.kind == kind && step.id == id && is_saved(step))
    }

    /// Removes definitions that are not in the folder, or keeps them as known. Exports come first, because
    /// they depend on the others.
    fn take_leftovers<'a>(
        &mut self,
        there: &'a [(Kind, Saved)],
        remote: &BTreeMap<(&str, &str), &Saved>,
        leftovers: Leftovers,
        kinds: &[Kind],
        known: &mut Known,
    ) -> BTreeSet<(&'static str, &'a str)> {
        let mut removed = BTreeSet::new();
        for kind in Kind::ALL.into_iter().rev() {
            let mut count = 0;
            for (_, saved) in there.iter().filter(|(one, _)| *one == kind) {
                if !remote.contains_key(&(kind.name(), saved.id.as_str())) {
                    continue;
                }
                if leftovers == Leftovers::Remove && kinds.contains(&kind) {
                    self.push(kind, &saved.id, Action::Remove { version: saved.version });
                    removed.insert((kind.name(), saved.id.as_str()));
                } else {
                    known.insert(kind, &saved.id);
                    count += 1;
                }
            }
            if count > 0 {
                let plural = crate::kinds::plural(kind);
                self.notes.push(format!("{plural}: {count} not in the folder; they are kept"));
            }
        }
        removed
    }
}

fn change(kind: Kind, document: &Value, saved: &Saved) -> Result<Option<Action>, String> {
    let not_understood = |error: &dyn std::fmt::Display| {
        let (name, id) = (kind.name(), &saved.id);
        format!("{name} {id}: cannot read the deployed version: {error}; this tool may be older than the API")
    };
    let there = whole(kind, &saved.document).map_err(|error| not_understood(&error))?;
    let requested = settled(kind, document, &there);
    let differences = differences(&agreed_words(&there), &agreed_words(&requested));
    if differences.is_empty() {
        return Ok(None);
    }
    Ok(Some(Action::Change {
        document: shortest(kind, &requested).map_err(|error| error.to_string())?,
        version: saved.version,
        differences,
    }))
}

/// Reduces the consent of a document to its wording, the only part that decides.
fn agreed_words(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(consent) = document.get_mut("consent").and_then(Value::as_object_mut) {
        consent.retain(|name, _| name == "text");
    }
    document
}

/// Returns the names of the fields that differ between two documents.
pub(crate) fn changed_fields(before: &Value, after: &Value) -> Vec<String> {
    differences(before, after).into_iter().map(|difference| difference.field).collect()
}

/// Returns whether the caller sees only the public part. Contributors and viewers see only those fields of
/// a connection that they need to choose it.
pub(crate) fn is_hidden(kind: Kind, document: &Value) -> bool {
    kind == Kind::Connection && document.get("secret").is_none()
}

#[cfg(test)]
mod roundtrip;
#[cfg(test)]
#[path = "tests.rs"]
mod tests;
