//! Campaign Monitor's API, version 3.3, as far as an export of people to lists needs it.
//!
//! Written from <https://www.campaignmonitor.com/api/v3-3/getting-started/> and the pages about the account,
//! clients, lists and subscribers. The API is under `/api/v3.3/`, OAuth under `/oauth/token`.
//!
//! A [`Sandbox`] begins empty: make an account, a client and a list first.

mod answer;
mod auth;
mod clients;
mod clock;
mod control;
mod control_types;
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

use crate::kit::email;
use world::World;

/// A fault of this API's calls.
pub type Fault = crate::faults::Fault<Endpoint>;

/// A running Campaign Monitor.
pub type Sandbox = crate::kit::Sandbox<World>;
