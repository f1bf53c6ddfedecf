//! What control calls take and give; the same types are the JSON of the control routes.

use super::errors::ApiError;
use super::fields::DataType;
use super::ids::{AccountId, ClientId};
use super::subscriber::{Origin, SubscriberState};
use super::world::UnsubscribeSetting;
use crate::kit::throttle::Throttle;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Why the sandbox did not do what it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlError {
    /// There is no such account, client, list, subscriber, key or token; the text says which kind.
    Unknown(&'static str),
    /// The API itself would refuse it, with this code and message.
    Refused(u16, &'static str),
}

impl fmt::Display for ControlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(kind) => write!(formatter, "there is no such {kind}"),
            Self::Refused(code, message) => write!(formatter, "refused with code {code}: {message}"),
        }
    }
}

impl std::error::Error for ControlError {}

impl From<ApiError> for ControlError {
    fn from(error: ApiError) -> Self {
        Self::Refused(error.code, error.message)
    }
}

/// An account to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewAccount {
    /// Its API key; a random one if none is given.
    pub api_key: Option<String>,
}

/// An account and its API key, which sees all clients of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Names the account in control calls; the API never shows it.
    pub account_id: AccountId,
    /// The account's API key.
    pub api_key: String,
}

/// A client to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// Whose it is.
    pub account_id: AccountId,
    /// Its name in the API.
    pub name: String,
    /// Its API key; a random one if none is given.
    #[serde(default)]
    pub api_key: Option<String>,
    /// Its time zone, in minutes east of UTC: dates in the API are local to it.
    #[serde(default = "sydney")]
    pub utc_offset_minutes: i32,
}

impl NewClient {
    /// A client in the vendor's own time zone, ten hours east of UTC, so that nobody takes its dates for UTC.
    pub fn new(account_id: AccountId, name: impl Into<String>) -> Self {
        Self { account_id, name: name.into(), api_key: None, utc_offset_minutes: sydney() }
    }
}

fn sydney() -> i32 {
    600
}

/// A client and its API key, which sees this client only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountClient {
    /// The client.
    pub client_id: ClientId,
    /// The client's API key.
    pub api_key: String,
}

/// A pair of OAuth tokens to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTokens {
    /// Whose they are.
    pub account_id: AccountId,
    /// Lifetime of the access token in seconds; the options' if none is given. 0 is an expired one.
    #[serde(default)]
    pub expires_in_seconds: Option<i64>,
    /// What they allow, such as `ImportSubscribers` and `ManageLists`; everything if none is given.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
}

/// A list to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewList {
    /// Whose it is.
    pub client_id: ClientId,
    /// Its title.
    pub title: String,
    /// Whether people have to confirm by a mail before they are active.
    #[serde(default)]
    pub confirmed_opt_in: bool,
    /// Where somebody who unsubscribes is unsubscribed.
    #[serde(default)]
    pub unsubscribe_setting: UnsubscribeSetting,
}

/// A custom field to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewField {
    /// Its name; the key follows from it.
    pub name: String,
    /// What it holds.
    pub data_type: DataType,
    /// The choices of a field of choices.
    #[serde(default)]
    pub options: Vec<String>,
}

/// A person to put on a list without a call of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedSubscriber {
    /// The address, which is not checked.
    pub email: String,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// The state on the list.
    #[serde(default = "active")]
    pub state: SubscriberState,
    /// Whether the client's suppression list has the address.
    #[serde(default)]
    pub suppressed: bool,
    /// Whether the person refused to be tracked.
    #[serde(default)]
    pub tracking_refused: bool,
    /// Custom fields by key.
    #[serde(default)]
    pub custom_fields: Vec<CustomField>,
}

impl SeedSubscriber {
    /// A person of this state with nothing else to say about them.
    pub fn new(email: impl Into<String>, state: SubscriberState) -> Self {
        Self {
            email: email.into(),
            name: String::new(),
            state,
            suppressed: false,
            tracking_refused: false,
            custom_fields: Vec::new(),
        }
    }
}

fn active() -> SubscriberState {
    SubscriberState::Active
}

/// A custom field's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomField {
    /// With brackets, as the list of fields gives it.
    pub key: String,
    /// The value; a field of several choices has one entry for each.
    pub value: String,
}

/// What happens to a subscriber without the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The person unsubscribes by a link, from this list or all, as the list is set.
    Unsubscribe,
    /// Mail to the person comes back.
    Bounce,
    /// An administrator puts the address on the suppression list.
    Suppress,
    /// An administrator deletes the person from the list.
    Delete,
    /// The person confirms, or signs up again: active, and no longer suppressed.
    Activate,
}

/// A person on a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedSubscriber {
    /// As spelled when they joined.
    pub email: String,
    /// The name.
    pub name: String,
    /// The state on the list.
    pub state: SubscriberState,
    /// Whether the client's suppression list has the address.
    pub suppressed: bool,
    /// `Yes` or `No`.
    pub consent_to_track: String,
    /// The mobile number.
    pub mobile: Option<String>,
    /// Whether they agreed to get text messages.
    pub sms_consent: bool,
    /// How they came to the list.
    pub origin: Origin,
    /// Custom fields by key, in the list's order.
    pub custom_fields: Vec<CustomField>,
}

/// How many people of each state a list has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Everybody who was ever on it.
    pub total: usize,
    /// By state; a state that nobody is in is missing.
    pub by_state: BTreeMap<SubscriberState, usize>,
    /// People whose address is on the client's suppression list, whatever their state.
    pub suppressed: usize,
}

/// An entry of a suppression list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// The address.
    pub email: String,
    /// Why it is there.
    pub reason: String,
}

/// How fast the server is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// Milliseconds that each call takes.
    pub latency_ms: u64,
    /// The rate limit, if any.
    pub throttle: Option<Throttle>,
}
