//! Omnisend's API as far as an export of people needs it, in both of its living dialects: version 2026-03-15
//! under `/api/` (chosen by a header) and v5 under `/v5/`.
//!
//! Written from <https://api-docs.omnisend.com/reference/overview> and the pages about brands, contacts, tags,
//! batches and segments. The control of the sandbox is under `/_sandbox/` (the module `control_routes` has
//! the table).
//!
//! A [`Sandbox`] begins empty: make a brand first.

mod answer;
mod auth;
mod batch;
mod batch_run;
mod batches;
mod calls;
mod clock;
mod contact;
mod contacts;
mod control;
mod control_actions;
mod control_routes;
mod control_types;
mod control_views;
mod countries;
mod cursor;
mod dialect;
mod endpoint;
mod errors;
mod identifiers;
mod ids;
mod limits;
mod listing;
mod options;
mod orders;
mod profile;
mod query;
mod report;
mod request;
mod segment_rules;
mod segments;
mod server;
mod show;
mod tagging;
mod tags;
mod world;
mod write;

pub use auth::Permission;
pub use batch::BatchStatus;
pub use contact::{Origin, Status};
pub use control_types::{
    BatchView, BrandKey, Change, ContactPage, ContactsQuery, ControlError, Counts, ListedContact, NewBrand,
    NewKey, Pace, PhoneNumber, SeedContact,
};
pub use dialect::Dialect;
pub use endpoint::Endpoint;
pub use ids::BrandId;
pub use limits::{LimitClass, Limits};
pub use options::{
    AutomaticTags, EmailCase, EndedAtSpelling, ItemIds, MissingChannels, MissingWelcome, OlderStatuses,
    OnWrite, Options, OtherFields, RefusedCalls, RetryAfter, SharedLimit, TagCharacters, WelcomeMessages,
};
pub use orders::{FailItems, ItemWork, StopBatches};
pub use report::{BatchReport, CallReport, ContactReport, Report, StatusChange, StatusReport, TagReport};

use crate::serve::Server;
use server::Shared;
use std::io;
use std::sync::Arc;
use world::World;

/// A fault of this API's calls.
pub type Fault = crate::faults::Fault<Endpoint>;

/// A running Omnisend, with methods to prepare it, to look into it and to mislead its callers.
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

    /// Where the vendor's host would be, such as `http://127.0.0.1:4321`, without a slash at the end: version
    /// 2026-03-15 is under `/api`, v5 under `/v5`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Stops listening and cuts all connections.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
