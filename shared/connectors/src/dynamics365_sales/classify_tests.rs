use super::*;
use crate::dynamics365_sales::answers::Refusal;
use crate::dynamics365_sales::client::refusal;
use ErrorKind::{
    Authentication, Busy, InvalidRequest, ListMissing, Permission, Protocol, RateLimited, Settings, Timeout,
    TooLarge, Unavailable,
};

#[track_caller]
fn check(status: u16, code: Option<u32>, kind: ErrorKind, retry: Retry, expected: Blame) {
    let error = refusal("test", status, &Refusal { code, privilege: None }, None);
    let found = (error.kind, error.retry, blame(&error));
    assert_eq!(found, (kind, retry, expected), "HTTP {status}, code {code:08x?}");
    assert_eq!(code_of(&error), code);
}

#[test]
fn every_documented_code() {
    let (never, backoff, window) = (Retry::Never, Retry::Backoff, Retry::After(WINDOW_WAIT));
    check(429, Some(0x8007_2322), RateLimited, window, Blame::Call);
    check(429, Some(0x8007_2321), RateLimited, window, Blame::Call);
    check(429, Some(0x8007_2326), RateLimited, backoff, Blame::Call);
    check(429, Some(0x8005_F103), RateLimited, backoff, Blame::Call);
    check(500, Some(0x8004_4151), Timeout, backoff, Blame::Size);
    check(500, Some(0x8004_4150), Unavailable, backoff, Blame::Call);
    check(500, Some(0x8004_8105), Unavailable, backoff, Blame::Call);
    check(404, Some(0x8004_0217), ListMissing, never, Blame::Missing);
    check(400, Some(0x8004_0302), Busy, never, Blame::Call);
    check(400, Some(0x8004_033A), Busy, never, Blame::Call);
    check(400, Some(0x8004_F701), Settings, never, Blame::Call);
    check(400, Some(0x8004_0301), Settings, never, Blame::Call);
    check(400, Some(0x8004_8458), InvalidRequest, never, Blame::NotMember);
    check(400, Some(0x8004_F702), InvalidRequest, never, Blame::Call);
    check(400, Some(0x8004_F703), InvalidRequest, never, Blame::Call);
    check(412, Some(0x8004_0237), InvalidRequest, never, Blame::Members);
    check(403, Some(0x8004_0220), Permission, never, Blame::Call);
    check(403, Some(0x8004_0299), Permission, never, Blame::Call);
    check(403, Some(0x8004_8306), Permission, never, Blame::Members);
    check(403, Some(0x8007_2560), Permission, never, Blame::Call);
    check(403, Some(0x8009_5FFC), Permission, never, Blame::Call);
    check(403, Some(0x8004_A112), Permission, never, Blame::Call);
    check(403, Some(0x8004_2F09), Permission, never, Blame::Call);
    check(403, Some(0x8004_A104), Permission, never, Blame::Call);
    check(400, Some(0x8004_0203), InvalidRequest, never, Blame::Members);
    check(400, Some(0x8004_0265), InvalidRequest, never, Blame::Members);
    check(400, Some(0x8004_4331), InvalidRequest, never, Blame::Call);
    check(400, Some(0x8004_8D19), InvalidRequest, never, Blame::Call);
    check(400, Some(0x8004_430E), TooLarge, never, Blame::Size);
    check(400, Some(0x8004_430C), TooLarge, never, Blame::Size);
    check(400, Some(0x8006_0888), InvalidRequest, never, Blame::Call);
    check(404, Some(0x8006_088A), Settings, never, Blame::Call);
}

#[test]
fn codes_that_are_not_known_and_answers_without_one() {
    let (never, backoff) = (Retry::Never, Retry::Backoff);
    let unknown = Some(0x8000_0001);
    check(400, unknown, InvalidRequest, never, Blame::Members);
    check(401, unknown, Authentication, never, Blame::Call);
    check(403, unknown, Permission, never, Blame::Call);
    check(429, unknown, RateLimited, backoff, Blame::Call);
    check(503, unknown, Unavailable, backoff, Blame::Call);
    check(404, unknown, Protocol, backoff, Blame::Call);
    check(200, None, Protocol, backoff, Blame::Call);
    check(302, None, Protocol, never, Blame::Call);
    check(400, None, Protocol, backoff, Blame::Call);
    check(401, None, Authentication, never, Blame::Call);
    check(403, None, Permission, never, Blame::Call);
    check(404, None, Settings, never, Blame::Call);
    check(408, None, Timeout, backoff, Blame::Size);
    check(412, None, InvalidRequest, never, Blame::Call);
    check(413, None, TooLarge, never, Blame::Size);
    check(414, None, TooLarge, never, Blame::Size);
    check(429, None, RateLimited, backoff, Blame::Call);
    check(502, None, Unavailable, backoff, Blame::Call);
    check(504, None, Timeout, backoff, Blame::Size);
}
