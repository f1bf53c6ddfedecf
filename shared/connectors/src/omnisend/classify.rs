//! What the vendor's statuses mean for us: one table for whole requests, one for the items of a batch.
//!
//! <https://api-docs.omnisend.com/reference/responses> and <https://api-docs.omnisend.com/v5/reference/responses>

use super::dialect::Words;
use super::job::Failure;
use crate::{ErrorKind, Retry};
use relay_delivery::batch::RowResult;
use relay_model::{Outcome, Reason};
use std::time::Duration;

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

/// What an answer means that cannot be read.
pub(super) const fn unreadable() -> Verdict {
    backoff(ErrorKind::Protocol, "the answer does not have the documented form")
}

/// What a refused request means. What a key may not do is said by the call. `refused_wait` is for a brand that has had too
/// many calls.
pub(super) const fn refused(status: u16, words: &Words, refused_wait: Duration) -> Verdict {
    match status {
        200..=299 => unreadable(),
        300..=399 => never(
            ErrorKind::Protocol,
            "the answer sends us elsewhere, which is not followed: check the address",
        ),
        400 | 422 => never(
            ErrorKind::InvalidRequest,
            "the service does not take the request (Omnisend lists what it refused under Store settings, API)",
        ),
        401 => never(
            ErrorKind::Authentication,
            "the API key is not accepted: put a valid one into the connection's secret",
        ),
        402 => never(ErrorKind::Permission, "the brand's plan does not include this call"),
        403 if words.is_403_ambiguous => backoff(
            ErrorKind::Permission,
            "the API key lacks a right, or the service has shut us out for a while after too many mistakes",
        ),
        403 => never(ErrorKind::Permission, "the API key lacks a right"),
        404 => never(ErrorKind::Protocol, "there is nothing at this address"),
        408 => backoff(ErrorKind::Timeout, "the service did not get the request in time"),
        409 => backoff(ErrorKind::Busy, "the service is busy with what the request is about"),
        410 => never(
            ErrorKind::Settings,
            "this version of the API is retired: choose another dialect in the connection's settings",
        ),
        413 => never(ErrorKind::TooLarge, "the request is larger than the service takes"),
        429 => Verdict {
            kind: ErrorKind::RateLimited,
            retry: Retry::Wait(refused_wait),
            message: "too many calls of the brand in too short a time",
        },
        500.. => backoff(ErrorKind::Unavailable, "the service cannot answer now"),
        _ => backoff(ErrorKind::Protocol, "the answer has a status that is not documented"),
    }
}

/// Whether an item of a batch that ended so is sent again within the run: the service was busy, and the item is as
/// good as it was.
pub(super) const fn may_go_again(failure: Failure) -> bool {
    matches!(failure, Failure::NotTold | Failure::Status(408 | 429 | 503))
}

/// The result of a row that was not applied.
pub(super) fn result(failure: Failure) -> RowResult {
    let rejected = |code, text| RowResult::new(Outcome::Rejected(Reason::made(code, text)));
    let deferred = |code, text| RowResult::new(Outcome::Deferred(Reason::made(code, text)));
    match failure {
        Failure::Status(status @ (400 | 422)) => rejected(
            format!("omnisend_{status}"),
            "Omnisend does not take the contact: its address or one of its values is not of the form that it wants \
             (Store settings, API issues, names the field)",
        ),
        Failure::Status(status) => deferred(
            format!("omnisend_{status}"),
            "Omnisend did not take the contact this time; the next run tries again",
        ),
        Failure::NotTold => deferred(
            "omnisend_not_told".to_owned(),
            "Omnisend ended the batch without saying what became of the contact; the next run tries again",
        ),
        Failure::TooLate => deferred(
            "omnisend_too_late".to_owned(),
            "Omnisend did not end the batch in time (gives_up_after_minutes in the connection's settings); the next \
             run tries again",
        ),
        Failure::TooLarge => {
            rejected("row_too_large".to_owned(), "the row alone is larger than a request may be")
        }
        Failure::TooManyTags => rejected(
            "omnisend_too_many_tags".to_owned(),
            "the contact has as many tags as Omnisend takes in one request, and none of them is given up for ours",
        ),
        Failure::TagStays => deferred(
            "omnisend_tag_stays".to_owned(),
            "Omnisend kept the tag although the contact was written without it; the dialect 2026-03-15 has a call that \
             removes it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialect::Dialect;
    use super::*;
    use relay_model::{Operation, OutcomeKind};

    #[test]
    fn whole_requests() {
        use ErrorKind::{
            Authentication, Busy, InvalidRequest, Permission, Protocol, RateLimited, Settings, Timeout,
            TooLarge, Unavailable,
        };
        let wait = Duration::from_secs(15);
        let check = |status: u16, kind: ErrorKind, retry: Retry| {
            let found = refused(status, &Dialect::V2026.words(), wait);
            assert_eq!((found.kind, found.retry), (kind, retry), "HTTP {status}");
        };
        check(200, Protocol, Retry::Backoff);
        check(302, Protocol, Retry::Never);
        check(400, InvalidRequest, Retry::Never);
        check(401, Authentication, Retry::Never);
        check(402, Permission, Retry::Never);
        check(403, Permission, Retry::Never);
        check(404, Protocol, Retry::Never);
        check(408, Timeout, Retry::Backoff);
        check(409, Busy, Retry::Backoff);
        check(410, Settings, Retry::Never);
        check(413, TooLarge, Retry::Never);
        check(418, Protocol, Retry::Backoff);
        check(422, InvalidRequest, Retry::Never);
        check(429, RateLimited, Retry::Wait(wait));
        check(500, Unavailable, Retry::Backoff);
        check(503, Unavailable, Retry::Backoff);
        check(524, Unavailable, Retry::Backoff);
        assert_eq!(refused(403, &Dialect::V5.words(), wait).retry, Retry::Backoff);
    }

    #[test]
    fn items() {
        use OutcomeKind::{Deferred, Rejected};
        let check = |failure: Failure, goes_again: bool, kind: OutcomeKind, code: &str| {
            let found = result(failure);
            assert_eq!(may_go_again(failure), goes_again, "{failure:?}");
            assert_eq!(found.outcome.kind(Operation::Add), kind, "{failure:?}");
            assert_eq!(found.outcome.reason().unwrap().code, code);
        };
        check(Failure::Status(400), false, Rejected, "omnisend_400");
        check(Failure::Status(422), false, Rejected, "omnisend_422");
        check(Failure::Status(403), false, Deferred, "omnisend_403");
        check(Failure::Status(404), false, Deferred, "omnisend_404");
        check(Failure::Status(500), false, Deferred, "omnisend_500");
        check(Failure::Status(408), true, Deferred, "omnisend_408");
        check(Failure::Status(429), true, Deferred, "omnisend_429");
        check(Failure::Status(503), true, Deferred, "omnisend_503");
        check(Failure::NotTold, true, Deferred, "omnisend_not_told");
        check(Failure::TooLate, false, Deferred, "omnisend_too_late");
        check(Failure::TooLarge, false, Rejected, "row_too_large");
        check(Failure::TooManyTags, false, Rejected, "omnisend_too_many_tags");
        check(Failure::TagStays, false, Deferred, "omnisend_tag_stays");
    }
}
