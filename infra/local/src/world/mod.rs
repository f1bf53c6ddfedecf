//! A local cloud with a catalog, a lake and the destinations' sandboxes, for the demo, the benchmark and
//! the end-to-end tests.

mod bundle;
mod destinations;
mod runs;
mod tool;

use std::ops::Deref;

use relay_cloud::SecretStore;
use relay_model::CredentialStore;
use sandbox::campaign_monitor::{
    Account, AccountClient, ListId, NewAccount, NewClient, NewList, Options as SandboxOptions, Sandbox,
    UnsubscribeSetting,
};

use crate::binaries::{self, Profile};
use crate::cloud::Options;
use crate::console::Progress;
use crate::{Error, venv};

pub use bundle::Bundle;
pub use destinations::{CAMPAIGN_MONITOR, Destinations};
pub use relay_cli::files::Values;
pub use runs::{Started, describe};
pub use tool::{Tool, example_catalog};

/// A local cloud, a Campaign Monitor account in a sandbox, and clients for both.
pub struct World {
    /// The destination.
    pub sandbox: Sandbox,
    /// The connection's account.
    pub account: Account,
    /// The account's client that owns the lists.
    pub client: AccountClient,
    /// The bundle.
    pub bundle: Bundle,
}

impl Deref for World {
    type Target = Bundle;

    fn deref(&self) -> &Bundle {
        &self.bundle
    }
}

impl World {
    /// Starts everything: an empty lake, an account without lists, and no credentials.
    ///
    /// `adjust` changes the options of the cloud.
    pub async fn start(
        profile: Profile,
        adjust: impl FnOnce(Options) -> Options,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let venv = venv::ensure(progress)?;
        let functions = binaries::build(profile, progress)?;
        Self::start_with(adjust(Options::new(venv, functions)), progress).await
    }

    /// As [`World::start`], with functions that are already built.
    pub async fn start_with(options: Options, progress: &Progress) -> Result<Self, Error> {
        progress.step("starting the Campaign Monitor sandbox");
        let sandbox = Sandbox::start(SandboxOptions::default())
            .await
            .map_err(Error::start("the Campaign Monitor sandbox"))?;
        let account = sandbox.create_account(NewAccount { api_key: None });
        let client = sandbox.create_client(NewClient::new(account.account_id.clone(), "Demo"));
        let client = client.map_err(|error| Error::Answer(error.to_string()))?;
        let options = options.campaign_monitor(&sandbox.base_url());
        let bundle = Bundle::start(options, progress).await?;
        Ok(Self { sandbox, account, client, bundle })
    }

    /// Stores an API key as the connection's secret.
    pub async fn store_api_key(&self, api_key: &str) -> Result<(), Error> {
        let secret = serde_json::json!({ "api_key": api_key }).to_string();
        self.secret().save(secret.into()).await.map_err(|error| Error::Answer(error.to_string()))
    }

    /// Returns the connection's secret.
    #[must_use]
    pub fn secret(&self) -> SecretStore {
        let name = self.cloud.outputs().campaign_monitor_secret.clone();
        SecretStore::new(self.clients.secrets_manager(), name)
    }

    /// Creates a list at the destination.
    pub fn create_list(&self, title: &str) -> Result<ListId, Error> {
        let list = NewList {
            client_id: self.client.client_id.clone(),
            title: title.to_owned(),
            confirmed_opt_in: false,
            unsubscribe_setting: UnsubscribeSetting::AllClientLists,
        };
        self.sandbox.create_list(list).map_err(|error| Error::Answer(error.to_string()))
    }

    /// Ends everything.
    pub async fn stop(self) -> Result<(), Error> {
        self.bundle.cloud.stop().await?;
        self.sandbox.stop().await;
        Ok(())
    }
}
