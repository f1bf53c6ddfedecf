//! The demo's catalog, and saving one straight into the table, as only the local cloud may.

use std::path::PathBuf;

use command::files::Catalog;
use relay::aws::CatalogStore;
use relay::catalog::Document;
use serde::Serialize;

use crate::{Error, workspace};

/// The demo's catalog, which is also an example to begin with.
#[must_use]
pub fn example_catalog() -> PathBuf {
    workspace::package().join("catalog")
}

/// Saves every definition.
pub async fn save_catalog(catalog: &Catalog, store: &CatalogStore) -> Result<(), Error> {
    save(store, &catalog.sources).await?;
    save(store, &catalog.segments).await?;
    save(store, &catalog.connections).await?;
    save(store, &catalog.exports).await
}

async fn save<T: Document + Serialize>(store: &CatalogStore, documents: &[T]) -> Result<(), Error> {
    for document in documents {
        let saved = store.put(document, relay::timestamp_now()).await;
        saved.map_err(|error| Error::Answer(error.to_string()))?;
    }
    Ok(())
}
