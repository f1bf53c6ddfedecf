//! Omnisend's API as far as an export of people needs it, in both of its living dialects: version 2026-03-15
//! under `/api/` (chosen by a header) and v5 under `/v5/`.
//!
//! Written from <https://api-docs.omnisend.com/reference/overview> and the pages about brands, contacts, tags,
//! batches and segments.
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
mod control_types;
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

use world::World;

/// A fault of this API's calls.
pub type Fault = crate::faults::Fault<Endpoint>;

/// A running Omnisend.
pub type Sandbox = crate::kit::Sandbox<World>;
