//! Writes definitions into a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use relay_model::catalog::Kind;
use serde_json::Value;

use super::read::{definition, files, id_in, kinds};
use super::schemas::comment;
use super::yaml::to_yaml;
use super::{FileError, Values};
use crate::kinds::{plural, settled, shortest, whole};

/// The result of writing a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It was created.
    New(PathBuf),
    /// It was changed.
    Changed(PathBuf),
    /// Its content is equivalent, so it was not touched.
    Same(PathBuf),
    /// Its content differs, and it was not touched without `--overwrite`.
    Differs(PathBuf),
    /// It defines a document that no longer exists, and was not touched.
    Leftover(PathBuf),
}

/// What to do with files that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Write nothing, and list them.
    Keep,
    /// Overwrite them.
    Overwrite,
}

/// Writes one file per document: the document's existing file, or `<kind>/<id>.yaml`. If a file would
/// change and `existing` is `Keep`, nothing is written. If a file contains another document than its name
/// says, nothing is written in either case.
pub(crate) fn write_folder(
    folder: &Path,
    documents: &[(Kind, Value)],
    values: &Values,
    existing: Existing,
) -> Result<Vec<Written>, FileError> {
    let mut places = BTreeMap::new();
    let mut occupied = BTreeMap::new();
    if !kinds(folder).is_empty() {
        for (kind, path) in files(folder)? {
            if let Some(id) = id_in(&path, values)? {
                occupied.insert(path.clone(), id.clone());
                places.insert((kind.name(), id), path);
            }
        }
    }
    let mut outcomes = Vec::new();
    let mut texts = Vec::new();
    for (kind, document) in documents {
        let id = document.get("id").and_then(Value::as_str).unwrap_or_default();
        let place = places.remove(&(kind.name(), id.to_owned()));
        let is_known = place.is_some();
        let path = place.unwrap_or_else(|| folder.join(plural(*kind)).join(format!("{id}.yaml")));
        if let Some(other) = occupied.get(&path).filter(|other| *other != id) {
            let (id, other) = (id.to_owned(), other.clone());
            return Err(FileError::Occupied { path, kind: kind.name(), id, other });
        }
        // A file without an id, or a dangling link, must not be overwritten either.
        let is_new = !is_known && path.symlink_metadata().is_err();
        let problem = |error: &dyn std::fmt::Display| FileError::Definition {
            path: path.clone(),
            problem: error.to_string(),
        };
        let meaning = whole(*kind, document).map_err(|error| problem(&error))?;
        let is_same = is_known
            && definition(*kind, path.clone(), values)
                .is_ok_and(|found| settled(*kind, &found.document, &meaning) == meaning);
        outcomes.push(match (is_new, is_same, existing) {
            (_, true, _) => Written::Same(path),
            (false, false, Existing::Keep) => Written::Differs(path),
            (is_new, false, _) => {
                let short = shortest(*kind, document).map_err(|error| problem(&error))?;
                texts.push((path.clone(), format!("{}{}", comment(*kind), to_yaml(&short))));
                if is_new { Written::New(path) } else { Written::Changed(path) }
            }
        });
    }
    outcomes.extend(places.into_values().map(Written::Leftover));
    if !outcomes.iter().any(|outcome| matches!(outcome, Written::Differs(_))) {
        for (path, text) in texts {
            let parent = path.parent().unwrap_or(folder);
            std::fs::create_dir_all(parent).map_err(FileError::file(parent))?;
            std::fs::write(&path, text).map_err(FileError::file(&path))?;
        }
    }
    Ok(outcomes)
}
