//! What the vendor's codes mean for us: one table for whole requests, one for rows.
//!
//! Codes are from <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes>. Almost every
//! answer has HTTP status 200, so the status counts only where an answer has no code. Codes 6xx say that a request was
//! not carried out at all, 7xx that its data or parameters were refused, 1xxx are about single records but come for
//! whole requests too.

use crate::ErrorKind;
use std::time::Duration;

/// The account knows no such person, or no longer.
pub(super) const LEAD_NOT_FOUND: i64 = 1004;
/// Several people match.
pub(super) const SEVERAL_LEADS: i64 = 1007;
/// A value is not valid; of a look-up, too many people match.
pub(super) const INVALID_VALUE: i64 = 1003;
/// The person is not on the list.
pub(super) const NOT_IN_LIST: i64 = 1015;
/// The list is used by something else.
pub(super) const IN_USE: i64 = 1022;
/// The object is not there.
pub(super) const NOT_FOUND: &[i64] = &[702, 1013];
/// The user's role does not allow it.
pub(super) const ACCESS_DENIED: i64 = 603;
/// A rule of the account's assets, such as that names are unique.
pub(super) const NAME_TAKEN: &[i64] = &[709, 1014, 1017];

/// What is to be done about a refused request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing: somebody has to act.
    Stop,
    /// Try again, later each time.
    Backoff,
    /// Get another token, once.
    Renew,
    /// Slow everybody down, then go on.
    SlowDown,
    /// Wait until the account's day begins anew.
    Pause,
    /// Wait until what is in the way has ended.
    Wait,
}

/// What a refused request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: ErrorKind,
    pub(super) action: Action,
    pub(super) message: &'static str,
}

const fn verdict(kind: ErrorKind, action: Action, message: &'static str) -> Verdict {
    Verdict { kind, action, message }
}

/// How long other imports are given before a file is submitted again, in looks at an import of ours.
pub(super) const fn busy_wait(poll: Duration) -> Duration {
    poll.saturating_mul(6)
}

