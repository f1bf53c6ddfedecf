//! The queries that rules compile to.

use super::RuleSet;
use serde_json::{Value, json};

/// Compiles rules over `people`.
#[track_caller]
fn query(rules: &Value, columns: &[&str]) -> String {
    let set: RuleSet =
        serde_json::from_value(json!({ "source": "people", "columns": columns, "rules": rules })).unwrap();
    set.validate("id").unwrap();
    set.query("id").unwrap()
}

/// Checks what one condition compiles to.
#[track_caller]
fn check(condition: &str, expected: &str) {
    let condition: Value = serde_json::from_str(condition).unwrap();
    let text = query(&json!([{ "name": "one", "all": [condition] }]), &["id"]);
    let expected = format!("SELECT \"people\".\"id\"\nFROM \"people\"\nWHERE ({expected})");
    assert_eq!(text, expected);
}

#[test]
fn every_operator_has_its_words() {
    let p = |expected: &str| expected.replace("$c", "\"people\".\"c\"");
    let check = |condition: &str, expected: &str| check(condition, &p(expected));
    check(r#"{"column":"c","is":"O'Hara"}"#, "$c = 'O''Hara'");
    check(r#"{"column":"c","is":""}"#, "$c = ''");
    check(r#"{"column":"c","is_not":"Wien"}"#, "$c IS DISTINCT FROM 'Wien'");
    check(r#"{"column":"c","one_of":["a","b"]}"#, "$c IN ('a', 'b')");
    check(r#"{"column":"c","one_of":["a"]}"#, "$c = 'a'");
    check(r#"{"column":"c","none_of":["a","b"]}"#, "($c IN ('a', 'b')) IS NOT TRUE");
    check(r#"{"column":"c","contains":"%_\\"}"#, "contains($c, '%_\\')");
    check(r#"{"column":"c","not_contains":"a"}"#, "contains($c, 'a') IS NOT TRUE");
    check(r#"{"column":"c","starts_with":"a"}"#, "starts_with($c, 'a')");
    check(r#"{"column":"c","ends_with":"a"}"#, "ends_with($c, 'a')");
    check(r#"{"column":"c","is":"Wien","case":"ignore"}"#, "lower($c) = lower('Wien')");
    check(
        r#"{"column":"c","none_of":["A","b"],"case":"ignore"}"#,
        "(lower($c) IN (lower('A'), lower('b'))) IS NOT TRUE",
    );
    check(r#"{"column":"c","contains":"A","case":"ignore"}"#, "contains(lower($c), lower('A'))");
    let number = "TRY_CAST($c AS DECIMAL(38, 10))";
    let check_number = |condition: &str, expected: &str| check(condition, &format!("{number} {expected}"));
    check_number(r#"{"column":"c","is":5}"#, "= 5");
    check_number(r#"{"column":"c","is":-5}"#, "= -5");
    check_number(r#"{"column":"c","is_not":0.1}"#, "IS DISTINCT FROM CAST('0.1' AS DECIMAL(38, 10))");
    check_number(r#"{"column":"c","one_of":[1,2.5]}"#, "IN (1, CAST('2.5' AS DECIMAL(38, 10)))");
    check_number(r#"{"column":"c","less_than":9007199254740993}"#, "< 9007199254740993");
    check_number(
        r#"{"column":"c","at_most":18446744073709551615}"#,
        "<= CAST('18446744073709551615' AS DECIMAL(38, 10))",
    );
    check_number(r#"{"column":"c","more_than":50}"#, "> 50");
    check_number(r#"{"column":"c","at_least":-0.5}"#, ">= CAST('-0.5' AS DECIMAL(38, 10))");
    check_number(r#"{"column":"c","between":[1,1]}"#, "BETWEEN 1 AND 1");
    check(r#"{"column":"c","is":true}"#, "TRY_CAST($c AS BOOLEAN) IS TRUE");
    check(r#"{"column":"c","is_not":false}"#, "TRY_CAST($c AS BOOLEAN) IS NOT FALSE");
    let check_day =
        |condition: &str, expected: &str| check(condition, &format!("TRY_CAST($c AS DATE) {expected}"));
    check_day(r#"{"column":"c","on":"2026-01-31"}"#, "= DATE '2026-01-31'");
    check_day(r#"{"column":"c","before":"2026-01-31"}"#, "< DATE '2026-01-31'");
    check_day(r#"{"column":"c","after":"2026-01-31"}"#, "> DATE '2026-01-31'");
    check_day(r#"{"column":"c","on_or_before":"2026-01-31"}"#, "<= DATE '2026-01-31'");
    check_day(r#"{"column":"c","on_or_after":"2026-01-31"}"#, ">= DATE '2026-01-31'");
    check_day(
        r#"{"column":"c","between":["2026-01-31","2026-02-01"]}"#,
        "BETWEEN DATE '2026-01-31' AND DATE '2026-02-01'",
    );
    check_day(r#"{"column":"c","within_last_days":30}"#, "BETWEEN CURRENT_DATE - 30 AND CURRENT_DATE");
    check_day(r#"{"column":"c","before_last_days":30}"#, "< CURRENT_DATE - 30");
    check_day(r#"{"column":"c","in_next_days":7}"#, "BETWEEN CURRENT_DATE AND CURRENT_DATE + 7");
    let moment = "TIMESTAMP(6) WITH TIME ZONE";
    check(
        r#"{"column":"c","before":"2026-01-31T18:00:00+01:00"}"#,
        &format!("TRY_CAST($c AS {moment}) < CAST('2026-01-31T17:00:00Z' AS {moment})"),
    );
    check(r#"{"column":"c","is_null":true}"#, "$c IS NULL");
    check(r#"{"column":"c","is_null":false}"#, "$c IS NOT NULL");
}

#[test]
fn groups_stand_in_parentheses() {
    let rules = json!([{ "name": "vienna", "all": [
        { "column": "city", "is": "Wien" },
        { "any": [{ "column": "points", "at_least": 100 }, { "column": "newsletter", "is": true }] },
    ] }]);
    insta::assert_snapshot!(query(&rules, &["email", "first_name"]), @r#"
    SELECT "people"."id", "people"."email", "people"."first_name"
    FROM "people"
    WHERE ("people"."city" = 'Wien' AND (TRY_CAST("people"."points" AS DECIMAL(38, 10)) >= 100 OR TRY_CAST("people"."newsletter" AS BOOLEAN) IS TRUE))
    "#);
    let everybody = json!([{ "name": "everybody" }]);
    insta::assert_snapshot!(query(&everybody, &[]), @r#"
    SELECT "people".*
    FROM "people"
    "#);
}

#[test]
fn rules_are_sets_of_members() {
    let rules = json!([
        { "name": "vienna", "all": [{ "column": "city", "is": "Wien" }] },
        { "name": "graz", "combine": "union", "any": [{ "column": "city", "is": "Graz" }] },
        { "name": "buyers", "combine": "intersect", "path": [{ "source": "orders", "on": { "id": "person" } }],
          "all": [{ "column": "total", "more_than": 50 }], "at_least_rows": 2 },
        { "name": "callers", "combine": "except",
          "path": [{ "source": "people", "on": { "phone": "phone", "city": "city" } }, { "source": "calls", "on": { "phone": "phone" } }] },
        { "name": "staff", "combine": "except", "all": [{ "column": "is_staff", "is": true }] },
    ]);
    insta::assert_snapshot!(query(&rules, &["id"]), @r#"
    SELECT "people"."id"
    FROM "people"
    WHERE ((((("people"."city" = 'Wien')
      OR ("people"."city" = 'Graz'))
      AND EXISTS (SELECT 1 FROM (SELECT CAST("orders"."person" AS VARCHAR) AS "key 1" FROM "orders" WHERE (TRY_CAST("orders"."total" AS DECIMAL(38, 10)) > 50) GROUP BY CAST("orders"."person" AS VARCHAR) HAVING count(*) >= 2) AS "found rows" WHERE "found rows"."key 1" = CAST("people"."id" AS VARCHAR)))
      AND NOT EXISTS (SELECT 1 FROM "people" AS "people (2)" WHERE "people (2)"."id" = "people"."id" AND EXISTS (SELECT 1 FROM "people" AS "people (3)" JOIN "calls" ON CAST("people (3)"."phone" AS VARCHAR) = CAST("calls"."phone" AS VARCHAR) WHERE CAST("people (3)"."city" AS VARCHAR) = CAST("people (2)"."city" AS VARCHAR) AND CAST("people (3)"."phone" AS VARCHAR) = CAST("people (2)"."phone" AS VARCHAR))))
      AND NOT EXISTS (SELECT 1 FROM "people" AS "people (2)" WHERE "people (2)"."id" = "people"."id" AND (TRY_CAST("people (2)"."is_staff" AS BOOLEAN) IS TRUE)))
    "#);
}

#[test]
fn a_rule_without_conditions_selects_every_row() {
    let check = |combine: &str, expected: &str| {
        let rules = json!([
            { "name": "everybody" },
            { "name": "vienna", "combine": combine, "all": [{ "column": "city", "is": "Wien" }] },
        ]);
        assert_eq!(query(&rules, &["id"]), format!("SELECT \"people\".\"id\"\nFROM \"people\"{expected}"));
    };
    let vienna = "EXISTS (SELECT 1 FROM \"people\" AS \"people (2)\" WHERE \"people (2)\".\"id\" = \"people\".\"id\" AND \
                  (\"people (2)\".\"city\" = 'Wien'))";
    check("union", "");
    check("intersect", &format!("\nWHERE {vienna}"));
    check("except", &format!("\nWHERE NOT {vienna}"));
}
