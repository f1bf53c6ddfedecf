//! Campaign Monitor's API, version 3.3, as far as an export of people to lists needs it.
//!
//! Written from <https://www.campaignmonitor.com/api/v3-3/getting-started/> and the pages about the account,
//! clients, lists and subscribers. The API is under `/api/v3.3/`, OAuth under `/oauth/token`, and the control
//! of the sandbox under `/_sandbox/` (the module `control_routes` has the table).
//!
//! A [`Sandbox`] begins empty: make an account, a client and a list first.

mod answer;
mod auth;
mod clients;
mod clock;
mod control;
mod control_actions;
mod control_routes;
mod control_types;
mod control_views;
mod endpoint;
mod errors;
mod field_values;
mod fields;
mod ids;
mod import;
mod lists;
mod members;
mod oauth;
mod options;
mod paging;
mod people;
mod report;
mod server;
mod stats;
mod subscriber;
mod upsert;
mod world;

pub use control_types::{
    Account, AccountClient, Change, ControlError, Counts, CustomField, ListedSubscriber, NewAccount,
    NewClient, NewField, NewList, NewTokens, Pace, SeedSubscriber, Suppressed,
};
pub use endpoint::Endpoint;
pub use fields::DataType;
pub use ids::{AccountId, ClientId, ListId};
pub use oauth::Tokens;
pub use options::{
    ConsentErrors, DuplicateRows, EmptyValues, LongValues, MissingNames, Options, UnconfirmedRows,
    UnknownList,
};
pub use report::{CallReport, ImportReport, Report, ResubscribeRow, ValueReport};
pub use subscriber::{Origin, SubscriberState};
pub use world::UnsubscribeSetting;

use crate::email;
use crate::serve::Server;
use server::Shared;
use std::io;
use std::sync::Arc;
use world::World;

/// A fault of this API's calls.
pub type Fault = crate::faults::Fault<Endpoint>;

/// A running Campaign Monitor, with methods to prepare it, to look into it and to mislead its callers.
///
/// It stops when it is dropped; [`Sandbox::stop`] also waits until its port is free.
#[derive(Debug)]
pub struct Sandbox {
    server: Server,
    shared: Arc<Shared>,
}

impl Sandbox {
    /// Listens on 127.0.0.1 and serves in a task of the current tokio runtime.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(options: Options) -> io::Result<Self> {
        let port = options.port;
        let shared = Arc::new(Shared::new(World::new(options)));
        let server = Server::start(port, server::router(Arc::clone(&shared))).await?;
        Ok(Self { server, shared })
    }

    /// Where the vendor's host would be, such as `http://127.0.0.1:4321`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Stops listening and cuts all connections.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
