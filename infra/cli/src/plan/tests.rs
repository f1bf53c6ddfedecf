//! Plans of folders against stored definitions.

use super::*;
use crate::console::{Paint, Screen};
use serde_json::json;
use std::slice::from_ref;

fn whole_of(kind: Kind, document: &Value) -> Value {
    whole(kind, document).unwrap()
}

fn definition(kind: Kind, document: &Value) -> Definition {
    let document = whole_of(kind, document);
    let id = document["id"].as_str().unwrap().to_owned();
    let path = format!("{}/{id}.yaml", crate::kinds::plural(kind)).into();
    Definition { kind, id, path, document }
}

fn saved(kind: Kind, document: &Value, version: u64) -> (Kind, Saved) {
    let id = document["id"].as_str().unwrap().to_owned();
    (kind, Saved { id, document: document.clone(), version })
}

fn source(id: &str) -> Value {
    json!({"id": id, "location": format!("s3://lake/{id}/"), "format": "csv"})
}

fn segment(id: &str, table: &str) -> Value {
    json!({"id": id, "name": id, "query": format!("SELECT id\nFROM {table}\n"), "member_key": "id"})
}

fn connection(id: &str) -> Value {
    json!({"id": id, "name": id, "destination": "omnisend", "secret": "secret"})
}

fn export(id: &str, segment: &str, connection: &str) -> Value {
    json!({
        "id": id, "name": id, "connection": connection, "match_key": "email",
        "segments": [{"segment": segment}],
    })
}

/// Returns a document of each kind, each depending on the ones before it.
fn chain() -> [(Kind, Value); 4] {
    [
        (Kind::Source, source("people")),
        (Kind::Segment, segment("all", "people")),
        (Kind::Connection, connection("account")),
        (Kind::Export, export("news", "all", "account")),
    ]
}

fn local(documents: &[(Kind, Value)]) -> Vec<Definition> {
    documents.iter().map(|(kind, document)| definition(*kind, document)).collect()
}

fn there(documents: &[(Kind, Value)]) -> Vec<(Kind, Saved)> {
    documents.iter().zip(1..).map(|((kind, document), version)| saved(*kind, document, version)).collect()
}

fn plain() -> Paint {
    Paint::of(Screen::default())
}

#[track_caller]
fn check(local: &[Definition], there: &[(Kind, Saved)], leftovers: Leftovers, expected: &[&str]) {
    let plan = make(local, there, leftovers, &Kind::ALL).unwrap();
    let words = in_words(&plan, plain());
    assert_eq!(words.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>(), expected);
}

#[test]
fn missing_definitions_are_created_in_dependency_order() {
    let lines = [
        "+ source people",
        "+ segment all",
        "+ connection account",
        "+ export news",
        "4 to create, 0 to change, 0 to remove, 0 unchanged.",
    ];
    check(&local(&chain()), &[], Leftovers::Keep, &lines);
}

#[test]
fn extra_definitions_are_removed_in_reverse_order_on_request() {
    let lines = [
        "- export news",
        "- connection account",
        "- segment all",
        "- source people",
        "0 to create, 0 to change, 4 to remove, 0 unchanged.",
    ];
    check(&[], &there(&chain()), Leftovers::Remove, &lines);
    let lines = [
        "note: exports: 1 not in the folder; they are kept",
        "note: connections: 1 not in the folder; they are kept",
        "note: segments: 1 not in the folder; they are kept",
        "note: sources: 1 not in the folder; they are kept",
        "Nothing to do: 0 unchanged.",
    ];
    check(&[], &there(&chain()), Leftovers::Keep, &lines);
}

#[test]
fn a_kind_without_a_folder_is_left_alone() {
    let plan = make(&[], &there(&chain()), Leftovers::Remove, &[Kind::Export]).unwrap();
    let names: Vec<String> = plan.steps.iter().map(Step::name).collect();
    assert_eq!(names, ["export news"]);
}

#[test]
fn equivalent_definitions_are_unchanged() {
    let mut documents = chain();
    documents[3].1["guard"] = json!({"removed_rows": 100});
    documents[3].1["enabled"] = json!(true);
    documents[0].1["location"] = json!("s3://lake/people");
    check(&local(&chain()), &there(&documents), Leftovers::Remove, &["Nothing to do: 4 unchanged."]);
}

