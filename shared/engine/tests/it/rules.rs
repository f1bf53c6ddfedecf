//! Conditions of rules, evaluated by the engine: every operator, every type, NULL, groups.

use crate::lake::{Lake, Snapshot};
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use jiff::{ToSpan, Zoned, tz::TimeZone};
use relay_model::catalog::rules::RuleSet;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;

/// Returns a UTC date as days since 1970.
fn day(text: &str) -> i32 {
    let day: jiff::civil::Date = text.parse().unwrap();
    day.since(jiff::civil::date(1970, 1, 1)).unwrap().get_days()
}

/// Returns a timestamp in microseconds.
fn moment(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

/// Creates five people with columns of every type. Person c has no values.
async fn people() -> Lake {
    let texts = |values: [Option<&str>; 5]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let moments = [
        Some(moment("2025-12-31T23:30:00Z")),
        Some(moment("2026-01-01T00:00:00Z")),
        None,
        Some(moment("2026-01-01T23:59:59.999999Z")),
        Some(moment("9999-12-01T00:00:00Z")),
    ];
    let days = [
        Some(day("2025-12-31")),
        Some(day("2026-01-01")),
        None,
        Some(day("2026-01-02")),
        Some(day("9999-12-31")),
    ];
    let points = [Some(1), Some(9_007_199_254_740_993), None, Some(100), Some(-1)];
    let scores = [Some(0.1), Some(99.5), None, Some(100.0), Some(-0.1)];
    let prices = Decimal128Array::from(vec![Some(1_000), Some(1_001), None, Some(2_000), Some(0)]);
    Lake::new()
        .parquet(
            "people",
            vec![
                ("id", texts([Some("a"), Some("b"), Some("c"), Some("d"), Some("e")])),
                ("city", texts([Some("Wien"), Some("wien"), None, Some("O'Hara 100%_\\"), Some("")])),
                ("points", Arc::new(Int64Array::from(points.to_vec()))),
                ("score", Arc::new(Float64Array::from(scores.to_vec()))),
                ("price", Arc::new(prices.with_precision_and_scale(10, 2).unwrap())),
                (
                    "news",
                    Arc::new(BooleanArray::from(vec![
                        Some(true),
                        Some(false),
                        None,
                        Some(true),
                        Some(false),
                    ])),
                ),
                ("born", Arc::new(Date32Array::from(days.to_vec()))),
                ("seen", Arc::new(TimestampMicrosecondArray::from(moments.to_vec()))),
                (
                    "seen_there",
                    Arc::new(TimestampMicrosecondArray::from(moments.to_vec()).with_timezone("UTC")),
                ),
                ("a \"b\".c;--", texts([Some("x"), None, None, None, None])),
            ],
        )
        .await
        .csv(
            "texts",
            "id,points,news,born,seen\n\
             a,1,true,2025-12-31,2025-12-31T23:30:00Z\n\
             b,9007199254740993,no,2026-01-01,2026-01-01T01:00:00+01:00\n\
             c,,,,\n\
             d,100.0,YES,2026-01-02,2026-01-01 23:59:59\n\
             e,many,maybe,soon,9999-12-31\n",
        )
        .await
}

async fn evaluated(lake: &Lake, set: &Value) -> Snapshot {
    let set: RuleSet = serde_json::from_value(set.clone()).unwrap();
    let query = set.query("id").unwrap();
    let found = lake.evaluate(&query, "id", &[]).await;
    assert!(found.is_ok(), "{found:?}: {query}");
    found.unwrap()
}

/// Checks which people match one condition.
async fn check(lake: &Lake, source: &str, condition: Value, expected: &[&str]) {
    let set = json!({ "source": source, "rules": [{ "name": "one", "all": [condition] }] });
    assert_eq!(evaluated(lake, &set).await.keys(), expected, "{set}");
}

#[tokio::test]
async fn texts_are_compared_as_they_are_written() {
    let lake = people().await;
    let city = |operator: &str, value: Value| json!({ "column": "city", (operator): value });
    let ignoring =
        |operator: &str, value: Value| json!({ "column": "city", (operator): value, "case": "ignore" });
    let check = |condition, expected| check(&lake, "people", condition, expected);
    check(city("is", json!("Wien")), &["a"]).await;
    check(ignoring("is", json!("WIEN")), &["a", "b"]).await;
    check(city("is", json!("")), &["e"]).await;
    // NULL matches `is_not`.
    check(city("is_not", json!("Wien")), &["b", "c", "d", "e"]).await;
    check(ignoring("is_not", json!("WIEN")), &["c", "d", "e"]).await;
    check(city("one_of", json!(["Wien", "O'Hara 100%_\\"])), &["a", "d"]).await;
    check(city("one_of", json!(["wIEN"])), &[]).await;
    check(ignoring("one_of", json!(["wIEN", "x"])), &["a", "b"]).await;
    check(city("none_of", json!(["Wien", "wien"])), &["c", "d", "e"]).await;
    check(ignoring("none_of", json!(["WIEN", ""])), &["c", "d"]).await;
    check(city("contains", json!("ie")), &["a", "b"]).await;
    check(city("contains", json!("%_\\")), &["d"]).await;
    check(city("contains", json!("100_")), &[]).await;
    check(ignoring("contains", json!("WI")), &["a", "b"]).await;
    check(city("not_contains", json!("ie")), &["c", "d", "e"]).await;
    check(ignoring("not_contains", json!("O'HARA")), &["a", "b", "c", "e"]).await;
    check(city("starts_with", json!("W")), &["a"]).await;
    check(ignoring("starts_with", json!("w")), &["a", "b"]).await;
    check(city("ends_with", json!("\\")), &["d"]).await;
    check(city("is_null", json!(true)), &["c"]).await;
    check(city("is_null", json!(false)), &["a", "b", "d", "e"]).await;
    check(json!({ "column": "a \"b\".c;--", "is": "x" }), &["a"]).await;
    check(city("is", json!("' OR 1=1 --")), &[]).await;
}

#[tokio::test]
async fn numbers_are_exact() {
    let lake = people().await;
    let of = |column: &str, operator: &str, value: Value| json!({ "column": column, (operator): value });
    let check = |condition, expected| check(&lake, "people", condition, expected);
    check(of("points", "is", json!(9_007_199_254_740_993_i64)), &["b"]).await;
    check(of("points", "is", json!(9_007_199_254_740_992_i64)), &[]).await;
    check(of("points", "is_not", json!(1)), &["b", "c", "d", "e"]).await;
    check(of("points", "one_of", json!([1, 100, 0.5])), &["a", "d"]).await;
    check(of("points", "none_of", json!([1, 100])), &["b", "c", "e"]).await;
    check(of("points", "less_than", json!(1)), &["e"]).await;
    check(of("points", "at_most", json!(1)), &["a", "e"]).await;
    check(of("points", "more_than", json!(100)), &["b"]).await;
    check(of("points", "more_than", json!(99.5)), &["b", "d"]).await;
    check(of("points", "at_least", json!(100)), &["b", "d"]).await;
    check(of("points", "between", json!([-1, 1])), &["a", "e"]).await;
    check(of("score", "is", json!(0.1)), &["a"]).await;
    check(of("score", "between", json!([-0.1, 0.1])), &["a", "e"]).await;
    check(of("score", "at_least", json!(99.5)), &["b", "d"]).await;
    check(of("price", "is", json!(10.01)), &["b"]).await;
    check(of("price", "more_than", json!(10)), &["b", "d"]).await;
    check(of("price", "at_most", json!(10.0)), &["a", "e"]).await;
    check(of("points", "is_null", json!(true)), &["c"]).await;
}

#[tokio::test]
async fn truth_has_two_values_and_may_not_be_known() {
    let lake = people().await;
    let check = |condition, expected| check(&lake, "people", condition, expected);
    check(json!({ "column": "news", "is": true }), &["a", "d"]).await;
    check(json!({ "column": "news", "is": false }), &["b", "e"]).await;
    check(json!({ "column": "news", "is_not": true }), &["b", "c", "e"]).await;
    check(json!({ "column": "news", "is_not": false }), &["a", "c", "d"]).await;
}

#[tokio::test]
async fn days_are_days_of_utc() {
    let lake = people().await;
    let of = |column: &str, operator: &str, value: Value| json!({ "column": column, (operator): value });
    let check = |condition, expected| check(&lake, "people", condition, expected);
    check(of("born", "on", json!("2026-01-01")), &["b"]).await;
    check(of("born", "before", json!("2026-01-01")), &["a"]).await;
    check(of("born", "after", json!("2026-01-01")), &["d", "e"]).await;
    check(of("born", "on_or_before", json!("2026-01-01")), &["a", "b"]).await;
    check(of("born", "on_or_after", json!("2026-01-01")), &["b", "d", "e"]).await;
    check(of("born", "between", json!(["2025-12-31", "2026-01-01"])), &["a", "b"]).await;
    check(of("born", "before", json!("2026-01-01T00:00:01Z")), &["a", "b"]).await;
    for column in ["seen", "seen_there"] {
        check(of(column, "on", json!("2026-01-01")), &["b", "d"]).await;
        check(of(column, "before", json!("2026-01-01")), &["a"]).await;
        check(of(column, "after", json!("2026-01-01")), &["e"]).await;
        check(of(column, "before", json!("2026-01-01T00:45:00+01:00")), &["a"]).await;
        check(of(column, "on_or_before", json!("2026-01-01T00:30:00+01:00")), &["a"]).await;
        check(of(column, "before", json!("2026-01-01T00:30:00+01:00")), &[]).await;
        check(of(column, "after", json!("2026-01-01T00:00:00Z")), &["d", "e"]).await;
        check(of(column, "on_or_after", json!("2026-01-01T00:00:00Z")), &["b", "d", "e"]).await;
        let between = json!(["2025-12-31T23:30:00Z", "2026-01-01T00:00:00Z"]);
        check(of(column, "between", between), &["a", "b"]).await;
    }
    check(of("born", "is_null", json!(false)), &["a", "b", "d", "e"]).await;
}

#[tokio::test]
async fn texts_of_a_csv_are_read_as_what_is_asked_for() {
    let lake = people().await;
    let of = |column: &str, operator: &str, value: Value| json!({ "column": column, (operator): value });
    let check = |condition, expected| check(&lake, "texts", condition, expected);
    // A text that is not a number is NULL, and the evaluation continues.
    check(of("points", "at_least", json!(100)), &["b", "d"]).await;
    check(of("points", "is", json!(100)), &["d"]).await;
    check(of("points", "is", json!("100")), &[]).await;
    check(of("points", "is_not", json!(100)), &["a", "b", "c", "e"]).await;
    check(of("points", "is_null", json!(true)), &["c"]).await;
    check(of("news", "is", json!(true)), &["a", "d"]).await;
    check(of("news", "is", json!(false)), &["b"]).await;
    check(of("born", "before", json!("2026-01-02")), &["a", "b"]).await;
    check(of("seen", "on", json!("2026-01-01")), &["b", "d"]).await;
    check(of("seen", "on_or_after", json!("2026-01-01T00:00:00Z")), &["b", "d", "e"]).await;
}

#[tokio::test]
async fn today_is_the_day_in_utc() {
    let today =
        |days: i64| Zoned::now().with_time_zone(TimeZone::UTC).date().checked_add(days.days()).unwrap();
    let began = today(0);
    let mut csv = "id,at\n".to_owned();
    for days in [-31, -30, -1, 0, 1, 7, 8] {
        writeln!(csv, "{days},{}", today(days)).unwrap();
    }
    let lake = Lake::new().csv("visits", &format!("{csv}none,\n")).await;
    let condition = |operator: &str, days: u32| json!({ "column": "at", (operator): days });
    let check = |condition, expected| check(&lake, "visits", condition, expected);
    check(condition("within_last_days", 30), &["-1", "-30", "0"]).await;
    check(condition("within_last_days", 0), &["0"]).await;
    check(condition("before_last_days", 30), &["-31"]).await;
    check(condition("before_last_days", 0), &["-1", "-30", "-31"]).await;
    check(condition("in_next_days", 7), &["0", "1", "7"]).await;
    assert_eq!(began, today(0), "midnight came while the test ran: run it again");
}

#[tokio::test]
async fn groups_are_inside_one_another() {
    let lake = people().await;
    let is = |column: &str, value: Value| json!({ "column": column, "is": value });
    let rules = |rule: Value| json!({ "source": "people", "rules": [rule] });
    let either = json!({ "any": [is("city", json!("Wien")), { "all": [is("points", json!(100)), is("news", json!(true))] }] });
    let found =
        evaluated(&lake, &rules(json!({ "name": "one", "all": [either, is("news", json!(true))] }))).await;
    assert_eq!(found.keys(), ["a", "d"]);
    let neither =
        json!({ "name": "one", "any": [{ "all": [is("city", json!("Wien")), is("points", json!(100))] }] });
    assert_eq!(evaluated(&lake, &rules(neither)).await.keys(), [""; 0]);
    let everybody = evaluated(&lake, &rules(json!({ "name": "everybody" }))).await;
    assert_eq!(everybody.keys(), ["a", "b", "c", "d", "e"]);
}