/// What a refused request means, by its code.
pub(super) const fn by_code(code: i64) -> Verdict {
    use Action::{Backoff, Pause, Renew, SlowDown, Stop, Wait};
    use ErrorKind::{
        Authentication, Busy, InvalidRequest, ListMissing, Permission, Protocol, QuotaSpent, RateLimited,
        Settings, Timeout, TooLarge, Unavailable,
    };
    match code {
        413 => verdict(TooLarge, Stop, "the request is larger than Marketo takes"),
        414 => verdict(InvalidRequest, Stop, "the address of the request is longer than Marketo takes"),
        502 => verdict(Unavailable, Backoff, "Marketo cannot be reached behind its gateway"),
        600 => verdict(Authentication, Renew, "the call had no access token"),
        601 => verdict(Authentication, Renew, "the access token is not valid"),
        602 => verdict(Authentication, Renew, "the access token has run its time"),
        603 => verdict(Permission, Stop, "access is denied"),
        604 => verdict(Timeout, Backoff, "Marketo did not finish the call in time"),
        605 => verdict(InvalidRequest, Stop, "the call does not take this method"),
        606 => verdict(RateLimited, SlowDown, "the account has more than 100 calls in 20 seconds"),
        607 => verdict(QuotaSpent, Pause, "the account's calls of today are spent"),
        608 => verdict(Unavailable, Backoff, "the API is unavailable for a while"),
        609 => verdict(InvalidRequest, Stop, "the request is not valid JSON"),
        610 => verdict(
            Settings,
            Stop,
            "there is nothing at this address: check the endpoint in the connection's settings",
        ),
        611 => verdict(Unavailable, Backoff, "Marketo has run into a problem"),
        612 => verdict(InvalidRequest, Stop, "the request has the wrong content type"),
        613 => verdict(InvalidRequest, Stop, "the request is not valid multipart"),
        614 => verdict(Unavailable, Backoff, "the account cannot be reached for a while"),
        615 => verdict(RateLimited, SlowDown, "the account has more than 10 calls at the same time"),
        616 => verdict(Settings, Stop, "the account's subscription does not include this call"),
        701 => verdict(InvalidRequest, Stop, "a parameter is missing or empty"),
        702 => verdict(ListMissing, Stop, "there is no such object in the account: check the id of the list"),
        703 => verdict(Permission, Stop, "the account does not have this feature"),
        704 => verdict(InvalidRequest, Stop, "a date has the wrong form"),
        709 => verdict(Settings, Stop, "a rule of the account forbids it; most often the name is taken"),
        710 => verdict(Settings, Stop, "there is no such folder: check options.folder"),
        711 => verdict(Settings, Stop, "the folder is not one for lists: check options.folder"),
        712 => verdict(Permission, Stop, "the user may not do this in this workspace or to this object"),
        713 => verdict(Unavailable, Backoff, "Marketo has met a passing problem"),
        714 => verdict(Settings, Stop, "the default record type cannot be found"),
        718 => verdict(Settings, Stop, "there is no such program"),
        719 => verdict(Unavailable, Backoff, "Marketo has waited too long for a lock"),
        1001 => verdict(InvalidRequest, Stop, "a value has the wrong type"),
        1002 => verdict(InvalidRequest, Stop, "a parameter is missing"),
        1003 => verdict(InvalidRequest, Stop, "Marketo finds a part of the request invalid"),
        1004 => verdict(InvalidRequest, Stop, "the account has no such person"),
        1005 => verdict(InvalidRequest, Stop, "the person is there already"),
        1006 => verdict(
            Settings,
            Stop,
            "the account has no such field: check options.lookup_field and the mapping",
        ),
        1007 => verdict(InvalidRequest, Stop, "several people match"),
        1008 => verdict(
            Permission,
            Stop,
            "the user may not use the partition: check options.partition and the role",
        ),
        1009 => verdict(Settings, Stop, "the account needs the name of a partition: set options.partition"),
        1010 => verdict(Settings, Stop, "the person is in another partition: check options.partition"),
        1011 => {
            verdict(Settings, Stop, "people cannot be looked up by this field: check options.lookup_field")
        }
        1012 => verdict(InvalidRequest, Stop, "the address of the call is not valid"),
        1013 => {
            verdict(ListMissing, Stop, "there is no such object in the account: check the id of the list")
        }
        1014 => verdict(Settings, Stop, "the object could not be created"),
        1015 => verdict(InvalidRequest, Stop, "the person is not on the list"),
        1016 => verdict(Busy, Wait, "the account has 10 imports running or waiting"),
        1017 => verdict(Settings, Stop, "there is such an object already"),
        1018 => verdict(Settings, Stop, "the account's CRM owns this kind of record"),
        1019 => verdict(Busy, Wait, "another import into the list is running"),
        1020 => verdict(InvalidRequest, Stop, "there are too many clones of the program"),
        1021 => verdict(
            Settings,
            Stop,
            "fields of companies cannot be written with people: take them out of the mapping",
        ),
        1022 => verdict(Settings, Stop, "the object is used by something else"),
        1025 => verdict(Settings, Stop, "the status of the program is not known"),
        1026 => verdict(Settings, Stop, "the account has no custom objects"),
        1027 => verdict(Settings, Stop, "there is no such type of activity"),
        1028 => verdict(Settings, Stop, "too many fields"),
        1029 => verdict(QuotaSpent, Pause, "the account's extracts of today are spent"),
        1035 => verdict(Settings, Stop, "the account does not have this filter of extracts"),
        1036 => verdict(InvalidRequest, Stop, "the request has a record twice"),
        1037 => verdict(InvalidRequest, Stop, "the person has no such membership"),
        1042 => verdict(InvalidRequest, Stop, "the run date is not valid"),
        1048 => verdict(InvalidRequest, Stop, "the custom object cannot be discarded"),
        1049 => verdict(InvalidRequest, Stop, "too many activities"),
        1076 => verdict(InvalidRequest, Stop, "merging needs the CRM's leave"),
        1077 => verdict(InvalidRequest, Stop, "a value is longer than its field takes"),
        1078 => verdict(InvalidRequest, Stop, "people cannot be merged"),
        1079 => verdict(InvalidRequest, Stop, "the access is limited to a link"),
        1080 => verdict(InvalidRequest, Stop, "more than 25 people to merge"),
        _ => verdict(Protocol, Backoff, "the answer has a code that is not known here"),
    }
}

/// What an answer without a code means, by its status.
pub(super) const fn by_status(status: u16) -> Verdict {
    use Action::{Backoff, Stop};
    match status {
        300..=399 => verdict(
            ErrorKind::Protocol,
            Stop,
            "the answer sends us elsewhere, which is not followed: check the endpoint",
        ),
        408 => verdict(ErrorKind::Timeout, Backoff, "Marketo did not get the request in time"),
        413 => by_code(413),
        414 => by_code(414),
        429 => by_code(606),
        504 => verdict(ErrorKind::Timeout, Backoff, "Marketo did not finish the call in time"),
        500..=599 => verdict(ErrorKind::Unavailable, Backoff, "Marketo cannot answer now"),
        _ => verdict(ErrorKind::Protocol, Backoff, "the answer does not have the documented form"),
    }
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
