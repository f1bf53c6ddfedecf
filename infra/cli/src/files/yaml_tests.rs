//! Every YAML parser reads back what was written.

use super::super::values::unescaped;
use super::*;
use proptest::prelude::*;
use serde_json::json;

#[track_caller]
fn check(document: &Value, expected: &str) {
    assert_eq!(to_yaml(document), expected);
    let read: Value = serde_saphyr::from_str(expected).unwrap();
    assert_eq!(unescaped(read).as_ref(), Ok(document));
}

#[test]
fn documents_are_good_to_read() {
    check(
        &json!({
            "query": "SELECT customer_id\nFROM profiles\n\nWHERE newsletter\n", "name": "Who asked: all",
            "id": "subscribers", "member_key": "customer_id",
        }),
        "id: subscribers\nname: \"Who asked: all\"\nquery: |\n  SELECT customer_id\n  FROM profiles\n\n  WHERE newsletter\nmember_key: customer_id\n",
    );
    check(
        &json!({
            "id": "newsletter", "enabled": false, "connection": "no",
            "mapping": [
                {"field": "Name", "attribute": "name"},
                {"field": "properties.points", "attribute": "points", "if_null": "clear"},
            ],
            "segments": [{"segment": "subscribers", "target_list": "1027"}],
            "options": {"tag": {"name": "${x} News"}, "list": [], "numbers": [1, 2.5, null, true], "lines": "a\nb"},
            "schedule": {"daily": {"at": "06:30", "time_zone": "Europe/Rome"}},
            "guard": {"removed_percent": 50},
        }),
        r#"id: newsletter
connection: "no"
mapping:
  - { attribute: name, field: Name }
  - { attribute: points, field: properties.points, if_null: clear }
segments:
  - { segment: subscribers, target_list: "1027" }
enabled: false
guard:
  removed_percent: 50
options:
  lines: |-
    a
    b
  list: []
  numbers: [1, 2.5, null, true]
  tag: { name: "$${x} News" }
schedule:
  daily: { at: "06:30", time_zone: Europe/Rome }
"#,
    );
    check(
        &json!({
            "id": "loyal", "name": "Loyal", "member_key": "id",
            "rules": { "source": "people", "columns": ["email"], "rules": [
                { "name": "vienna", "all": [
                    { "column": "city", "is": "no" },
                    { "any": [{ "column": "points", "at_least": 99.5 }, { "column": "born", "on": "2026-01-31" }] },
                ] },
                { "name": "buyers", "combine": "intersect", "at_least_rows": 2,
                  "path": [{ "source": "orders", "on": { "id": "person" } }],
                  "any": [{ "column": "note", "contains": "a: b" }, { "column": "paid", "is": true }] },
            ] },
        }),
        r#"id: loyal
name: Loyal
member_key: id
rules:
  source: people
  columns: [email]
  rules:
    - name: vienna
      all:
        - { column: city, is: "no" }
        - any:
            - { column: points, at_least: 99.5 }
            - { column: born, "on": "2026-01-31" }
    - name: buyers
      combine: intersect
      path:
        - source: orders
          "on": { id: person }
      any:
        - { column: note, contains: "a: b" }
        - { column: paid, is: true }
      at_least_rows: 2
"#,
    );
    check(&json!({}), "{}\n");
}

/// Rules are written in their usual form, without quotes.
#[test]
fn words_of_rules_are_names() {
    let text = "path: [{ source: orders, on: { id: person } }]\nall: [{ column: born, on: 2026-01-31 }, { column: paid, is: yes }]\n";
    let read: Value = serde_saphyr::from_str(text).unwrap();
    let expected = json!({
        "path": [{ "source": "orders", "on": { "id": "person" } }],
        "all": [{ "column": "born", "on": "2026-01-31" }, { "column": "paid", "is": true }],
    });
    assert_eq!(unescaped(read), Ok(expected));
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ \\-a-z0-9:#'\"{}$|>&*!%@`,.\n\t~?=<\\[\\]]{0,12}",
        "(true|No|NULL|1e3|0x1F|0o7|1_000|~|---|2026-01-01|12:30|\\.inf|<<|=)"
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has none else", |number| number.is_finite()).prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any_text(), inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn written_yaml_is_read_back(fields in prop::collection::btree_map(any_text(), any_value(), 1..4)) {
        let document = Value::Object(fields.into_iter().collect());
        let text = to_yaml(&document);
        let read: Value = serde_saphyr::from_str(&text).map_err(|error| TestCaseError::fail(format!("{text}\n{error}")))?;
        prop_assert_eq!(unescaped(read), Ok(document), "{}", text);
    }
}
