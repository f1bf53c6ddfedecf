use super::*;
use Action::{Backoff, Pause, Renew, SlowDown, Stop, Wait};
use ErrorKind::{
    Authentication, Busy, InvalidRequest, ListMissing, Permission, Protocol, QuotaSpent, RateLimited,
    Settings, Timeout, TooLarge, Unavailable,
};

#[test]
fn codes() {
    let check = |codes: &[i64], kind: ErrorKind, action: Action| {
        for code in codes {
            let found = by_code(*code);
            assert_eq!((found.kind, found.action), (kind, action), "{code}");
        }
    };
    check(&[413], TooLarge, Stop);
    check(&[414], InvalidRequest, Stop);
    check(&[502, 608, 611, 614, 713, 719], Unavailable, Backoff);
    check(&[604], Timeout, Backoff);
    check(&[600, 601, 602], Authentication, Renew);
    check(&[603, 703, 712, 1008], Permission, Stop);
    check(&[606, 615], RateLimited, SlowDown);
    check(&[607, 1029], QuotaSpent, Pause);
    check(&[1016, 1019], Busy, Wait);
    check(&[605, 609, 612, 613, 701, 704], InvalidRequest, Stop);
    check(&[610, 616, 709, 710, 711, 714, 718], Settings, Stop);
    check(&[702, 1013], ListMissing, Stop);
    check(&[1001, 1002, 1003, 1004, 1005, 1007, 1012, 1015, 1036, 1077, 1080], InvalidRequest, Stop);
    check(&[1006, 1009, 1010, 1011, 1014, 1017, 1018, 1021, 1022, 1035], Settings, Stop);
    check(&[-1, 0, 617, 799, 1_099, 9_999], Protocol, Backoff);
}

#[test]
fn statuses_without_a_code() {
    let check = |status: u16, kind: ErrorKind, action: Action| {
        let found = by_status(status);
        assert_eq!((found.kind, found.action), (kind, action), "HTTP {status}");
    };
    check(200, Protocol, Backoff);
    check(302, Protocol, Stop);
    check(401, Protocol, Backoff);
    check(404, Protocol, Backoff);
    check(408, Timeout, Backoff);
    check(413, TooLarge, Stop);
    check(414, InvalidRequest, Stop);
    check(429, RateLimited, SlowDown);
    check(500, Unavailable, Backoff);
    check(502, Unavailable, Backoff);
    check(504, Timeout, Backoff);
}
