//! Decisions one by one, and the property that applying a delta makes the list match the snapshot.

use super::*;
use crate::delta::testing::{delivered, snapshot};
use crate::mapping::{Field, FieldKind, MatchKeyKind, row_hash};
use crate::snapshot::SnapshotReader;
use proptest::prelude::*;
use relay_model::catalog::{Document as _, Export};
use relay_model::{FieldValue, RowHash};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

#[derive(Default)]
struct Found {
    sent: Vec<Row>,
    settled: Vec<Settled>,
}

impl Sink for Found {
    fn send(&mut self, row: Row) -> io::Result<()> {
        self.sent.push(row);
        Ok(())
    }

    fn settle(&mut self, _: Phase, settled: Settled) -> io::Result<()> {
        self.settled.push(settled);
        Ok(())
    }
}

fn mapper() -> Mapper {
    let export = serde_json::json!({
        "id": "e", "name": "E", "connection": "c", "match_key": "email",
        "mapping": [{ "attribute": "name", "field": "Name" }],
        "segments": [{ "segment": "s", "target_list": "l" }]
    });
    let export = Export::parse(&export.to_string()).unwrap();
    let field = Field {
        key: "Name".to_owned(),
        label: "Name".to_owned(),
        kind: FieldKind::Text { max_characters: 9 },
    };
    Mapper::bind(&export, MatchKeyKind::Email, &["email".to_owned(), "name".to_owned()], &[field], "")
        .unwrap()
}

fn hash_of(email: &str) -> RowHash {
    let name = email.split('@').next().unwrap().to_owned();
    row_hash("", &MatchKey(email.to_owned()), &["Name".to_owned()], &[(0, FieldValue::Text(name))])
}

fn record(member: &str, email: &str, holding: Holding) -> Record {
    Record {
        member_key: MemberKey(member.to_owned()),
        match_key: MatchKey(email.to_owned()),
        hash: hash_of(email),
        holding,
        destination_id: None,
    }
}

fn diff(
    snapshots: &[&[(String, String)]],
    records: &[Record],
    cap: u64,
    over: OverCap,
) -> (Found, DifferFigures) {
    diff_only(None, snapshots, records, cap, over)
}

fn diff_only(
    only: Option<&BTreeSet<String>>,
    snapshots: &[&[(String, String)]],
    records: &[Record],
    cap: u64,
    over: OverCap,
) -> (Found, DifferFigures) {
    let readers = snapshots.iter().map(|rows| SnapshotReader::open(snapshot(rows)).unwrap()).collect();
    let mapper = mapper();
    let mut found = Found::default();
    let rejoinable = Differ::<Found>::rejoinable(delivered(records)).unwrap();
    let only = only.map(|members| members.iter().map(|member| MemberKey(member.clone()).digest()).collect());
    let differ = Differ::new(&mapper, &mut found, cap, over, rejoinable).unwrap().only(only);
    let figures = differ.run(Union::new(readers), delivered(records)).unwrap();
    (found, figures)
}

fn rows(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(key, email)| ((*key).to_owned(), (*email).to_owned())).collect()
}

#[track_caller]
fn check(members: &[(&str, &str)], records: &[Record], expected: &[&str]) {
    let (found, figures) = diff(&[&rows(members)], records, 100, OverCap::Fail);
    let sent = found.sent.iter().map(|row| {
        let rejoin = if row.is_rejoin { " again" } else { "" };
        format!("{:?} {} {}{rejoin}", row.operation, row.member_key.0, row.match_key.0)
    });
    let settled = found.settled.iter().map(|settled| {
        let reason = settled.outcome.reason().map_or("", |reason| reason.code.as_ref());
        format!("{} {reason}", settled.member_key.0)
    });
    assert_eq!(sent.chain(settled).collect::<Vec<_>>(), expected);
    let outcomes = figures.sent + figures.settled.total();
    assert_eq!(outcomes, figures.members + figures.removals, "every row has one outcome");
}

#[test]
fn decisions() {
    use Holding::{Delivered, Removed};
    check(&[("1", "a@x.io")], &[], &["Add 1 a@x.io"]);
    check(&[("1", "A@X.io ")], &[record("1", "a@x.io", Delivered)], &["Change 1 a@x.io"]);
    check(&[("1", "a@x.io")], &[record("1", "a@x.io", Delivered)], &[]);
    check(&[], &[record("1", "a@x.io", Delivered)], &["Remove 1 a@x.io"]);
    check(&[], &[record("1", "a@x.io", Removed)], &[]);
    check(&[("1", "b@x.io")], &[record("1", "a@x.io", Delivered)], &["Add 1 b@x.io", "Remove 1 a@x.io"]);
    check(&[("1", "a@x.io")], &[record("1", "a@x.io", Removed)], &["Add 1 a@x.io again"]);
    // The person rejoins under another customer id; the delivered state still shows that Segment Relay
    // removed them.
    check(&[("2", "a@x.io")], &[record("1", "a@x.io", Removed)], &["Add 2 a@x.io again"]);
    // The person stays although the member that they were delivered for has left.
    check(
        &[("2", "a@x.io")],
        &[record("1", "a@x.io", Delivered)],
        &["Add 2 a@x.io", "1 match_key_taken_over"],
    );
    check(&[("1", "a@x.io"), ("2", "A@x.io")], &[], &["Add 1 a@x.io", "2 duplicate_match_key"]);
    check(&[("1", ""), ("2", "broken")], &[], &["1 match_key_missing", "2 email_invalid"]);
    // A profile whose e-mail has become invalid has no match key, so the old address is removed.
    check(&[("1", "broken")], &[record("1", "a@x.io", Delivered)], &["Remove 1 a@x.io", "1 email_invalid"]);
    // An invalid row does not block another one for the same person.
    check(
        &[("1", "a@x.io"), ("2", "A@x.io")],
        &[record("2", "a@x.io", Delivered)],
        &["Add 1 a@x.io", "2 duplicate_match_key"],
    );
    // A value that does not fit is no reason to remove a person from the list.
    let long = "a-name-too-long@x.io";
    check(&[("1", long)], &[record("1", long, Delivered)], &["1 value_too_long"]);
}

