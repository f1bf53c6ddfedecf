//! What the vendor's codes mean for us: one table for whole requests, one for rows.
//!
//! Codes are from "Status codes and errors" (<https://www.campaignmonitor.com/api/v3-3/getting-started/>) and the
//! tables of the methods. The HTTP status is coarse, and a success with failures comes as 400, so the status counts
//! only where an answer has no code.

use crate::{ErrorKind, Retry};
use relay_delivery::batch::RowResult;
use relay_model::{Outcome, Reason};

/// An import of which some rows failed: a success all the same.
pub(super) const IMPORT_HAD_FAILURES: i64 = 210;
/// A custom field has this name already.
pub(super) const FIELD_EXISTS: i64 = 255;
/// The address is not one.
pub(super) const INVALID_EMAIL: i64 = 1;
/// Nobody with this address is or was on the list.
pub(super) const NOT_IN_LIST: i64 = 203;
/// The person was deleted from the list.
pub(super) const DELETED: i64 = 205;
/// The access token has run its time.
pub(super) const TOKEN_EXPIRED: i64 = 121;

/// What a refused request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    pub(super) message: &'static str,
}

const fn never(kind: ErrorKind, message: &'static str) -> Verdict {
    Verdict { kind, retry: Retry::Never, message }
}

const fn backoff(kind: ErrorKind, message: &'static str) -> Verdict {
    Verdict { kind, retry: Retry::Backoff, message }
}

/// What a refused request means, by the code and, where there is none, by the status.
pub(super) const fn refused(status: u16, code: Option<i64>) -> Verdict {
    match code {
        Some(code) => by_code(code),
        None => by_status(status),
    }
}

const fn by_code(code: i64) -> Verdict {
    match code {
        50 | 100 => never(
            ErrorKind::Authentication,
            "the API key is not accepted: put a valid one into the connection's secret",
        ),
        60 => never(
            ErrorKind::Permission,
            "the credentials lack a right: an OAuth connection needs the scopes ImportSubscribers and ManageLists",
        ),
        101 | 102 => never(
            ErrorKind::ListMissing,
            "the account has no list or client with this id (the credentials themselves are accepted): check the id",
        ),
        120 => {
            never(ErrorKind::Authentication, "the access token is not accepted: connect the account again")
        }
        TOKEN_EXPIRED => {
            never(ErrorKind::Authentication, "the access token has run its time: connect the account again")
        }
        122 => never(ErrorKind::Authentication, "the access was revoked: connect the account again"),
        403 => never(ErrorKind::Permission, "this kind of account may not make this call"),
        404 => never(ErrorKind::ListMissing, "there is nothing at this address: check the id of the list"),
        209 => never(ErrorKind::InvalidRequest, "the request had more than 1,000 subscribers"),
        212 => never(ErrorKind::InvalidRequest, "the request had no subscribers"),
        214 => {
            never(ErrorKind::InvalidRequest, "the request did not say whether there is consent to tracking")
        }
        215 => never(ErrorKind::InvalidRequest, "the request's word for consent to tracking is not known"),
        253 => never(ErrorKind::Settings, "a custom field's key is not in brackets"),
        254 => never(ErrorKind::Settings, "a custom field may not have this name"),
        FIELD_EXISTS => never(ErrorKind::Settings, "there is a custom field with this name already"),
        256 => never(ErrorKind::Settings, "a custom field of choices has no options"),
        257 => never(ErrorKind::Settings, "a custom field that is not one of choices has options"),
        259 => never(ErrorKind::Settings, "a custom field has a data type that is not known"),
        278 | 287 => backoff(ErrorKind::Unavailable, "the list is busy"),
        429 => backoff(ErrorKind::RateLimited, "too many calls in too short a time"),
        500 => backoff(ErrorKind::Unavailable, "the service has run into a problem"),
        _ => backoff(ErrorKind::Protocol, "the answer has a code that is not known here"),
    }
}

const fn by_status(status: u16) -> Verdict {
    match status {
        200..=299 => backoff(ErrorKind::Protocol, "the answer does not have the documented form"),
        300..=399 => never(
            ErrorKind::Protocol,
            "the answer sends us elsewhere, which is not followed: check the address",
        ),
        408 => backoff(ErrorKind::Timeout, "the service did not get the request in time"),
        413 => never(
            ErrorKind::TooLarge,
            "the request is larger than the service takes: lower max_body_bytes in the connection's settings",
        ),
        429 => backoff(ErrorKind::RateLimited, "too many calls in too short a time"),
        500.. => backoff(ErrorKind::Unavailable, "the service cannot answer now"),
        _ => backoff(ErrorKind::Protocol, "the answer has no code that says what is wrong"),
    }
}