#[test]
fn differences_are_shown_by_field() {
    let mut documents = chain();
    documents[1].1["query"] = json!("SELECT id\nFROM people\nWHERE newsletter\n");
    documents[3].1["guard"] = json!({"removed_percent": 50});
    documents[3].1["schedule"] = json!({"every_minutes": 60});
    documents[3].1["cap"] = json!({"rows": 10});
    let lines = [
        "~ segment all: query",
        "    + WHERE newsletter",
        "~ export news: cap.rows nothing -> 10",
        "~ export news: guard.removed_percent 30 -> 50",
        "~ export news: schedule \"off\" -> {\"every_minutes\":60}",
        "0 to create, 2 to change, 0 to remove, 2 unchanged.",
    ];
    check(&local(&documents), &there(&chain()), Leftovers::Keep, &lines);
}

#[test]
fn changes_name_the_version_that_was_looked_at() {
    let mut documents = chain();
    documents[2].1["name"] = json!("Renamed");
    let plan = make(&local(&documents), &there(&chain()), Leftovers::Keep, &Kind::ALL).unwrap();
    let [Step { action: Action::Change { version, .. }, .. }] = plan.steps.as_slice() else {
        panic!("{plan:?}");
    };
    assert_eq!(*version, 3);
}

#[test]
fn definitions_hidden_from_the_role_are_unchanged() {
    let mut hidden = there(&chain());
    hidden[2].1.document =
        json!({"id": "account", "name": "x", "destination": "omnisend", "use_by": "contributors"});
    let lines = [
        "note: connection account: unchanged, because your role may only see its name",
        "Nothing to do: 3 unchanged.",
    ];
    check(&local(&chain()), &hidden, Leftovers::Keep, &lines);
}

#[track_caller]
fn check_fault(local: &[Definition], there: &[(Kind, Saved)], leftovers: Leftovers, expected: &[&str]) {
    assert_eq!(make(local, there, leftovers, &Kind::ALL).unwrap_err(), expected);
}

#[test]
fn dangling_references_are_refused() {
    let [people, segment, account, news] = chain();
    let missing = "exports/news.yaml: segments[0].segment: needs segment \"all\", which is neither in the folder nor in the deployment";
    check_fault(&local(&[account.clone(), news.clone()]), &[], Leftovers::Keep, &[missing]);
    let missing = "exports/news.yaml: connection: needs connection \"account\", which is neither in the folder nor in the deployment";
    let folder = [people, segment, news];
    check_fault(&local(&folder), &[], Leftovers::Keep, &[missing]);
    // An existing document satisfies the reference unless the plan removes it.
    let there = there(&[account]);
    make(&local(&folder), &there, Leftovers::Keep, &Kind::ALL).unwrap();
    let removed = "exports/news.yaml: connection: needs connection \"account\", which is not in the folder and would be removed";
    check_fault(&local(&folder), &there, Leftovers::Remove, &[removed]);
}

#[test]
fn queries_that_cannot_be_are_refused_where_they_would_be_saved() {
    let [people, segment, ..] = chain();
    let unknown = "segments/all.yaml: query: there is no source people; the sources are: none";
    check_fault(&local(from_ref(&segment)), &[], Leftovers::Keep, &[unknown]);
    let typo = (Kind::Segment, self::segment("all", "peple"));
    let unknown =
        "segments/all.yaml: query: there is no source peple; did you mean people?; the sources are: people";
    check_fault(&local(&[people.clone(), typo.clone()]), &[], Leftovers::Keep, &[unknown]);
    check_fault(&local(from_ref(&typo)), &there(from_ref(&people)), Leftovers::Keep, &[unknown]);
    let mut broken = segment;
    broken.1["query"] = json!("SELECT id FORM people");
    let syntax = "segments/all.yaml: query: the query has a syntax error at line 1, column 16: Expected: end of statement, found: people";
    check_fault(&local(&[people.clone(), broken.clone()]), &[], Leftovers::Keep, &[syntax]);
    let rule = json!({ "name": "buyers", "path": [{ "source": "order", "on": { "id": "id" } }] });
    let rules = json!({ "source": "people", "rules": [rule] });
    let loyal = (Kind::Segment, json!({ "id": "all", "name": "all", "member_key": "id", "rules": rules }));
    let unknown =
        "segments/all.yaml: rules.rules[0].path[0].source: there is no source order; the sources are: people";
    check_fault(&local(&[people.clone(), loyal.clone()]), &[], Leftovers::Keep, &[unknown]);
    // Errors in unchanged definitions are not errors of the plan.
    for wrong in [typo, broken, loyal] {
        let folder = [people.clone(), wrong];
        let plan = make(&local(&folder), &there(&folder), Leftovers::Remove, &Kind::ALL).unwrap();
        assert_eq!((plan.steps.len(), plan.unchanged), (0, 2));
    }
}

