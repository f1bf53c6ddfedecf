//! Marketo Engage's REST API, as far as an export of people to static lists needs it.
//!
//! Written from <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api> and the Swagger
//! files of <https://github.com/AdobeDocs/marketo-apis>, which are beside the crate. Identity is
//! `/identity/oauth/token`, the lead database under `/rest/v1/`, assets under `/rest/asset/v1/`, bulk calls under
//! `/bulk/v1/`.
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

use world::World;

/// A fault of this API's calls.
pub type Fault = crate::faults::Fault<Endpoint>;

/// A running Marketo.
pub type Sandbox = crate::kit::Sandbox<World>;
