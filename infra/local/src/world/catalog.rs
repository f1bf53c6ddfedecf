//! The catalog as files: `sources/`, `segments/`, `connections/` and `exports/`, one YAML document a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use relay::aws::CatalogStore;
use relay::catalog::{Connection, Document, Export, Kind, Segment, Source};
use serde::Serialize;
use serde_json::Value;

use crate::{Error, workspace};

/// What stands for `${name}` in the files.
pub type Values = BTreeMap<String, String>;

/// The demo's catalog, which is also an example to begin with.
#[must_use]
pub fn example_catalog() -> PathBuf {
    workspace::package().join("catalog")
}

/// Definitions, read and checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// Tables of the lake.
    pub sources: Vec<Source>,
    /// Named sets of profiles.
    pub segments: Vec<Segment>,
    /// Accounts of destinations.
    pub connections: Vec<Connection>,
    /// What goes where.
    pub exports: Vec<Export>,
}

impl Catalog {
    /// Reads a folder of definitions, and puts `values` in.
    pub fn read(folder: &Path, values: &Values) -> Result<Self, Error> {
        if !Kind::ALL.iter().any(|kind| folder.join(plural(*kind)).is_dir()) {
            let names = Kind::ALL.map(plural).join("/, ");
            return Err(Error::Missing(format!("{} has none of {names}/", folder.display())));
        }
        Ok(Self {
            sources: documents(folder, values)?,
            segments: documents(folder, values)?,
            connections: documents(folder, values)?,
            exports: documents(folder, values)?,
        })
    }

    /// Saves every definition.
    pub async fn save(&self, store: &CatalogStore) -> Result<(), Error> {
        save(store, &self.sources).await?;
        save(store, &self.segments).await?;
        save(store, &self.connections).await?;
        save(store, &self.exports).await
    }
}

async fn save<T: Document + Serialize>(store: &CatalogStore, documents: &[T]) -> Result<(), Error> {
    for document in documents {
        let saved = store.put(document, relay::timestamp_now()).await;
        saved.map_err(|error| Error::Answer(error.to_string()))?;
    }
    Ok(())
}

const fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Source => "sources",
        Kind::Segment => "segments",
        Kind::Connection => "connections",
        Kind::Export => "exports",
    }
}

fn documents<T: Document>(folder: &Path, values: &Values) -> Result<Vec<T>, Error> {
    let folder = folder.join(plural(T::KIND));
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(Error::file(&folder))? {
        let path = entry.map_err(Error::file(&folder))?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| document(path, values)).collect()
}

fn document<T: Document>(path: &Path, values: &Values) -> Result<T, Error> {
    let mut text = std::fs::read_to_string(path).map_err(Error::file(path))?;
    for (name, value) in values {
        text = text.replace(&format!("${{{name}}}"), value);
    }
    let refuse = |problem: String| Error::Definition { path: path.to_path_buf(), problem };
    let value: Value = serde_saphyr::from_str(&text).map_err(|error| refuse(error.to_string()))?;
    T::parse(&value.to_string()).map_err(|error| refuse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_right() {
        let names = ["campaign_monitor", "marketo", "omnisend", "dynamics365_sales"];
        let values = names.map(|name| (format!("{name}_secret"), format!("{name}_secret")));
        let catalog = Catalog::read(&example_catalog(), &values.into()).unwrap();
        assert_eq!((catalog.sources.len(), catalog.segments.len()), (2, 3));
        // Each connection has an export, and what it exports is there.
        let connections: Vec<&str> = catalog.connections.iter().map(|one| one.id.as_str()).collect();
        let mut used: Vec<&str> =
            catalog.exports.iter().map(|export| export.connection().unwrap().as_str()).collect();
        used.sort_unstable();
        assert_eq!(connections, ["campaign-monitor", "dynamics365-sales", "marketo", "omnisend"]);
        assert_eq!(used, connections);
        for export in &catalog.exports {
            for wanted in &export.segments {
                assert!(catalog.segments.iter().any(|segment| segment.id == wanted.segment), "{}", export.id);
            }
        }
        let secrets: Vec<&str> = catalog.connections.iter().map(|one| one.secret.as_str()).collect();
        assert_eq!((secrets[0], secrets[2]), ("campaign_monitor_secret", "marketo_secret"));
    }

    #[track_caller]
    fn check(file: &str, text: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sources")).unwrap();
        std::fs::write(folder.path().join(file), text).unwrap();
        let message = Catalog::read(folder.path(), &Values::new()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn mistakes_name_the_file_and_the_field() {
        check(
            "sources/a.yaml",
            "id: a\nformat: csv\n",
            "a.yaml: this source cannot be read: missing field `location`",
        );
        check("sources/a.yaml", "id: A\nlocation: s3://lake/a\nformat: csv\n", "source id \"A\"");
        check("sources/a.yaml", "id: [\n", "a.yaml: ");
        let empty = tempfile::tempdir().unwrap();
        let message = Catalog::read(empty.path(), &Values::new()).unwrap_err().to_string();
        assert!(message.contains("has none of sources/, segments/"), "{message}");
    }
}
