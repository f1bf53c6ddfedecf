//! What the vendor's codes mean for us: whether a call can be made again, and what of it is to blame.
//!
//! Codes are from
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/web-service-error-codes> and, for the
//! service protection limits, <https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>. Which HTTP
//! status belongs to a list's errors is documented nowhere, so the status counts only where an answer has no code.

use crate::{ErrorKind, PushError, Retry};
use std::time::Duration;

/// A row that does not exist: the list, or a contact.
pub(super) const MISSING: u32 = 0x8004_0217;
/// Somebody to remove is not on the list.
pub(super) const NOT_A_MEMBER: u32 = 0x8004_8458;
/// A row with this key is there already.
pub(super) const DUPLICATE: u32 = 0x8004_0237;
/// The combined execution time is spent.
pub(super) const EXECUTION_TIME: u32 = 0x8007_2321;
/// More values in a query than the service takes.
pub(super) const TOO_MANY_VALUES: u32 = 0x8004_430E;
/// More conditions in a query than the service takes.
const TOO_MANY_CONDITIONS: u32 = 0x8004_430C;

/// How long is waited for a window of five minutes to have room again, where the answer does not say.
const WINDOW_WAIT: Duration = Duration::from_mins(1);

/// What a refused request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    pub(super) message: &'static str,
}

/// What of a call that changes members may be the reason why it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The whole call: no other selection of members would do better.
    Call,
    /// One or more of the members.
    Members,
    /// The list or a contact does not exist.
    Missing,
    /// Somebody to remove is not on the list.
    NotMember,
    /// That there are so many.
    Size,
}

const fn never(kind: ErrorKind, message: &'static str) -> Verdict {
    Verdict { kind, retry: Retry::Never, message }
}

const fn backoff(kind: ErrorKind, message: &'static str) -> Verdict {
    Verdict { kind, retry: Retry::Backoff, message }
}

const fn window(message: &'static str) -> Verdict {
    Verdict { kind: ErrorKind::RateLimited, retry: Retry::After(WINDOW_WAIT), message }
}

/// What a refused request means, by the code and, where there is none, by the status.
pub(super) const fn refused(status: u16, code: Option<u32>) -> Verdict {
    match code {
        Some(code) => by_code(status, code),
        None => by_status(status),
    }
}

const fn by_code(status: u16, code: u32) -> Verdict {
    use ErrorKind::{
        Authentication, Busy, InvalidRequest, ListMissing, Permission, RateLimited, Settings, TooLarge,
        Unavailable,
    };
    match code {
        0x8007_2322 => window("too many calls within five minutes"),
        EXECUTION_TIME => window("too much execution time within five minutes"),
        0x8007_2326 => backoff(RateLimited, "too many calls at a time"),
        0x8005_F103 => backoff(RateLimited, "too many calls in too short a time"),
        0x8004_4151 => backoff(ErrorKind::Timeout, "the database did not finish in time"),
        0x8004_4150 => backoff(Unavailable, "the database gave the call up, such as for a deadlock"),
        0x8004_8105 => backoff(Unavailable, "another call did the same at the same time"),
        MISSING => never(ListMissing, "there is no such list, or no such contact"),
        0x8004_0302 => never(
            Busy,
            "the marketing list is locked: unlock it in Dynamics 365 Sales; the next run brings the rest",
        ),
        0x8004_033A => never(
            Busy,
            "the marketing list is inactive: activate it in Dynamics 365 Sales; the next run brings the rest",
        ),
        0x8004_F701 => never(Settings, "the marketing list is dynamic: only static lists take members"),
        0x8004_0301 => never(Settings, "the marketing list is not one of contacts"),
        NOT_A_MEMBER => never(InvalidRequest, "somebody to remove is not on the list"),
        0x8004_F702 => never(InvalidRequest, "a static list was given a query"),
        0x8004_F703 => never(InvalidRequest, "a dynamic list was given a lock"),
        DUPLICATE => never(InvalidRequest, "there is a row with this key already"),
        0x8004_0220 | 0x8004_0299 => never(
            Permission,
            "the application user lacks a privilege: give its security role the privileges to read, create, write and \
             append to marketing lists and to read and append contacts",
        ),
        0x8004_8306 => never(
            Permission,
            "the application user has no access to a record: its role needs organisation level",
        ),
        0x8007_2560 => never(
            Permission,
            "the application has no user in the organisation: create an application user for it and give it a role",
        ),
        0x8009_5FFC => never(
            Permission,
            "the organisation does not let this application in: an administrator has to allow it",
        ),
        0x8004_A112 => never(Permission, "the application user is disabled"),
        0x8004_2F09 => never(Permission, "the application user has no security role"),
        0x8004_A104 => never(Permission, "the organisation is disabled"),
        0x8004_0203 => never(InvalidRequest, "the service does not take a value of the request"),
        0x8004_0265 => never(InvalidRequest, "a plug-in of the organisation refused the change"),
        0x8004_4331 => never(InvalidRequest, "a text is longer than its column takes"),
        0x8004_8D19 => never(InvalidRequest, "the service cannot read the request"),
        TOO_MANY_VALUES | TOO_MANY_CONDITIONS => {
            never(TooLarge, "the query names more contacts than are taken")
        }
        0x8006_0888 => never(InvalidRequest, "the service cannot read the query"),
        0x8006_088A => never(
            Settings,
            "the organisation has no such table or action: Dynamics 365 Sales has to be installed in it",
        ),
        _ => match status {
            401 => never(Authentication, "the access token is not accepted"),
            403 => never(Permission, "the application user may not do this"),
            429 => backoff(RateLimited, "too many calls in too short a time"),
            500.. => backoff(Unavailable, "the service has run into a problem"),
            // Other codes of a customer's own making come as bad requests; what they mean is theirs to say.
            400 => {
                never(InvalidRequest, "the service refuses the request, with a code that is not known here")
            }
            _ => backoff(ErrorKind::Protocol, "the answer has a code that is not known here"),
        },
    }
}