/// The reason of a row, under the vendor's code.
pub(super) fn reason(code: i64, text: &'static str) -> Reason {
    Reason::made(format!("campaign_monitor_{code}"), text)
}

/// What became of a row that an import names among its failures.
///
/// Suppressed, unsubscribed, bounced and deleted people are no longer ours: whatever took them off the list was not
/// us, or not us last. Somebody who has yet to confirm stays what they were to us: whom we put on the list we still
/// take off again when they leave the segment, and whom we did not, the next run brings again by itself.
///
/// For a rejoiner, whom we took off ourselves, [`DELETED`] is not asked here but leads to a second import.
pub(super) fn import_failure(code: i64) -> RowResult {
    let rejected = |text| RowResult::new(Outcome::Rejected(reason(code, text)));
    let gone = |text| RowResult::not_ours(Outcome::Skipped(reason(code, text)));
    match code {
        INVALID_EMAIL => rejected("Campaign Monitor does not take the e-mail address"),
        204 => gone("the person is on the suppression list, so they are never sent mail"),
        DELETED => gone("the person was deleted from the list, not by an export, and is not put back"),
        206 => gone("the person has unsubscribed from the list and is not put back"),
        207 => gone("mail to the person has bounced, so the list does not take them"),
        208 => RowResult::new(Outcome::Skipped(reason(
            code,
            "the person has yet to confirm that they join the list",
        ))),
        220 => {
            rejected("Campaign Monitor does not take the mobile number: it has to be in international form")
        }
        221 => rejected("Campaign Monitor takes neither the e-mail address nor the mobile number"),
        _ => RowResult::new(Outcome::Deferred(reason(
            code,
            "Campaign Monitor did not take the row, with a code that is not known here; the next run tries again",
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_model::Standing;
    use relay_model::{Operation, OutcomeKind};

    #[test]
    fn whole_requests() {
        use ErrorKind::{
            Authentication, InvalidRequest, ListMissing, Permission, Protocol, RateLimited, Settings,
            Timeout, TooLarge, Unavailable,
        };
        let check = |status: u16, code: Option<i64>, kind: ErrorKind, retry: Retry| {
            let found = refused(status, code);
            assert_eq!((found.kind, found.retry), (kind, retry), "HTTP {status}, code {code:?}");
        };
        for code in [50, 100, 120, 121, 122] {
            check(401, Some(code), Authentication, Retry::Never);
        }
        check(401, Some(60), Permission, Retry::Never);
        check(403, Some(403), Permission, Retry::Never);
        check(401, Some(101), ListMissing, Retry::Never);
        check(401, Some(102), ListMissing, Retry::Never);
        check(404, Some(404), ListMissing, Retry::Never);
        for code in [209, 212, 214, 215] {
            check(400, Some(code), InvalidRequest, Retry::Never);
        }
        for code in [253, 254, 255, 256, 257, 259] {
            check(400, Some(code), Settings, Retry::Never);
        }
        check(400, Some(278), Unavailable, Retry::Backoff);
        check(400, Some(287), Unavailable, Retry::Backoff);
        check(429, Some(429), RateLimited, Retry::Backoff);
        check(200, Some(429), RateLimited, Retry::Backoff);
        check(500, Some(500), Unavailable, Retry::Backoff);
        check(200, Some(500), Unavailable, Retry::Backoff);
        check(400, Some(9_999), Protocol, Retry::Backoff);
        check(200, None, Protocol, Retry::Backoff);
        check(302, None, Protocol, Retry::Never);
        check(401, None, Protocol, Retry::Backoff);
        check(408, None, Timeout, Retry::Backoff);
        check(413, None, TooLarge, Retry::Never);
        check(429, None, RateLimited, Retry::Backoff);
        check(502, None, Unavailable, Retry::Backoff);
        check(504, None, Unavailable, Retry::Backoff);
    }

    #[test]
    fn rows() {
        use OutcomeKind::{Deferred, Rejected, Skipped};
        use Standing::{FollowsOutcome, NotOurs};
        let check = |code: i64, kind: OutcomeKind, standing: Standing| {
            let found = import_failure(code);
            assert_eq!((found.outcome.kind(Operation::Add), found.standing), (kind, standing), "{code}");
            assert_eq!(found.outcome.reason().unwrap().code, format!("campaign_monitor_{code}"));
        };
        check(1, Rejected, FollowsOutcome);
        check(204, Skipped, NotOurs);
        check(205, Skipped, NotOurs);
        check(206, Skipped, NotOurs);
        check(207, Skipped, NotOurs);
        check(208, Skipped, FollowsOutcome);
        check(220, Rejected, FollowsOutcome);
        check(221, Rejected, FollowsOutcome);
        check(429, Deferred, FollowsOutcome);
        check(500, Deferred, FollowsOutcome);
        check(9_999, Deferred, FollowsOutcome);
    }
}
