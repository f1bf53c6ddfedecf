//! The bundle on one machine: an emulated AWS with the real functions, and clients for it.

use std::path::Path;

use relay_cloud::ledger::Ledger;
use relay_cloud::{CatalogStore, Clients, Objects, SecretStore};
use relay_model::CredentialStore;
use serde_json::Value;

use crate::Error;
use crate::cloud::{ACCESS_KEY_ID, Cloud, Options, REGION, SECRET_ACCESS_KEY};
use crate::console::Progress;

/// AWS with the functions, independent of the destinations.
pub struct Bundle {
    /// The emulated AWS.
    pub cloud: Cloud,
    /// The clients.
    pub clients: Clients,
}

impl Bundle {
    /// Starts it, with an empty lake.
    pub async fn start(options: Options, progress: &Progress) -> Result<Self, Error> {
        let cloud = Cloud::start(options, progress).await?;
        let clients = Clients::at(cloud.endpoint(), REGION, ACCESS_KEY_ID, SECRET_ACCESS_KEY).await;
        Ok(Self { cloud, clients })
    }

    /// Stores a connection's secret.
    pub async fn store_secret(&self, name: &str, secret: &Value) -> Result<(), Error> {
        let store = SecretStore::new(self.clients.secrets_manager(), name.to_owned());
        store.save(secret.to_string().into()).await.map_err(|error| Error::Answer(error.to_string()))
    }

    /// Uploads a file into the lake.
    pub async fn upload(&self, key: &str, path: &Path) -> Result<(), Error> {
        let lake = Objects::new(self.clients.s3(), self.cloud.lake_bucket().to_owned());
        lake.upload(key, path).await.map_err(|error| Error::Answer(error.to_string()))
    }

    /// Returns the data bucket.
    #[must_use]
    pub fn data(&self) -> Objects {
        Objects::new(self.clients.s3(), self.cloud.outputs().data_bucket.clone())
    }

    /// Returns the definitions.
    #[must_use]
    pub fn catalog(&self) -> CatalogStore {
        CatalogStore::new(self.clients.dynamodb(), self.cloud.outputs().catalog_table.clone())
    }

    /// Returns the ledger.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        Ledger::new(self.clients.dynamodb(), self.cloud.outputs().ledger_table.clone())
    }
}
