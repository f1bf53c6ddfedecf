//! Reads a folder of definitions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use relay_model::catalog::{
    CatalogError, Connection, DeploymentSettings, Document, Export, Kind, Policy, Segment, Source,
};
use serde_json::Value;

use super::values::{filled, unescaped};
use super::{FileError, Values};
use crate::kinds::{plural, whole};

/// One definition of a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// The kind of document.
    pub kind: Kind,
    /// Its identifier.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// The validated document, with defaults filled in.
    pub document: Value,
}

/// Reads every definition of a folder in dependency order, with `values` substituted.
pub fn read_folder(folder: &Path, values: &Values) -> Result<Vec<Definition>, FileError> {
    let files = files(folder)?;
    let mut found = Vec::with_capacity(files.len());
    let mut places: BTreeMap<(&str, String), PathBuf> = BTreeMap::new();
    for (kind, path) in files {
        let definition = definition(kind, path, values)?;
        let place = (kind.name(), definition.id.clone());
        if let Some(first) = places.insert(place, definition.path.clone()) {
            let Definition { id, path: second, .. } = definition;
            return Err(FileError::Duplicate { kind: kind.name(), id, first, second });
        }
        found.push(definition);
    }
    Ok(found)
}

/// Returns the kinds that have a folder of their own.
pub(crate) fn kinds(folder: &Path) -> Vec<Kind> {
    Kind::ALL.into_iter().filter(|kind| folder.join(plural(*kind)).is_dir()).collect()
}

/// Lists the files of definitions by kind and name. Returns an error for misplaced files.
pub(crate) fn files(folder: &Path) -> Result<Vec<(Kind, PathBuf)>, FileError> {
    for path in entries(folder)? {
        let is_kind = Kind::ALL.iter().any(|kind| path.file_name().is_some_and(|name| name == plural(*kind)));
        if path.is_dir() && !is_kind {
            let problem = "unknown folder; a catalog has settings/, sources/, segments/, connections/, policies/ and exports/";
            return Err(FileError::Misplaced { path, problem });
        }
        if is_definition(&path) {
            let problem = "a definition must be in the folder of its kind: settings/, sources/, segments/, connections/, policies/ or exports/";
            return Err(FileError::Misplaced { path, problem });
        }
    }
    let kinds = kinds(folder);
    if kinds.is_empty() {
        return Err(FileError::NoCatalog(folder.to_path_buf()));
    }
    let mut files = Vec::new();
    for kind in kinds {
        for path in entries(&folder.join(plural(kind)))? {
            if path.is_dir() {
                let problem = "unknown folder; the folder of a kind cannot have subfolders";
                return Err(FileError::Misplaced { path, problem });
            }
            if is_definition(&path) {
                files.push((kind, path));
            }
        }
    }
    Ok(files)
}

/// Lists the entries of a folder in order, without hidden ones.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(FileError::file(folder))? {
        let entry = entry.map_err(FileError::file(folder))?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_definition(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml")
}

/// Returns the identifier in a file, even if the rest is invalid.
pub(crate) fn id_in(path: &Path, values: &Values) -> Result<Option<String>, FileError> {
    let text = std::fs::read_to_string(path).map_err(FileError::file(path))?;
    let value = serde_saphyr::from_str::<Value>(&filled(&text, values)).ok();
    Ok(value.and_then(|value| Some(value.get("id")?.as_str()?.to_owned())))
}

/// Parses the definition in a file.
pub(crate) fn definition(kind: Kind, path: PathBuf, values: &Values) -> Result<Definition, FileError> {
    let text = std::fs::read_to_string(&path).map_err(FileError::file(&path))?;
    let text = filled(&text, values);
    let read = || {
        let value: Value = serde_saphyr::from_str(&text).map_err(|error| error.to_string())?;
        let document = whole(kind, &unescaped(value)?).map_err(|error| explained(kind, &text, &error))?;
        let id = document.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok((id, document))
    };
    match read() {
        Ok((id, document)) => Ok(Definition { kind, id, path, document }),
        Err(problem) => Err(FileError::Definition { path, problem }),
    }
}

/// Explains the error with the line number of the YAML parser.
fn explained(kind: Kind, text: &str, error: &CatalogError) -> String {
    let CatalogError::Malformed { problem, .. } = error else {
        return error.to_string();
    };
    let seen = match kind {
        Kind::Settings => seen::<DeploymentSettings>(text),
        Kind::Source => seen::<Source>(text),
        Kind::Segment => seen::<Segment>(text),
        Kind::Connection => seen::<Connection>(text),
        Kind::Policy => seen::<Policy>(text),
        Kind::Export => seen::<Export>(text),
    };
    // Positions in the intermediate JSON mean nothing to the user.
    let bare = problem.split_once(" at line ").map_or(problem.as_str(), |(bare, _)| bare);
    format!("this {} cannot be read: {}", kind.name(), seen.as_deref().unwrap_or(bare))
}

fn seen<T: Document>(text: &str) -> Option<String> {
    serde_saphyr::from_str::<T>(text).err().map(|error| error.to_string())
}