#[test]
fn kept_definitions_keep_their_dependencies() {
    let [people, segment, ..] = chain();
    let segments_only = [Kind::Source];
    let faults =
        make(&[], &there(&[people.clone(), segment.clone()]), Leftovers::Remove, &segments_only).unwrap_err();
    assert_eq!(faults, ["segment all: query: reads source \"people\", which would be removed"]);
    let faults = make(
        &local(from_ref(&segment)),
        &there(&[people.clone(), segment.clone()]),
        Leftovers::Remove,
        &Kind::ALL,
    );
    let removed = "segments/all.yaml: query: reads source \"people\", which would be removed";
    assert_eq!(faults.unwrap_err(), [removed]);
    // A segment that changes its source is saved before the old source is removed.
    let other = (Kind::Source, source("others"));
    let changed = (Kind::Segment, self::segment("all", "others"));
    let plan = make(
        &local(&[other, changed]),
        &there(&[people, segment]),
        Leftovers::Remove,
        &[Kind::Source, Kind::Segment],
    );
    let names: Vec<String> = plan.unwrap().steps.iter().map(Step::name).collect();
    assert_eq!(names, ["source others", "segment all", "source people"]);
}

#[test]
fn references_broken_before_are_not_reported() {
    let [people, segment, account, news] = chain();
    // References that were already broken are not reported.
    let lines = [
        "+ source people",
        "note: connections: 1 not in the folder; they are kept",
        "note: exports: 1 not in the folder; they are kept",
        "1 to create, 0 to change, 0 to remove, 0 unchanged.",
    ];
    let plan =
        make(&local(&[people]), &there(&[account, news.clone()]), Leftovers::Keep, &Kind::ALL).unwrap();
    let mut words: Vec<String> =
        in_words(&plan, plain()).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    words[1..3].sort_unstable();
    assert_eq!(words, lines);
    let needed = "export news: segments[0].segment: needs segment \"all\", which is not in the folder and would be removed";
    let faults = make(&[], &there(&[segment, news]), Leftovers::Remove, &[Kind::Segment]).unwrap_err();
    assert_eq!(faults, [needed]);
}

#[test]
fn an_export_gives_its_lists_up_before_another_one_takes_them() {
    let [people, segment, account, news] = chain();
    let mut moved = export("letter", "every", "account");
    moved["segments"][0]["target_list"] = json!("1027");
    let mut given_up = news;
    given_up.1["segments"][0]["target_list"] = json!("1027");
    let every = (Kind::Segment, self::segment("every", "people"));
    let lines = [
        "- export news",
        "+ segment every",
        "+ export letter",
        "- segment all",
        "2 to create, 0 to change, 2 to remove, 2 unchanged.",
    ];
    let folder = [people.clone(), every, account.clone(), (Kind::Export, moved)];
    check(&local(&folder), &there(&[people, segment, account, given_up]), Leftovers::Remove, &lines);
}

#[test]
fn unreadable_deployed_definitions_are_refused() {
    let mut newer = there(&chain());
    newer[0].1.document["compression"] = json!("gzip");
    let faults = make(&local(&chain()), &newer, Leftovers::Keep, &Kind::ALL).unwrap_err();
    assert!(faults[0].starts_with("source people: cannot read the deployed version: "), "{faults:?}");
    assert!(faults[0].contains("compression") && faults[0].ends_with("this tool may be older than the API"));
}

#[test]
fn programs_get_the_same() {
    let mut documents = chain();
    documents[3].1["guard"] = json!({"removed_percent": 50});
    let folder = &local(&documents)[1..];
    let [people, _, account, news] = chain();
    let plan = make(folder, &there(&[people, account, news]), Leftovers::Keep, &Kind::ALL).unwrap();
    assert_eq!(
        figures(&plan),
        json!({
            "steps": [
                {"action": "create", "kind": "segment", "id": "all", "document": segment("all", "people")},
                {
                    "action": "change", "kind": "export", "id": "news",
                    "differences": [{"field": "guard.removed_percent", "before": 30, "after": 50}],
                },
            ],
            "unchanged": 1,
            "notes": ["sources: 1 not in the folder; they are kept"],
        })
    );
}
