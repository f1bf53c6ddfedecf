//! What control calls take and give; the same types are the JSON of the control routes.

use super::auth::Permission;
use super::batch::BatchStatus;
use super::contact::{Origin, Status};
use super::ids::BrandId;
use super::limits::Limits;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Why the sandbox did not do what it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlError {
    /// There is no such brand, contact or key; the text says which kind.
    Unknown(&'static str),
    /// It cannot be, for the reason in the text.
    Refused(&'static str),
}

impl fmt::Display for ControlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(kind) => write!(formatter, "there is no such {kind}"),
            Self::Refused(reason) => write!(formatter, "refused: {reason}"),
        }
    }
}

impl std::error::Error for ControlError {}

/// A brand to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewBrand {
    /// Its name.
    pub name: String,
    /// Its first API key, which may do everything; a random one if none is given.
    pub api_key: Option<String>,
    /// Whether the welcome workflow is enabled: without it nobody gets a welcome message.
    pub welcome_workflow: bool,
}

impl Default for NewBrand {
    fn default() -> Self {
        Self { name: "Brand".to_owned(), api_key: None, welcome_workflow: true }
    }
}

/// A brand and its first key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrandKey {
    /// The brand.
    pub brand_id: BrandId,
    /// The key.
    pub api_key: String,
}

/// A further key of a brand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewKey {
    /// The key; a random one if none is given.
    pub api_key: Option<String>,
    /// What it may do; everything if none are given.
    pub permissions: Option<BTreeSet<Permission>>,
}

/// A phone number and the status of its channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhoneNumber {
    /// By E.164, which is not checked.
    pub number: String,
    /// Whether text messages may be sent.
    #[serde(default)]
    pub status: Status,
}

/// A contact to make without a call of the API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedContact {
    /// The address, which is not checked.
    pub email: Option<String>,
    /// The status of the e-mail channel.
    pub status: Status,
    /// Since when, by RFC 3339; now if nothing is said.
    pub status_changed_at: Option<String>,
    /// Phone numbers.
    pub phones: Vec<PhoneNumber>,
    /// Plain fields by their names in the API, such as `firstName`.
    pub fields: BTreeMap<String, String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Custom properties by name.
    pub custom_properties: Map<String, Value>,
}

impl SeedContact {
    /// Somebody with an address and a status, and nothing else to say about them.
    pub fn new(email: impl Into<String>, status: Status) -> Self {
        Self { email: Some(email.into()), status, ..Self::default() }
    }

    /// The same with these tags.
    #[must_use]
    pub fn tagged(self, tags: &[&str]) -> Self {
        Self { tags: tags.iter().map(|tag| (*tag).to_owned()).collect(), ..self }
    }
}

/// What happens to a contact without the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The person, or an administrator, changes the status of the e-mail channel.
    Status(Status),
    /// An administrator adds a tag.
    AddTag(String),
    /// An administrator removes a tag.
    RemoveTag(String),
    /// An administrator deletes the contact.
    Delete,
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedContact {
    /// Its id in the API.
    pub id: String,
    /// The address as first written.
    pub email: Option<String>,
    /// The status of the e-mail channel.
    pub status: Status,
    /// Since when, by RFC 3339.
    pub status_changed_at: String,
    /// Phone numbers.
    pub phones: Vec<PhoneNumber>,
    /// Plain fields by their names in the API.
    pub fields: BTreeMap<String, String>,
    /// Tags, in the order in which they came.
    pub tags: Vec<String>,
    /// Custom properties by name.
    pub custom_properties: Map<String, Value>,
    /// How it came to the brand.
    pub origin: Origin,
}

/// Which contacts to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactsQuery {
    /// Where to go on: the `next` of the page before.
    pub from: u32,
    /// The most contacts of a page.
    pub limit: usize,
    /// Only those with this tag.
    pub tag: Option<String>,
}

impl Default for ContactsQuery {
    fn default() -> Self {
        Self { from: 0, limit: 10_000, tag: None }
    }
}

/// Some contacts, in the order in which they came to the brand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContactPage {
    /// The contacts.
    pub contacts: Vec<ListedContact>,
    /// Where the next page begins, if there is one.
    pub next: Option<u32>,
}

/// How many contacts of each kind a brand has, and what is still going on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All contacts.
    pub contacts: usize,
    /// Those whom the API made.
    pub made_by_api: usize,
    /// By the status of the e-mail channel.
    pub by_status: BTreeMap<Status, usize>,
    /// By tag; tags that nobody has are missing.
    pub by_tag: BTreeMap<String, usize>,
    /// Batches that are neither finished nor stopped.
    pub unfinished_batches: usize,
    /// Calls about tags that were accepted and are not done yet.
    pub pending_taggings: usize,
}

/// A batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchView {
    /// Its id in the API.
    pub batch_id: String,
    /// Where it is.
    pub status: BatchStatus,
    /// Its items.
    pub items: usize,
    /// Items that were looked at.
    pub processed: usize,
    /// Items that failed.
    pub errors: usize,
}

/// How fast the server is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// How many times as fast as in reality time passes, for what begins from now on.
    pub time_scale: f64,
    /// Milliseconds that each call takes, before they are scaled.
    pub latency_ms: u64,
    /// The rate limits, if any.
    pub limits: Option<Limits>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { time_scale: 1.0, latency_ms: 0, limits: None }
    }
}
