//! What was seen: calls, members and whatever a careful client would not have done.

use super::endpoint::Endpoint;
use super::protection::Limit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything counted since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Calls of each kind, refused ones too, and those within batches.
    pub calls: BTreeMap<Endpoint, CallReport>,
    /// The largest request body, in bytes.
    pub largest_body_bytes: usize,
    /// The longest address with its query, in bytes.
    pub longest_address_bytes: usize,
    /// The largest number of calls that were being handled at one time.
    pub most_in_flight: usize,
    /// Calls that a service protection limit refused, by limit; asked-for refusals too.
    pub throttled: BTreeMap<Limit, usize>,
    /// Of them, those that were asked for by `force_throttle`.
    pub throttled_on_request: usize,
    /// Calls of a user who had been told to wait longer.
    pub calls_before_retry_after: usize,
    /// The most calls of one user to one web server in any window.
    pub most_calls_in_window: usize,
    /// The longest combined execution time of one user at one web server in any window, in milliseconds of the
    /// vendor's time.
    pub longest_execution_in_window_ms: u64,
    /// Execution time of all calls together, in milliseconds of the vendor's time.
    pub execution_ms: u64,
    /// The longest execution of one membership call, in milliseconds of the vendor's time.
    pub longest_membership_call_ms: u64,
    /// The most membership calls for one list that were being executed at one time.
    pub most_calls_for_one_list: usize,
    /// Calls that came with a cookie.
    pub calls_with_cookies: usize,
    /// Calls with a token to the API without `OData-Version: 4.0`.
    pub calls_without_odata_version: usize,
    /// Tokens that were handed out.
    pub tokens: usize,
    /// Contacts made by the API; an export makes none.
    pub contacts_created: usize,
    /// Contacts changed by the API; an export changes none.
    pub contacts_changed: usize,
    /// Lists made by the API.
    pub lists_created: usize,
    /// Lists deleted by the API.
    pub lists_deleted: usize,
    /// What membership calls did.
    pub members: MemberReport,
    /// Calls that a requested fault hit.
    pub faults: usize,
}

/// The calls of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallReport {
    /// All calls.
    pub calls: usize,
    /// By HTTP status; calls whose connection was cut are under 0.
    pub by_status: BTreeMap<u16, usize>,
    /// By the error's code, such as `0x80040217`.
    pub by_code: BTreeMap<String, usize>,
}

/// What membership calls did. Only calls that were not refused as a whole count here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberReport {
    /// Calls that were carried out.
    pub calls: usize,
    /// The most members in one of them.
    pub most_in_one_call: usize,
    /// Contacts that became members.
    pub added: usize,
    /// Contacts to add who were members already.
    pub already: usize,
    /// Members that were removed.
    pub removed: usize,
    /// Of them, those that no call of the API had added.
    pub foreign_removed: usize,
}

/// How a contact came to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// By a control call: somebody of the company put them there.
    Seeded,
    /// By a call of the API.
    Api,
}
