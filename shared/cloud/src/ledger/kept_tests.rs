//! When a refresh is pending, and when a segment rests.

use super::*;

const ASKED: &str = "2026-11-22T10:00:00Z";

fn members(kept: Option<(&str, &str)>, failed_at: Option<&str>) -> SegmentMembers {
    let kept = kept.map(|(refresh_key, at)| KeptMembers {
        object_key: "members/a/b.parquet".to_owned(),
        rows: 1,
        rows_without_key: 0,
        duplicate_member_rows: 0,
        definition: "hash".to_owned(),
        refresh_key: refresh_key.to_owned(),
        refreshed_at: at.parse().unwrap(),
    });
    let failure = failed_at.map(|at| RefreshFailure {
        code: "query".to_owned(),
        text: "no such column".to_owned(),
        at: at.parse().unwrap(),
    });
    let asked = Some(("schedule/1".to_owned(), ASKED.parse().unwrap()));
    let (asked_key, asked_at) = asked.unzip();
    SegmentMembers { kept, asked_key, asked_at, failure, ..SegmentMembers::default() }
}

#[test]
fn a_refresh_is_pending_until_it_came_or_failed() {
    #[track_caller]
    fn check(kept: Option<(&str, &str)>, failed_at: Option<&str>, expected: bool) {
        assert_eq!(members(kept, failed_at).pending_refresh().is_some(), expected);
    }
    let (before, after) = ("2026-11-22T09:59:59Z", "2026-11-22T10:00:01Z");
    check(None, None, true);
    check(None, Some(before), true);
    check(None, Some(after), false);
    check(Some(("schedule/0", before)), None, true);
    check(Some(("schedule/1", before)), None, false);
    check(Some(("on-demand/1", after)), None, false);
    check(Some(("schedule/0", before)), Some(after), false);
    assert_eq!(SegmentMembers::default().pending_refresh(), None);
}

#[test]
fn a_segment_rests_after_days_without_use() {
    #[track_caller]
    fn check(unused_since: Option<&str>, days: Option<u16>, now: &str, expected: bool) {
        let unused_since = unused_since.map(|text| text.parse().unwrap());
        let members = SegmentMembers { unused_since, ..SegmentMembers::default() };
        assert_eq!(members.rests(days, now.parse().unwrap()), expected);
    }
    check(None, Some(1), ASKED, false);
    check(Some("2026-11-21T10:00:01Z"), Some(1), ASKED, false);
    check(Some("2026-11-21T10:00:00Z"), Some(1), ASKED, true);
    check(Some("2020-11-21T10:00:00Z"), None, ASKED, false);
}
