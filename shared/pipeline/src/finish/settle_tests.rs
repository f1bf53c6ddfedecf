//! Tests the effect of every outcome on the record of a person's list membership.

use super::*;
use relay_model::privacy::{ExclusionKey, Exclusions};
use relay_model::{MatchKey, Reason};
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
    // The person may have been removed, so they are sent again if they come back.
    check(slice::from_ref(&on_list), &[deferred(Remove)], &[("a", 0, Delivered)]);
    check(slice::from_ref(&on_list), &[lost(Remove)], &[]);
    // The person was off the list already: this export did not remove them, so it must never add them back.
    check(slice::from_ref(&on_list), &[event("a", Remove, Outcome::Applied, NotOurs)], &[]);
    check(&[record("a", 1, Removed)], &[applied(Add)], &[("a", 9, Delivered)]);
    // A changed match key is a removal and an addition, and each has its own outcome.
    let moved = event("b", Add, Outcome::Applied, FollowsOutcome);
    check(
        slice::from_ref(&on_list),
        &[moved.clone(), deferred(Remove)],
        &[("a", 0, Delivered), ("b", 9, Delivered)],
    );
    check(&[on_list], &[moved, applied(Remove)], &[("a", 1, Removed), ("b", 9, Delivered)]);
}

#[test]
fn nobody_who_is_kept_out_is_remembered_once_they_are_off_the_list() {
    let records = || vec![record("a", 1, Holding::Removed), record("b", 1, Holding::Delivered)];
    assert_eq!(remembered(records(), false).collect::<Vec<_>>(), records());
    let left: Vec<Record> = remembered(records(), true).collect();
    assert_eq!(left, [record("b", 1, Holding::Delivered)]);
}

#[test]
fn whoever_is_kept_out_is_counted_and_not_named() {
    let key = ExclusionKey::new([1; 32]);
    let id = key.id("1");
    let mut rejects = Rejects::new(Exclusions::new(key, HashSet::from([id]))).unwrap();
    let refused =
        || event("a", Operation::Add, Outcome::Rejected(Reason::new("code", "text")), Standing::NotOurs);
    let list = ListId("list".to_owned());
    rejects.event(&list, &refused()).unwrap();
    rejects.event(&list, &Event { member_key: MemberKey("2".to_owned()), ..refused() }).unwrap();
    let (text, reasons) = rejects.written().unwrap();
    assert_eq!(
        text,
        "target_list,member_key,match_key,operation,outcome,code,reason\nlist,2,a,add,rejected,code,text\n"
    );
    assert_eq!(reasons, 2);
}

#[test]
fn the_destinations_id_is_kept() {
    let change = event("a", Operation::Change, Outcome::Applied, Standing::FollowsOutcome);
    let next = next_records(vec![record("a", 1, Holding::Delivered)], vec![change]);
    assert_eq!(next[0].destination_id.as_deref(), Some("7"));
}

#[track_caller]
fn check_handover(records: &[(&str, Holding)], expected: &[&str]) {
    let file = NamedTempFile::new().unwrap();
    let mut writer = DeliveredWriter::new(file.reopen().unwrap()).unwrap();
    for (member, holding) in records {
        let member_key = MemberKey((*member).to_owned());
        writer.write(&Record { member_key, ..record("a", 1, *holding) }).unwrap();
    }
    writer.finish().unwrap();
    let mut aftermath = Aftermath::default();
    let skipped = Outcome::Skipped(Reason::new("code", "text"));
    let handed_over = event("a", Operation::Change, skipped, Standing::HandedOver);
    aftermath.note(&Event { member_key: MemberKey("2".to_owned()), ..handed_over });
    let (next, delivered) = aftermath.apply(&file).unwrap();
    let members: Vec<String> = DeliveredReader::open(next.reopen().unwrap())
        .unwrap()
        .map(|record| record.unwrap().member_key.0)
        .collect();
    assert_eq!(members, expected);
    let on_list = records
        .iter()
        .filter(|(member, holding)| *holding == Holding::Delivered && expected.contains(member));
    assert_eq!(delivered, u64::try_from(on_list.count()).unwrap());
}

#[test]
fn what_is_handed_over_is_dropped_only_for_an_heir() {
    use Holding::{Delivered, Removed};
    check_handover(&[("1", Delivered), ("2", Delivered)], &["1"]);
    check_handover(&[("2", Delivered)], &["2"]);
    check_handover(&[("1", Removed), ("2", Delivered)], &["1", "2"]);
}
