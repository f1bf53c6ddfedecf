//! What the sandbox has seen: calls, rows and whatever a careful client would not have done.

use super::contact::Status;
use super::dialect::Dialect;
use super::endpoint::Endpoint;
use super::limits::LimitClass;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything counted since the start or the last reset, of all brands together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Calls of each kind, refused ones too.
    pub calls: BTreeMap<Endpoint, CallReport>,
    /// Calls of each dialect.
    pub dialects: BTreeMap<Dialect, usize>,
    /// The largest request body, in bytes.
    pub largest_body_bytes: usize,
    /// The largest number of calls that were being handled at one time.
    pub most_in_flight: usize,
    /// Calls that were refused by a rate limit.
    pub throttled: usize,
    /// The most calls of a class that one brand's rolling window ever had in it, refused ones too.
    pub most_in_window: BTreeMap<LimitClass, usize>,
    /// Calls that a requested fault hit.
    pub faults: usize,
    /// What became of contacts.
    pub contacts: ContactReport,
    /// What became of subscriptions.
    pub statuses: StatusReport,
    /// What became of tags.
    pub tags: TagReport,
    /// Custom properties that were there by seeding and that a write took away without naming them.
    pub foreign_properties_lost: usize,
    /// Welcome messages that went out.
    pub welcome_messages: usize,
    /// What became of batches.
    pub batches: BatchReport,
    /// Segments that were made.
    pub segments_created: usize,
}

/// The calls of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallReport {
    /// All calls.
    pub calls: usize,
    /// By HTTP status; calls whose connection was cut are under 0.
    pub by_status: BTreeMap<u16, usize>,
    /// By the last part of the problem's type.
    pub by_problem: BTreeMap<String, usize>,
}

/// What writes, single or in batches, did to contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactReport {
    /// Contacts that were made.
    pub created: usize,
    /// Writes that found their contact and were applied.
    pub updated: usize,
    /// Writes that were refused, by status.
    pub refused: BTreeMap<u16, usize>,
    /// Identifiers that were ignored because somebody else has them.
    pub identifiers_ignored: usize,
}

/// What writes did to subscriptions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Identifiers that came with a status.
    pub sent: usize,
    /// New contacts' channels that began as subscribed.
    pub created_subscribed: usize,
    /// Channels of existing contacts that got a higher status: towards subscribed.
    pub raised: usize,
    /// Channels of existing contacts that got a lower one.
    pub lowered: usize,
    /// Statuses that were ignored because what is there is younger.
    pub older_ignored: usize,
    /// The first hundred changes of existing contacts' channels.
    pub changes: Vec<StatusChange>,
}

impl StatusReport {
    /// Counts a change of an existing contact's channel.
    pub(super) fn count(&mut self, change: StatusChange) {
        match change.after.cmp(&change.before) {
            std::cmp::Ordering::Greater => self.raised += 1,
            std::cmp::Ordering::Less => self.lowered += 1,
            std::cmp::Ordering::Equal => return,
        }
        if self.changes.len() < 100 {
            self.changes.push(change);
        }
    }
}

/// A status that the API changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// Whose.
    pub contact_id: String,
    /// `email` or `sms`.
    pub channel: String,
    /// Before the write.
    pub before: Status,
    /// After it.
    pub after: Status,
}

/// What became of tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagReport {
    /// Tags that contacts got by calls of the API, the automatic one too.
    pub added: usize,
    /// Tags that contacts lost by calls of the API.
    pub removed: usize,
    /// Contacts, addresses and numbers of tag calls that nobody has.
    pub unknown: usize,
    /// The most addresses, numbers and ids of one tag call together.
    pub most_selected: usize,
    /// Tags that were there by seeding and vanished because a write did not name them.
    pub foreign_lost_by_writes: usize,
    /// Tags that were there by seeding and were removed by name.
    pub foreign_lost_by_removals: usize,
    /// Both, by tag.
    pub foreign_lost: BTreeMap<String, usize>,
}

/// What became of batches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchReport {
    /// Batches that were accepted.
    pub submitted: usize,
    /// Batches that came to their end.
    pub finished: usize,
    /// Batches that stopped before.
    pub stopped: usize,
    /// Items of accepted batches.
    pub items: usize,
    /// The largest number of items of one batch.
    pub most_items: usize,
    /// The largest number of batches of one brand that were neither finished nor stopped.
    pub most_unfinished: usize,
    /// Items that were applied.
    pub applied: usize,
    /// Items that failed, by code.
    pub failed: BTreeMap<u16, usize>,
    /// Items of stopped batches that nobody looked at.
    pub unprocessed: usize,
}
