//! Validation of rules and its messages.

use crate::catalog::{Document, Origin, Segment};
use crate::query::sources_of;
use serde_json::{Value, json};

fn parse(rules: &Value) -> Result<Segment, String> {
    let document = json!({ "id": "loyal", "name": "Loyal", "member_key": "id", "rules": { "source": "people", "rules": rules } });
    Segment::parse(&document.to_string()).map_err(|error| error.to_string())
}

/// Checks the error for rules.
#[track_caller]
fn check(rules: &Value, expected: &str) {
    let message = parse(rules).unwrap_err();
    let expected = format!("segment \"loyal\": rules.{expected}");
    assert!(message.starts_with(&expected), "{message}\n{expected}");
}

/// Checks the error for a single condition of a second rule.
#[track_caller]
fn check_condition(condition: &Value, expected: &str) {
    let rules = json!([
        { "name": "everybody" },
        { "name": "some", "combine": "intersect", "any": [{ "column": "a", "is": 1 }, condition] },
    ]);
    check(&rules, &format!("rules[1].any[1].{expected}"));
}

/// Checks the JSON parser's error for a condition.
#[track_caller]
fn check_form(condition: &Value, expected: &str) {
    let message = parse(&json!([{ "name": "one", "all": [condition] }])).unwrap_err();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn rules_come_back_as_they_are_written() {
    let rules = json!([
        { "name": "vienna", "all": [
            { "column": "city", "one_of": ["Wien", "Graz"], "case": "ignore" },
            { "any": [{ "column": "points", "at_least": 99.5 }, { "column": "news", "is": true }] },
            { "column": "born", "between": ["1970-01-01", "1999-12-31"] },
        ] },
        { "name": "buyers", "combine": "intersect", "at_least_rows": 2,
          "path": [{ "source": "orders", "on": { "id": "person" } }],
          "any": [{ "column": "at", "within_last_days": 30 }, { "column": "note", "is_null": false }] },
    ]);
    let segment = parse(&rules).unwrap();
    let written = serde_json::to_value(&segment).unwrap();
    assert_eq!(written["rules"], json!({ "source": "people", "rules": rules }));
    assert_eq!(written["member_key"], "id");
    let sources: Vec<String> = segment.sources().unwrap().into_iter().collect();
    assert_eq!(sources, ["orders", "people"]);
    let Ok(Origin::Selection(selection)) = segment.origin() else { panic!("rules select") };
    assert_eq!(selection.member_key, "id");
    assert_eq!(sources_of(&selection.query).unwrap(), segment.sources().unwrap());
    assert_eq!(segment.place_of_source("orders"), "rules.rules[1].path[0].source");
    assert_eq!(segment.place_of_source("people"), "rules.source");
}

#[test]
fn what_rules_name_is_known_with_its_place() {
    let rules = json!([
        { "name": "one", "all": [{ "any": [{ "column": "city", "is": "Wien" }] }] },
        { "name": "two", "combine": "union", "path": [{ "source": "orders", "on": { "id": "person" } }],
          "any": [{ "column": "at", "before": "2026-01-01" }] },
    ]);
    let segment = parse(&rules).unwrap();
    let uses = segment.rules().unwrap().column_uses();
    let uses: Vec<(&str, &str, &str, Option<&str>)> = uses
        .iter()
        .map(|one| {
            let operator = one.operator.map(|(operator, _)| operator);
            (one.field.as_str(), one.source.as_str(), one.column.as_str(), operator)
        })
        .collect();
    let expected = [
        ("rules[0].all[0].any[0]", "people", "city", Some("is")),
        ("rules[1].path[0].on", "people", "id", None),
        ("rules[1].path[0].on", "orders", "person", None),
        ("rules[1].any[0]", "orders", "at", Some("before")),
    ];
    assert_eq!(uses, expected);
}

#[test]
fn rules_that_cannot_be_are_refused() {
    let rule = json!({ "name": "one", "all": [{ "column": "a", "is": 1 }] });
    let with = |fields: Value| {
        let mut rule = rule.clone();
        rule.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        rule
    };
    check(&json!([]), "rules: must have 1 to 20 rules; it has 0");
    check(&json!(vec![with(json!({})); 21]), "rules: must have 1 to 20 rules; it has 21");
    check(&json!([with(json!({ "name": " " }))]), "rules[0].name: must not be empty");
    check(&json!([with(json!({ "name": "a\nb" }))]), "rules[0].name: must not have control characters");
    check(
        &json!([rule, with(json!({ "combine": "union" }))]),
        "rules[1].name: is another rule's name already",
    );
    check(
        &json!([with(json!({ "combine": "union" }))]),
        "rules[0].combine: is not allowed for the first rule, which has no rules above it; remove it",
    );
    check(
        &json!([rule, with(json!({ "name": "two" }))]),
        "rules[1].combine: must be union, intersect or except: how to combine",
    );
    check(
        &json!([with(json!({ "any": [] }))]),
        "rules[0].any: cannot be combined with all; nest one of the two",
    );
    check(&json!([with(json!({ "all": [] }))]), "rules[0].all: must have a condition; omit it to");
    check(
        &json!([with(json!({ "at_least_rows": 2 }))]),
        "rules[0].at_least_rows: requires a path, because it counts related rows",
    );
    let path = |on: Value| json!([{ "source": "orders", "on": on }]);
    let counting =
        |rows: u32| json!([with(json!({ "path": path(json!({ "a": "b" })), "at_least_rows": rows }))]);
    check(&counting(0), "rules[0].at_least_rows: must be 1 or more; for members without such rows, combine");
    check(&counting(1_000_001), "rules[0].at_least_rows: must not be more than 1000000");
    assert!(parse(&counting(1_000_000)).is_ok());
    check(
        &json!([with(json!({ "path": path(json!({})) }))]),
        "rules[0].path[0].on: must have 1 to 5 pairs of columns: one of the source before, and the one of orders",
    );
    check(
        &json!([with(json!({ "path": path(json!({ "": "b" })) }))]),
        "rules[0].path[0].on: has a name that must not be empty",
    );
    let hop = path(json!({ "a": "b" }))[0].clone();
    check(&json!([with(json!({ "path": vec![hop; 6] }))]), "rules[0].path: must not have more than 5 steps");
    let many = vec![json!({ "column": "a", "is": 1 }); 201];
    check(
        &json!([with(json!({ "all": many }))]),
        "rules: must not have more than 200 conditions together; they have 201",
    );
    let long = vec!["x".repeat(900); 80];
    check(
        &json!([with(json!({ "all": [{ "column": "a", "one_of": long }] }))]),
        "rules: compile to a query of 72",
    );
    let wide = vec![json!({ "column": "a", "none_of": ["a", "b"] }); 200];
    check(
        &json!([with(json!({ "all": wide }))]),
        "rules: compile to a query that is too large to be planned",
    );
    let deep = |depth: usize| {
        let leaf = json!({ "column": "a", "is": 1 });
        (1..depth).fold(leaf, |inner, level| json!({ (if level % 2 == 0 { "all" } else { "any" }): [inner] }))
    };
    assert!(parse(&json!([{ "name": "deep", "all": [deep(5)] }])).is_ok());
    check(
        &json!([{ "name": "deep", "all": [deep(6)] }]),
        "rules[0].all[0].any[0].all[0].any[0].all[0].any: must not be more than 5 groups deep",
    );
}

#[test]
fn columns_that_cannot_be_are_refused() {
    let check = |columns: Value, expected: &str| {
        let document = json!({ "id": "loyal", "name": "Loyal", "member_key": "id",
            "rules": { "source": "people", "columns": columns, "rules": [{ "name": "everybody" }] } });
        let message = Segment::parse(&document.to_string()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    check(json!(["a", "a"]), "rules.columns[1]: is listed twice");
    check(json!(["a", ""]), "rules.columns[1]: must not be empty");
    check(json!(["x".repeat(201)]), "rules.columns[0]: must not be longer than 200 characters");
    check(
        json!((0..201).map(|n| n.to_string()).collect::<Vec<_>>()),
        "rules.columns: must not have more than 200",
    );
}

#[test]
fn conditions_that_cannot_be_are_refused() {
    let a = |operator: &str, value: Value| json!({ "column": "a", (operator): value });
    check_condition(
        &json!({}),
        "column: is missing: a condition has a column and an operator, or is a group",
    );
    check_condition(&json!({ "is": 1 }), "column: is missing: a condition has");
    check_condition(&json!({ "column": "a" }), "column: needs an operator, such as is, one_of");
    check_condition(&json!({ "column": "a", "is": null }), "column: needs an operator");
    check_condition(&json!({ "column": "a\u{0}", "is": 1 }), "column: must not have control characters");
    check_condition(
        &json!({ "column": "a", "is": 1, "at_most": 2 }),
        "at_most: cannot be combined with is; split them into two conditions",
    );
    let group = json!([{ "column": "a", "is": 1 }]);
    check_condition(&json!({ "column": "a", "all": group }), "column: cannot be combined with a group");
    check_condition(&json!({ "is": 1, "all": group }), "column: is missing for the operator");
    check_condition(&json!({ "case": "ignore", "all": group }), "column: is missing for the operator");
    check_condition(&json!({ "all": group, "any": group }), "any: cannot be combined with all");
    check_condition(&json!({ "all": [] }), "all: must have a condition");
    check_condition(
        &json!({ "all": [{ "column": "b", "more_than": 1e30 }] }),
        "all[0].more_than: must not have more than 28 digits before the decimal point",
    );
    check_condition(&a("at_least", json!(1e-11)), "at_least: must not have more than 10 decimal places");
    check_condition(&a("is", json!("x".repeat(1_001))), "is: must not be longer than 1000 characters");
    check_condition(&a("contains", json!("")), "contains: must not be empty: every text has that");
    check_condition(&a("one_of", json!([])), "one_of: must have 1 to 5000 values; it has 0");
    check_condition(&a("none_of", json!(vec![1; 5_001])), "none_of: must have 1 to 5000 values; it has 5001");
    check_condition(
        &a("one_of", json!(["a", 1])),
        "one_of[1]: must have the type of the values before it: all texts",
    );
    check_condition(&a("one_of", json!([1, "a"])), "one_of[1]: must have the type of the values before it");
    check_condition(&a("none_of", json!([true])), "none_of[0]: must be a text or a number");
    check_condition(&a("between", json!([2, 1])), "between: must have the smaller value first");
    check_condition(&a("between", json!([0.2, 0.1])), "between: must have the smaller value first");
    check_condition(&a("between", json!([1, "2026-01-01"])), "between: must be two numbers, two days or two");
    check_condition(
        &a("between", json!(["2026-01-01", "2026-01-02T00:00:00Z"])),
        "between: must be two days or",
    );
    check_condition(
        &a("between", json!(["2026-01-02", "2026-01-01"])),
        "between: must have the smaller value",
    );
    for day in [
        "2026-1-1",
        "20260101",
        "2026-02-30",
        "today",
        "",
        "2026-01-01T10:00",
        "+002026-01-01",
        "2026-01-01'",
    ] {
        check_condition(
            &a("before", json!(day)),
            "before: must be a day (\"2026-01-31\") or a timestamp with its offset",
        );
    }
    check_condition(
        &a("on", json!("2026-01-01T00:00:00Z")),
        "on: must be a day (\"2026-01-31\"); timestamps have",
    );
    check_condition(&a("within_last_days", json!(36_501)), "within_last_days: must be 0 to 36500 days");
    check_condition(&a("in_next_days", json!(36_501)), "in_next_days: must be 0 to 36500 days");
    let ignoring =
        |operator: &str, value: Value| json!({ "column": "a", "case": "ignore", (operator): value });
    check_condition(
        &ignoring("is", json!(5)),
        "case: applies to texts only, and is does not compare text here",
    );
    check_condition(&ignoring("is_null", json!(true)), "case: applies to texts only");
}

#[test]
fn values_of_another_kind_are_refused_where_they_stand() {
    check_form(&json!({ "column": "a", "more_than": "5" }), "expected a JSON number");
    check_form(&json!({ "column": "a", "contains": 5 }), "expected a string");
    check_form(&json!({ "column": "a", "is": ["a"] }), "must be a text, a number, or true or false");
    check_form(&json!({ "column": "a", "between": [1] }), "expected an array of length 2");
    check_form(&json!({ "column": "a", "within_last_days": -1 }), "expected u32");
    check_form(&json!({ "column": "a", "is_nul": true }), "unknown field `is_nul`");
}
