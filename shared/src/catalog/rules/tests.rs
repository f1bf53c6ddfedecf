//! What rules can be, and what is said of what they cannot be.

use super::{Combine, Condition, Number, Relation, Rule, RuleSet, Value as RuleValue};
use crate::catalog::{Document, Origin, Segment};
use crate::query::sources_of;
use proptest::prelude::*;
use serde_json::{Value, json};
use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, Tokenizer};
use std::collections::BTreeSet;

fn parse(rules: &Value) -> Result<Segment, String> {
    let document = json!({ "id": "loyal", "name": "Loyal", "member_key": "id", "rules": { "source": "people", "rules": rules } });
    Segment::parse(&document.to_string()).map_err(|error| error.to_string())
}

/// The refusal of rules.
#[track_caller]
fn check(rules: &Value, expected: &str) {
    let message = parse(rules).unwrap_err();
    let expected = format!("segment \"loyal\": rules.{expected}");
    assert!(message.starts_with(&expected), "{message}\n{expected}");
}

/// The refusal of the one condition of a second rule.
#[track_caller]
fn check_condition(condition: &Value, expected: &str) {
    let rules = json!([
        { "name": "everybody" },
        { "name": "some", "combine": "intersect", "any": [{ "column": "a", "is": 1 }, condition] },
    ]);
    check(&rules, &format!("rules[1].any[1].{expected}"));
}

/// What the reader of JSON says of a condition.
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
        "rules[0].combine: does not belong to the first rule, which has none above it; take it out",
    );
    check(
        &json!([rule, with(json!({ "name": "two" }))]),
        "rules[1].combine: must be union, intersect or except: what becomes",
    );
    check(&json!([with(json!({ "any": [] }))]), "rules[0].any: stands beside all; put one of the two");
    check(&json!([with(json!({ "all": [] }))]), "rules[0].all: must have a condition; leave it out where");
    check(
        &json!([with(json!({ "at_least_rows": 2 }))]),
        "rules[0].at_least_rows: belongs to a rule with a path: it counts related rows",
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
    check(json!(["a", "a"]), "rules.columns[1]: is there twice");
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
    check_condition(&json!({ "column": "a" }), "column: needs an operator beside it, such as is, one_of");
    check_condition(&json!({ "column": "a", "is": null }), "column: needs an operator beside it");
    check_condition(&json!({ "column": "a\u{0}", "is": 1 }), "column: must not have control characters");
    check_condition(
        &json!({ "column": "a", "is": 1, "at_most": 2 }),
        "at_most: stands beside is; make two conditions of them",
    );
    let group = json!([{ "column": "a", "is": 1 }]);
    check_condition(&json!({ "column": "a", "all": group }), "column: stands beside a group");
    check_condition(&json!({ "is": 1, "all": group }), "column: is missing beside the operator");
    check_condition(&json!({ "case": "ignore", "all": group }), "column: is missing beside the operator");
    check_condition(&json!({ "all": group, "any": group }), "any: stands beside all");
    check_condition(&json!({ "all": [] }), "all: must have a condition");
    check_condition(
        &json!({ "all": [{ "column": "b", "more_than": 1e30 }] }),
        "all[0].more_than: must not have more than 28 places before the point",
    );
    check_condition(&a("at_least", json!(1e-11)), "at_least: must not have more than 10 places behind");
    check_condition(&a("is", json!("x".repeat(1_001))), "is: must not be longer than 1000 characters");
    check_condition(&a("contains", json!("")), "contains: must not be empty: every text has that");
    check_condition(&a("one_of", json!([])), "one_of: must have 1 to 5000 values; it has 0");
    check_condition(&a("none_of", json!(vec![1; 5_001])), "none_of: must have 1 to 5000 values; it has 5001");
    check_condition(&a("one_of", json!(["a", 1])), "one_of[1]: must be like those before it: all texts");
    check_condition(&a("one_of", json!([1, "a"])), "one_of[1]: must be like those before it");
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
            "before: must be a day (\"2026-01-31\") or a moment with its offset",
        );
    }
    check_condition(
        &a("on", json!("2026-01-01T00:00:00Z")),
        "on: must be a day (\"2026-01-31\"); moments have",
    );
    check_condition(&a("within_last_days", json!(36_501)), "within_last_days: must be 0 to 36500 days");
    check_condition(&a("in_next_days", json!(36_501)), "in_next_days: must be 0 to 36500 days");
    let ignoring =
        |operator: &str, value: Value| json!({ "column": "a", "case": "ignore", (operator): value });
    check_condition(&ignoring("is", json!(5)), "case: belongs to texts, and is compares none here");
    check_condition(&ignoring("is_null", json!(true)), "case: belongs to texts");
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

