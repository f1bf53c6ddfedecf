//! Every outcome's effect on what we know of a person's place on the list.

use super::*;
use crate::model::{MatchKey, MemberKey, Reason, RowHash};
use std::slice;

fn record(person: &str, hash: u8, holding: Holding) -> Record {
    Record {
        member_key: MemberKey("1".to_owned()),
        match_key: MatchKey(person.to_owned()),
        hash: RowHash([hash; 16]),
        holding,
        destination_id: Some("7".to_owned()),
    }
}

fn event(person: &str, operation: Operation, outcome: Outcome, standing: Standing) -> Event {
    Event {
        member_key: MemberKey("1".to_owned()),
        match_key: MatchKey(person.to_owned()),
        operation,
        outcome,
        standing,
        destination_id: None,
        is_rejoin: false,
        hash: RowHash([9; 16]),
    }
}

#[track_caller]
fn check(records: &[Record], events: &[Event], expected: &[(&str, u8, Holding)]) {
    let next = next_records(records.to_vec(), events.to_vec());
    let found: Vec<(&str, u8, Holding)> =
        next.iter().map(|record| (record.match_key.0.as_str(), record.hash.0[0], record.holding)).collect();
    assert_eq!(found, expected);
}

#[test]
fn only_what_was_applied_is_delivered() {
    use Holding::{Delivered, Removed};
    use Operation::{Add, Change, Remove};
    use Standing::{FollowsOutcome, NotOurs};
    let reason = || Reason::new("code", "text");
    let applied = |operation| event("a", operation, Outcome::Applied, FollowsOutcome);
    let deferred = |operation| event("a", operation, Outcome::Deferred(reason()), FollowsOutcome);
    let lost = |operation| event("a", operation, Outcome::Skipped(reason()), NotOurs);
    let on_list = record("a", 1, Delivered);

    check(&[], &[applied(Add)], &[("a", 9, Delivered)]);
    check(&[], &[deferred(Add)], &[]);
    check(&[], &[lost(Add)], &[]);
    check(slice::from_ref(&on_list), &[], &[("a", 1, Delivered)]);
    check(slice::from_ref(&on_list), &[applied(Change)], &[("a", 9, Delivered)]);
    check(slice::from_ref(&on_list), &[deferred(Change)], &[("a", 1, Delivered)]);
    check(slice::from_ref(&on_list), &[lost(Change)], &[]);
    check(slice::from_ref(&on_list), &[applied(Remove)], &[("a", 1, Removed)]);
    check(slice::from_ref(&on_list), &[deferred(Remove)], &[("a", 1, Delivered)]);
    check(slice::from_ref(&on_list), &[lost(Remove)], &[]);
    // Off the list already, by somebody else's doing: removed, but not by us, so never to be asked back.
    check(slice::from_ref(&on_list), &[event("a", Remove, Outcome::Applied, NotOurs)], &[]);
    check(&[record("a", 1, Removed)], &[applied(Add)], &[("a", 9, Delivered)]);
    // A changed match key is a removal and an addition, and each has its own fate.
    let moved = event("b", Add, Outcome::Applied, FollowsOutcome);
    check(
        slice::from_ref(&on_list),
        &[moved.clone(), deferred(Remove)],
        &[("a", 1, Delivered), ("b", 9, Delivered)],
    );
    check(&[on_list], &[moved, applied(Remove)], &[("a", 1, Removed), ("b", 9, Delivered)]);
}

#[test]
fn the_destinations_id_is_kept() {
    let change = event("a", Operation::Change, Outcome::Applied, Standing::FollowsOutcome);
    let next = next_records(vec![record("a", 1, Holding::Delivered)], vec![change]);
    assert_eq!(next[0].destination_id.as_deref(), Some("7"));
}
