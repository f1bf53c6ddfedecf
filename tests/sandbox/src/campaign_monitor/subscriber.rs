//! One person on one list.

use serde::{Deserialize, Serialize};

/// The state of a person on a list. Suppression is no state of a list but of the whole client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SubscriberState {
    /// Gets the list's mail.
    Active,
    /// Was put on a confirmed-opt-in list and has not confirmed.
    Unconfirmed,
    /// Has unsubscribed.
    Unsubscribed,
    /// Mail to the address came back.
    Bounced,
    /// Was taken off the list by an administrator or the API.
    Deleted,
}

/// How a person came to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Seeded by a test: was there before anybody called the API.
    Seeded,
    /// By an import.
    Import,
    /// By the call that adds one.
    SingleAdd,
}

/// A custom field's value: the number of the field on its list, and the text. A field of several choices has
/// one entry a choice.
pub(super) type FieldValue = (usize, Box<str>);

/// A person on a list.
#[derive(Clone, Debug)]
pub(super) struct Subscriber {
    pub(super) email: Box<str>,
    pub(super) name: Box<str>,
    pub(super) state: SubscriberState,
    pub(super) origin: Origin,
    pub(super) joined_at: i64,
    pub(super) changed_at: i64,
    pub(super) mobile: Option<Box<str>>,
    pub(super) sms_consent: bool,
    pub(super) values: Vec<FieldValue>,
}

impl Subscriber {
    pub(super) fn change_state(&mut self, state: SubscriberState, now: i64) {
        self.state = state;
        self.changed_at = now;
    }
}
