//! How the server behaves where the vendor's documents leave a choice, and how fast it is.

use crate::kit::throttle::Throttle;
use serde::{Deserialize, Serialize};

/// The settings of a Campaign Monitor sandbox. `Options::default()` is the strictest reading of the documents,
/// without latency and without a rate limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// TCP port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Milliseconds that each call of the API takes before its work is done.
    pub latency_ms: u64,
    /// Rate limit over all calls of the API together (the token endpoint is outside it). The vendor publishes
    /// no number for subscribers and lists.
    pub throttle: Option<Throttle>,
    /// Whether a 429 carries `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds). They are documented for
    /// the transactional endpoints only, so by default there is no hint how long to wait.
    pub rate_limit_headers: bool,
    /// Largest body taken, in bytes; larger ones get a 413 that is not JSON. The vendor publishes no number.
    pub largest_body_bytes: usize,
    /// The answer for a list that does not exist or belongs to somebody else.
    pub unknown_list: UnknownList,
    /// HTTP status of an error of the token endpoint: the documents show the error body, and it has been seen
    /// with 200 and with 400. With 200 a client that looks at the status only takes it for tokens.
    pub oauth_error_status: u16,
    /// Lifetime of new access tokens, in seconds; the documents' example is 14 days.
    pub access_token_seconds: i64,
    /// Whether a refresh ends the old access token at once (it answers "expired" from then on).
    pub refresh_ends_access_token: bool,
    /// What a missing or invalid `ConsentToTrack` of one row does to an import.
    pub consent_errors: ConsentErrors,
    /// Which of the rows with the same address in one import counts.
    pub duplicate_rows: DuplicateRows,
    /// What an import does with somebody who has not confirmed yet.
    pub unconfirmed_rows: UnconfirmedRows,
    /// What an empty custom field value without `Clear` does.
    pub empty_values: EmptyValues,
    /// What happens to a custom field value of more than 250 characters.
    pub long_values: LongValues,
    /// What an update without `Name` does to the name.
    pub missing_names: MissingNames,
    /// Milliseconds that a subscriber added by the single call spends in the processing queue: the call's 201
    /// does not say that the person is on the list yet.
    pub single_add_queue_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            latency_ms: 0,
            throttle: None,
            rate_limit_headers: false,
            largest_body_bytes: 4 * 1024 * 1024,
            unknown_list: UnknownList::InvalidClient,
            oauth_error_status: 200,
            access_token_seconds: 1_209_600,
            refresh_ends_access_token: true,
            consent_errors: ConsentErrors::WholeCall,
            duplicate_rows: DuplicateRows::LastCounts,
            unconfirmed_rows: UnconfirmedRows::Refused,
            empty_values: EmptyValues::Ignored,
            long_values: LongValues::Truncated,
            missing_names: MissingNames::Kept,
            single_add_queue_ms: 500,
        }
    }
}

/// The code for a list that the caller does not own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownList {
    /// Code 102, documented for ids that are not the caller's.
    InvalidClient,
    /// Code 101, documented for version 2 of the API only.
    InvalidList,
}

/// The reach of a bad `ConsentToTrack`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentErrors {
    /// The call is refused with 214 or 215 and nobody is imported.
    WholeCall,
    /// The row fails with 214 or 215 and the others are imported.
    RowOnly,
}

/// Which row of several with one address counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateRows {
    /// The first; the others are only reported.
    FirstCounts,
    /// The last, as if each had been applied in turn.
    LastCounts,
}

/// What an import does with an unconfirmed subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnconfirmedRows {
    /// The row fails with 208, with `Resubscribe` too.
    Refused,
    /// Name and custom fields are updated; the person stays unconfirmed.
    Updated,
}

/// What `"Value": ""` without `Clear` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyValues {
    /// Nothing: the old value stays.
    Ignored,
    /// It removes the value.
    Clear,
}

/// What happens to an over-long custom field value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongValues {
    /// It is cut to 250 characters.
    Truncated,
    /// It is dropped and the old value stays.
    Ignored,
}

/// What an update without a name does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingNames {
    /// The name stays.
    Kept,
    /// The name is removed.
    Cleared,
}