const fn by_status(status: u16) -> Verdict {
    match status {
        200..=299 => backoff(ErrorKind::Protocol, "the answer does not have the documented form"),
        300..=399 => never(
            ErrorKind::Protocol,
            "the answer sends us elsewhere, which is not followed: check organisation_url",
        ),
        401 => {
            never(ErrorKind::Authentication, "the access token is not accepted: check tenant and client_id")
        }
        403 => never(
            ErrorKind::Permission,
            "the organisation lets nobody in without saying why: it may be in administration mode",
        ),
        404 => never(
            ErrorKind::Settings,
            "there is nothing at this address: check organisation_url, and that Dynamics 365 Sales is installed",
        ),
        408 => backoff(ErrorKind::Timeout, "the service did not get the request in time"),
        412 => never(ErrorKind::InvalidRequest, "there is a row with this key already"),
        413 | 414 => never(ErrorKind::TooLarge, "the request is larger than the service takes"),
        429 => backoff(ErrorKind::RateLimited, "too many calls in too short a time"),
        504 => backoff(ErrorKind::Timeout, "the service did not answer in time"),
        500.. => backoff(ErrorKind::Unavailable, "the service cannot answer now"),
        _ => backoff(ErrorKind::Protocol, "the answer has no code that says what is wrong"),
    }
}

/// What of a refused change of members may be to blame.
pub(super) fn blame(error: &PushError) -> Blame {
    match code_of(error) {
        Some(MISSING) => Blame::Missing,
        Some(NOT_A_MEMBER) => Blame::NotMember,
        Some(0x8004_0203 | 0x8004_0237 | 0x8004_0265 | 0x8004_8306) => Blame::Members,
        _ => match error.kind {
            ErrorKind::Timeout | ErrorKind::TooLarge => Blame::Size,
            // A code of a customer's plug-in.
            ErrorKind::InvalidRequest if is_unknown(error) => Blame::Members,
            _ => Blame::Call,
        },
    }
}

fn is_unknown(error: &PushError) -> bool {
    error.status == Some(400)
        && !matches!(
            code_of(error),
            None | Some(0x8004_8D19 | 0x8006_0888 | 0x8004_4331 | 0x8004_F702 | 0x8004_F703)
        )
}

/// The vendor's code of an error.
pub(super) fn code_of(error: &PushError) -> Option<u32> {
    error.code.and_then(|code| i32::try_from(code).ok()).map(i32::cast_unsigned)
}

/// The number by which an error is shown: the vendor's tables have each code signed as well.
pub(super) fn shown(code: u32) -> i64 {
    i64::from(code.cast_signed())
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
