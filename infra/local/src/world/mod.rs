//! A local cloud with a catalog, a lake and the destinations' sandboxes: what the demo, the benchmark and the
//! end-to-end tests act in.

mod catalog;
mod runs;

use std::path::Path;

use relay::aws::{CatalogStore, Clients, Objects, SecretStore};
use relay::connectors::CredentialStore;
use relay::ledger::Ledger;
use sandbox::campaign_monitor::{
    Account, AccountClient, ListId, NewAccount, NewClient, NewList, Options as SandboxOptions, Sandbox,
    UnsubscribeSetting,
};

use crate::binaries::{self, Profile};
use crate::cloud::{ACCESS_KEY_ID, Cloud, Options, REGION, SECRET_ACCESS_KEY};
use crate::console::Progress;
use crate::{Error, venv};

pub use catalog::{Catalog, Values, example_catalog};
pub use runs::{Started, describe};

/// A local cloud, a Campaign Monitor account in a sandbox, and clients that look into both.
pub struct World {
    /// The destination.
    pub sandbox: Sandbox,
    /// The account that the connection belongs to.
    pub account: Account,
    /// The account's client that the lists belong to.
    pub client: AccountClient,
    /// AWS.
    pub cloud: Cloud,
    /// Clients of it.
    pub clients: Clients,
}

impl World {
    /// Starts everything: an empty lake, an account without lists, the connection's secret stored.
    ///
    /// `adjust` changes what the cloud is started with.
    pub async fn start(
        profile: Profile,
        adjust: impl FnOnce(Options) -> Options,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let venv = venv::ensure(progress)?;
        let functions = binaries::build(profile, progress)?;
        Self::start_with(adjust(Options::new(venv, functions)), progress).await
    }

    /// The same with functions that are built already.
    pub async fn start_with(options: Options, progress: &Progress) -> Result<Self, Error> {
        progress.step("starting the Campaign Monitor sandbox");
        let sandbox = Sandbox::start(SandboxOptions::default())
            .await
            .map_err(Error::start("the Campaign Monitor sandbox"))?;
        let account = sandbox.create_account(NewAccount { api_key: None });
        let client = sandbox.create_client(NewClient::new(account.account_id.clone(), "Demo"));
        let client = client.map_err(|error| Error::Answer(error.to_string()))?;
        let options = options.campaign_monitor(&sandbox.base_url());
        let cloud = Cloud::start(options, progress).await?;
        let clients = Clients::at(cloud.endpoint(), REGION, ACCESS_KEY_ID, SECRET_ACCESS_KEY).await;
        let world = Self { sandbox, account, client, cloud, clients };
        world.store_api_key(&world.account.api_key).await?;
        Ok(world)
    }

    /// Stores an API key as the connection's secret.
    pub async fn store_api_key(&self, api_key: &str) -> Result<(), Error> {
        let secret = serde_json::json!({ "api_key": api_key }).to_string();
        self.secret().save(secret.into()).await.map_err(|error| Error::Answer(error.to_string()))
    }

    /// The connection's secret.
    #[must_use]
    pub fn secret(&self) -> SecretStore {
        let name = self.cloud.outputs().campaign_monitor_secret.clone();
        SecretStore::new(self.clients.secrets_manager(), name)
    }

    /// Makes a list at the destination.
    pub fn create_list(&self, title: &str) -> Result<ListId, Error> {
        let list = NewList {
            client_id: self.client.client_id.clone(),
            title: title.to_owned(),
            confirmed_opt_in: false,
            unsubscribe_setting: UnsubscribeSetting::AllClientLists,
        };
        self.sandbox.create_list(list).map_err(|error| Error::Answer(error.to_string()))
    }

    /// Puts a file into the lake.
    pub async fn upload(&self, key: &str, path: &Path) -> Result<(), Error> {
        let lake = Objects::new(self.clients.s3(), self.cloud.lake_bucket().to_owned());
        lake.upload(key, path).await.map_err(|error| Error::Answer(error.to_string()))
    }

    /// The bundle's own objects.
    #[must_use]
    pub fn data(&self) -> Objects {
        Objects::new(self.clients.s3(), self.cloud.outputs().data_bucket.clone())
    }

    /// The definitions.
    #[must_use]
    pub fn catalog(&self) -> CatalogStore {
        CatalogStore::new(self.clients.dynamodb(), self.cloud.outputs().catalog_table.clone())
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        Ledger::new(self.clients.dynamodb(), self.cloud.outputs().ledger_table.clone())
    }

    /// Ends everything.
    pub async fn stop(self) -> Result<(), Error> {
        self.cloud.stop().await?;
        self.sandbox.stop().await;
        Ok(())
    }
}
