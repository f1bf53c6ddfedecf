//! A contact: identifiers with their channels, plain fields, tags and custom properties.

use super::profile::Profile;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Whether a channel may be used: <https://api-docs.omnisend.com/v2026-03-15/reference/get_contacts>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// The person does not want it. The lowest of the three.
    Unsubscribed,
    /// The person has said nothing yet.
    #[default]
    NonSubscribed,
    /// The person wants it.
    Subscribed,
}

impl Status {
    /// Its name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unsubscribed => "unsubscribed",
            Self::NonSubscribed => "nonSubscribed",
            Self::Subscribed => "subscribed",
        }
    }

    pub(super) const WORDS: [(&'static str, Self); 3] = [
        ("subscribed", Self::Subscribed),
        ("unsubscribed", Self::Unsubscribed),
        ("nonSubscribed", Self::NonSubscribed),
    ];
}

/// How a contact came to the brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// By a control call.
    Seeded,
    /// By a call of the API.
    Api,
}

/// The state of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Channel {
    pub(super) status: Status,
    pub(super) changed_at: i64,
}

/// A tag of a contact: its number among the brand's tags and whether it was there without the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContactTag {
    pub(super) number: u32,
    pub(super) origin: Origin,
}

/// Where a consent came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Consent {
    pub(super) channel: &'static str,
    pub(super) source: Option<String>,
    pub(super) created_at: String,
    pub(super) ip: Option<String>,
    pub(super) user_agent: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Phone {
    pub(super) number: Box<str>,
    pub(super) channel: Channel,
}

/// What few contacts have.
#[derive(Clone, Debug, Default)]
pub(super) struct Extra {
    pub(super) phones: Vec<Phone>,
    pub(super) consents: Vec<Consent>,
}

#[derive(Clone, Debug)]
pub(super) struct Contact {
    /// Shared with the index.
    pub(super) email: Option<Arc<str>>,
    pub(super) email_channel: Channel,
    pub(super) profile: Profile,
    pub(super) tags: Box<[ContactTag]>,
    /// By the name's number among the brand's names of properties.
    pub(super) properties: Box<[(u32, Property)]>,
    pub(super) extra: Option<Box<Extra>>,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) origin: Origin,
}

/// A custom property and whether it was there without the API.
#[derive(Clone, Debug)]
pub(super) struct Property {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

impl Contact {
    pub(super) fn new(origin: Origin, now: i64) -> Self {
        Self {
            email: None,
            email_channel: Channel { status: Status::NonSubscribed, changed_at: now },
            profile: Profile::default(),
            tags: Box::default(),
            properties: Box::default(),
            extra: None,
            created_at: now,
            updated_at: now,
            origin,
        }
    }

    pub(super) fn phones(&self) -> &[Phone] {
        self.extra.as_ref().map_or(&[], |extra| &extra.phones)
    }

    pub(super) fn consents(&self) -> &[Consent] {
        self.extra.as_ref().map_or(&[], |extra| &extra.consents)
    }

    pub(super) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    pub(super) fn has_tag(&self, number: u32) -> bool {
        self.tags.iter().any(|tag| tag.number == number)
    }
}