#[test]
fn the_first_segment_wins() {
    let (found, figures) = diff(
        &[&rows(&[("1", "a@x.io")]), &rows(&[("1", "a@x.io"), ("2", "b@x.io")])],
        &[],
        100,
        OverCap::Fail,
    );
    assert_eq!(found.sent.len(), 2);
    assert_eq!(found.settled[0].outcome, Outcome::Skipped(DUPLICATE_MEMBER));
    assert_eq!((figures.members, figures.deliverable), (3, 2));
}

#[test]
fn the_cap_lets_the_first_through_or_only_counts() {
    let members = rows(&[("1", "a@x.io"), ("2", "broken"), ("3", "c@x.io"), ("4", "d@x.io")]);
    let (found, figures) = diff(&[&members], &[], 2, OverCap::Truncate);
    let sent: Vec<&str> = found.sent.iter().map(|row| row.member_key.0.as_str()).collect();
    assert_eq!(sent, ["1", "3"], "a row that cannot go does not use up the cap");
    assert_eq!((figures.deliverable, figures.settled.skipped), (3, 1));
    let (found, figures) = diff(&[&members], &[], 2, OverCap::Fail);
    assert_eq!((found.sent.len(), figures.deliverable), (3, 3));
}

#[test]
fn those_whom_a_delta_is_not_about_still_count_for_the_others() {
    let members = rows(&[("1", "a@x.io"), ("2", "A@x.io"), ("3", "c@x.io"), ("5", "e@x.io")]);
    let delivered = |member, email| record(member, email, Holding::Delivered);
    let records = [delivered("4", "c@x.io"), delivered("5", "d@x.io"), delivered("6", "f@x.io")];
    let only = ["2", "4", "6"].map(str::to_owned).into();
    let (found, figures) = diff_only(Some(&only), &[&members], &records, 100, OverCap::Fail);
    let sent: Vec<_> = found.sent.iter().map(|row| (row.operation, row.member_key.0.as_str())).collect();
    assert_eq!(sent, [(Operation::Remove, "6")]);
    let settled = found.settled.iter().map(|settled| {
        (settled.member_key.0.as_str(), settled.outcome.reason().map_or("", |reason| reason.code.as_ref()))
    });
    let expected = [("2", "duplicate_match_key"), ("4", "match_key_taken_over")];
    assert_eq!(settled.collect::<Vec<_>>(), expected);
    assert_eq!((figures.members, figures.removals), (1, 2));
    // The cap counts all members.
    assert_eq!((figures.deliverable, figures.delivered_before), (3, 3));
}

fn members() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::btree_map("[a-h]", "[a-e]@x\\.io|broken", 0..8)
        .prop_map(|members| members.into_iter().collect())
}

proptest! {
    #[test]
    fn a_delta_of_some_members_is_their_part_of_the_whole(
        before in members(),
        after in members(),
        only in proptest::collection::btree_set("[a-h]", 0..5),
        cap in 0_u64..6,
    ) {
        let (first, _) = diff(&[&before], &[], 100, OverCap::Fail);
        let records: Vec<Record> =
            first.sent.iter().map(|row| record(&row.member_key.0, &row.match_key.0, Holding::Delivered)).collect();
        let (mut whole, all) = diff(&[&after], &records, cap, OverCap::Truncate);
        let (part, some) = diff_only(Some(&only), &[&after], &records, cap, OverCap::Truncate);
        whole.sent.retain(|row| only.contains(&row.member_key.0));
        whole.settled.retain(|settled| only.contains(&settled.member_key.0));
        prop_assert_eq!(part.sent, whole.sent);
        prop_assert_eq!(part.settled, whole.settled);
        prop_assert_eq!((some.deliverable, some.delivered_before), (all.deliverable, all.delivered_before));
        prop_assert_eq!(some.sent + some.settled.total(), some.members + some.removals);
    }

    #[test]
    fn doing_what_the_delta_says_makes_the_list_what_the_snapshot_says(before in members(), after in members()) {
        let (first, _) = diff(&[&before], &[], 100, OverCap::Fail);
        let records: Vec<Record> =
            first.sent.iter().map(|row| record(&row.member_key.0, &row.match_key.0, Holding::Delivered)).collect();
        let mut list: BTreeMap<String, RowHash> =
            records.iter().map(|record| (record.match_key.0.clone(), record.hash)).collect();
        let (second, figures) = diff(&[&after], &records, 100, OverCap::Fail);
        for row in &second.sent {
            match row.operation {
                Operation::Remove => prop_assert!(list.remove(&row.match_key.0).is_some(), "only what was delivered"),
                Operation::Add | Operation::Change => drop(list.insert(row.match_key.0.clone(), hash_of(&row.match_key.0))),
            }
        }
        let expected: BTreeSet<&str> =
            after.iter().map(|(_, email)| email.as_str()).filter(|email| email.contains('@')).collect();
        prop_assert_eq!(list.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected);
        prop_assert_eq!(figures.sent + figures.settled.total(), figures.members + figures.removals);
    }
}
