//! Dynamics 365 Sales: Dataverse's Web API, version 9.2, as far as an export of contacts to marketing lists needs it,
//! and Entra's token endpoint.
//!
//! Written from <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview>, the reference of
//! `list`, `listmember` and `contact`, and <https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>.
//! The API is under `/api/data/v9.2/`, tokens under `/{tenant}/oauth2/v2.0/token`.
//!
//! A [`Sandbox`] begins empty: register an application and seed contacts first.
//!
//! Not here, and answered with 501 where Dataverse would do it: `$expand`, `$apply`, `FetchXML`, orders other than that
//! of the primary key, change sets, and other tables.

mod access;
mod answer;
mod batch;
mod clock;
mod contacts;
mod control;
mod control_trouble;
mod control_types;
mod endpoint;
mod entra;
mod errors;
mod execution;
mod filter;
mod filter_words;
mod gate;
mod ids;
mod list_columns;
mod lists;
mod members_body;
mod membership;
mod metadata;
mod operation;
mod options;
mod paging;
mod protection;
mod query;
mod reads;
mod report;
mod server;
mod tables;
mod world;

pub use control_trouble::{ForcedThrottle, Pace, Poison, PoisonError, PoisonedCalls};
pub use control_types::{
    Application, ApplicationChange, ApplicationUser, ContactChange, ContactState, ControlError,
    LEAST_PRIVILEGES, ListChange, ListKind, ListView, ListedMember, MemberType, NewApplication, NewContact,
    NewList, NumberedContacts, PendingChange, UserState,
};
pub use endpoint::Endpoint;
pub use ids::Guid;
pub use options::{
    ConcurrentListCalls, ExecutionTimes, FixedColumns, InactiveContacts, ListAction, MemberPrivileges,
    MissingContacts, Options, RemoveMemberParameter, RemovedStrangers, RepeatedMembers,
};
pub use protection::{Limit, ServiceProtection};
pub use report::{CallReport, MemberReport, Origin, Report};

use world::World;

/// A fault of this API's calls.
pub type Fault = crate::faults::Fault<Endpoint>;

/// A running organisation.
pub type Sandbox = crate::kit::Sandbox<World>;
