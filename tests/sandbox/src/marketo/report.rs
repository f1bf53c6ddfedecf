//! What the sandbox has seen: calls, records and whatever a careful client would not have done.

use super::endpoint::Endpoint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many different violations of the specification are kept.
const MOST_VIOLATIONS: usize = 1000;

/// Everything counted since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Calls of each kind, refused ones too.
    pub calls: BTreeMap<Endpoint, CallReport>,
    /// Calls of the identity endpoint.
    pub identity_calls: usize,
    /// Calls refused by the limits: 606, 607 and 615.
    pub throttled: BTreeMap<u16, usize>,
    /// The largest number of calls, refused ones too, within any rate window.
    pub most_calls_in_window: usize,
    /// The largest number of calls that were being handled at one time.
    pub most_in_flight: usize,
    /// Calls that count in the quota's day.
    pub calls_of_day: usize,
    /// The largest request body, in bytes.
    pub largest_body_bytes: usize,
    /// Calls that a requested fault hit.
    pub faults: usize,
    /// What the synchronous writing of leads brought.
    pub sync: SyncReport,
    /// Leads made by imports.
    pub import_created: usize,
    /// Leads changed by imports.
    pub import_updated: usize,
    /// Rows that imports refused, by code.
    pub import_failed: BTreeMap<u16, usize>,
    /// The largest number of imports that ran or waited.
    pub most_imports: usize,
    /// Leads made although there was one with the same key, not counting those asked for as duplicates.
    pub duplicate_leads: usize,
    /// Leads deleted by calls.
    pub leads_deleted: usize,
    /// Leads put on lists by calls and imports.
    pub members_added: usize,
    /// Leads taken off lists by calls.
    pub members_removed: usize,
    /// Removals of leads that no call of the API had put on the list.
    pub removals_of_seeded: usize,
    /// Lists made by calls.
    pub lists_created: usize,
    /// Lists deleted by calls.
    pub lists_deleted: usize,
    /// Requests that were not as the Swagger files say: what was wrong, without values, each text once.
    pub specification_violations: Vec<String>,
    /// How many violations there were in all.
    pub specification_violation_count: usize,
}

/// The calls of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallReport {
    /// All calls.
    pub calls: usize,
    /// By HTTP status; calls whose connection was cut are under 0.
    pub by_status: BTreeMap<u16, usize>,
    /// By the code of the error of the whole call.
    pub by_code: BTreeMap<u16, usize>,
}

/// What the calls that sync leads did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncReport {
    /// Calls that were carried out.
    pub calls: usize,
    /// Records sent in them.
    pub records: usize,
    /// The largest number of records in one of them.
    pub most_records: usize,
    /// Records that made a lead, by action.
    pub created: BTreeMap<String, usize>,
    /// Records that changed a lead, by action.
    pub updated: BTreeMap<String, usize>,
    /// Records skipped, by code.
    pub skipped: BTreeMap<u16, usize>,
    /// Records beyond the first with the same key in their call.
    pub repeated_keys: usize,
}

/// A request as it was seen, if requests are logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedRequest {
    /// Vendor time in milliseconds since 1970.
    pub at_ms: i64,
    /// The kind of call.
    pub endpoint: Endpoint,
    /// HTTP method.
    pub method: String,
    /// Path and query; the identity endpoint's without the query.
    pub path: String,
    /// HTTP status answered; 0 for a connection that was cut.
    pub status: u16,
    /// The code of the error answered.
    pub code: Option<u16>,
    /// Size of the body.
    pub body_bytes: usize,
}

impl Report {
    pub(super) fn add_violations(&mut self, violations: Vec<String>) {
        self.specification_violation_count += violations.len();
        for violation in violations {
            if self.specification_violations.len() < MOST_VIOLATIONS
                && !self.specification_violations.contains(&violation)
            {
                self.specification_violations.push(violation);
            }
        }
    }
}
