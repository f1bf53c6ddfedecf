//! Marketo Engage's REST API, as far as an export of people to static lists needs it.
//!
//! Written from <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api> and the Swagger
//! files of <https://github.com/AdobeDocs/marketo-apis>, which are beside the crate. Identity is
//! `/identity/oauth/token`, the lead database under `/rest/v1/`, assets under `/rest/asset/v1/`, bulk calls under
//! `/bulk/v1/`, and the control of the sandbox under `/_sandbox/` (the module `control_routes` has the table).
//!
//! A [`Sandbox`] begins with the partition `Default`, the folder `Group Lists` (id 12), a usual set of fields and
//! nobody who may call: make a custom service first.
//!
//! Faults whose status is 600 or more are Marketo's codes, in an envelope with HTTP 200; 601 and 602 also end the
//! caller's token. Faults' delays are vendor time. A share of the calls is hit by `every`: 5 is twenty percent.

mod answer;
mod auth;
mod calls;
mod clock;
mod control;
mod control_actions;
mod control_routes;
mod control_types;
mod describe;
mod endpoint;
mod errors;
mod export_file;
mod exports;
mod fields;
mod folders;
mod ids;
mod import_rows;
mod imports;
mod leads;
mod limits;
mod lists;
mod membership;
mod multipart;
mod operations;
mod options;
mod paging;
mod people;
mod report;
mod request;
mod schema;
mod server;
pub mod specification;
mod stats;
mod sync;
mod upsert;
mod value_check;
mod values;
mod world;

pub use auth::Permission;
pub use control_types::{
    ControlError, Credentials, NewFolder, NewList, NewService, SeedLead, ShownLead, ShownList,
};
pub use endpoint::Endpoint;
pub use fields::{Access, DataType, Field};
pub use folders::FolderKind;
pub use ids::{BatchId, FolderId, LeadId, ListId};
pub use imports::ImportTrouble;
pub use options::{
    BadValues, CompanyFields, EmptyCells, ExistingMembers, ExpiresIn, FolderTypes, IdentityForm, KeyCase,
    Options, OtherUsers, Pace, PartitionName, RefusedCalls, RepeatedKeys, UnknownFields,
};
pub use report::{CallReport, LoggedRequest, Report, SyncReport};

use crate::serve::Server;
use server::Shared;
use std::io;
use std::sync::Arc;
use world::World;

/// A fault of this API's calls.
pub type Fault = crate::faults::Fault<Endpoint>;

/// A running Marketo, with methods to prepare it, to look into it and to mislead its callers.
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