/// Anything that somebody may write, with more of what means something in SQL.
fn anything() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "['\"\\\\;%_$@`\\[\\]{}()*/ -]{1,12}",
        Just("' OR 1=1 --".to_owned()),
        Just("\"; SELECT * FROM secrets; --".to_owned()),
        Just("/*".to_owned()),
        Just("\\'".to_owned()),
    ]
}

fn named() -> impl Strategy<Value = String> {
    anything().prop_map(|text| format!("x{}", text.replace(char::is_control, "")))
}

fn source() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["people", "orders", "lines", "secret_less", "select", "from"])
        .prop_map(str::to_owned)
}

fn condition() -> impl Strategy<Value = Condition> {
    let number = || (-1_000_000_i64..1_000_000).prop_map(|number| Number(number.into()));
    let leaf = (named(), anything(), number(), 0..6).prop_map(|(column, text, number, operator)| {
        let text = format!("t{text}");
        let column = Some(column);
        let value = RuleValue::Text(text.clone());
        match operator {
            0 => Condition { column, is: Some(value), ..Condition::default() },
            1 => Condition { column, none_of: Some(vec![value.clone(), value]), ..Condition::default() },
            2 => Condition { column, not_contains: Some(text), ..Condition::default() },
            3 => Condition { column, more_than: Some(number), ..Condition::default() },
            4 => Condition { column, within_last_days: Some(7), ..Condition::default() },
            _ => Condition { column, starts_with: Some(text), ..Condition::default() },
        }
    });
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop::collection::vec(inner, 1..3)
            .prop_map(|any| Condition { any: Some(any), ..Condition::default() })
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let relation = (source(), named(), named()).prop_map(|(source, left, right)| Relation {
        source: source.try_into().unwrap(),
        on: [(left, right)].into(),
    });
    let combine = prop::sample::select(vec![Combine::Union, Combine::Intersect, Combine::Except]);
    let parts =
        (combine, prop::collection::vec(relation, 0..3), prop::collection::vec(condition(), 1..3), 1..3_u32);
    parts.prop_map(|(combine, path, all, rows)| Rule {
        name: String::new(),
        combine: Some(combine),
        at_least_rows: (!path.is_empty()).then_some(rows),
        path,
        all: Some(all),
        any: None,
    })
}

/// A query's tokens, without what its names and texts are.
fn shape(query: &str) -> Vec<String> {
    let tokens = Tokenizer::new(&GenericDialect {}, query).tokenize().unwrap();
    let one = |token: Token| match token {
        Token::SingleQuotedString(_) => "text".to_owned(),
        Token::Word(word) if word.quote_style == Some('"') => "name".to_owned(),
        other => other.to_string(),
    };
    tokens.into_iter().map(one).collect()
}

/// The same rules with other names of columns and other texts.
fn harmless(set: &RuleSet, key: &str) -> RuleSet {
    let name = |name: &str, other: String| if name == key { "key".to_owned() } else { other };
    let mut set = set.clone();
    for (place, column) in set.columns.iter_mut().enumerate() {
        *column = name(column, format!("c{place}"));
    }
    for rule in &mut set.rules {
        rule.all.iter_mut().flatten().for_each(harmless_condition);
        for relation in &mut rule.path {
            let pairs = std::mem::take(&mut relation.on).into_iter();
            relation.on = pairs.map(|(left, _)| (name(&left, "l".to_owned()), "r".to_owned())).collect();
        }
    }
    set
}

fn harmless_condition(condition: &mut Condition) {
    condition.any.iter_mut().flatten().for_each(harmless_condition);
    condition.column.iter_mut().for_each(|column| *column = "c".to_owned());
    let Condition { is, none_of, not_contains, starts_with, .. } = condition;
    for value in is.iter_mut().chain(none_of.iter_mut().flatten()) {
        *value = RuleValue::Text("t".to_owned());
    }
    for text in not_contains.iter_mut().chain(starts_with) {
        *text = "t".to_owned();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn whatever_is_written_the_query_is_one_select_over_the_named_sources(
        source in source(), key in named(), columns in prop::collection::btree_set(named(), 0..3),
        mut rules in prop::collection::vec(rule(), 1..4),
    ) {
        for (place, rule) in rules.iter_mut().enumerate() {
            rule.name = format!("rule {place}");
        }
        rules[0].combine = None;
        let columns = columns.into_iter().collect();
        let set = RuleSet { source: source.try_into().unwrap(), columns, rules };
        prop_assert_eq!(set.validate(&key), Ok(()));
        let query = set.query(&key).unwrap();
        let named: BTreeSet<String> = set.named_sources().map(|(_, source)| source.to_owned()).collect();
        prop_assert_eq!(sources_of(&query).unwrap(), named, "{}", query);
        // Nothing that is written becomes anything but a name or a literal.
        let harmless = harmless(&set, &key);
        prop_assert_eq!(shape(&query), shape(&harmless.query("key").unwrap()));
    }
}
