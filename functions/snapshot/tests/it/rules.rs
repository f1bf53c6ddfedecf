//! Rules, compiled and evaluated by the engine: every operator, values that are not known, sets of members, paths.

use crate::lake::{Lake, Snapshot};
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use jiff::{ToSpan, Zoned, tz::TimeZone};
use relay::catalog::rules::RuleSet;
use serde_json::{Value, json};
use snapshot::{SegmentQuery, SourceColumn, count_members, source_columns};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Days since 1970 of a day in UTC.
fn day(text: &str) -> i32 {
    let day: jiff::civil::Date = text.parse().unwrap();
    day.since(jiff::civil::date(1970, 1, 1)).unwrap().get_days()
}

/// Microseconds of a moment.
fn moment(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

/// Five people with every type, of whom c has no values at all.
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

/// Who fulfils one condition.
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
    // Who is not known to be from there is not from there.
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
    // What is no number is not known, and the evaluation goes on.
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

/// Subscriptions of people, of whom s1 and s2 have several; orders with their lines.
async fn shop() -> Lake {
    Lake::new()
        .csv("subscriptions", "id,topic,phone\ns1,sport,1\ns1,fashion,2\ns2,sport,3\ns2,food,4\ns3,fashion,5\ns4,food,\n,sport,6\n")
        .await
        .csv("calls", "phone,answered\n2,yes\n4,no\n5,yes\n,yes\n")
        .await
        .csv("orders", "order_id,id,total,day\n1,s1,10,2026-01-01\n2,s1,60,2026-01-02\n3,s2,70,2026-01-03\n4,s2,80,2026-01-04\n5,s3,abc,2026-01-05\n6,,90,2026-01-06\n")
        .await
        .json("lines", "{\"order\":1,\"sku\":\"x\"}\n{\"order\":1,\"sku\":\"y\"}\n{\"order\":3,\"sku\":\"x\"}\n{\"order\":5,\"sku\":\"y\"}\n")
        .await
}

fn set(rules: &Value) -> RuleSet {
    serde_json::from_value(json!({ "source": "subscriptions", "rules": rules })).unwrap()
}

/// Who is found, and how many each rule gives and leaves.
async fn check_sets(lake: &Lake, rules: Value, members: &[&str], counts: &[(u64, u64)]) {
    let set = set(&rules);
    let query = set.query("id").unwrap();
    let found = lake.evaluate(&query, "id", &["topic"]).await;
    assert!(found.is_ok(), "{found:?}: {query}");
    assert_eq!(found.unwrap().keys(), members, "{query}");
    let engine = lake.engine();
    let count = async |set: RuleSet| {
        let query =
            SegmentQuery { text: set.query("id").unwrap(), member_key: "id".into(), attributes: Vec::new() };
        count_members(&engine, &query, Instant::now() + Duration::from_mins(1)).await.unwrap()
    };
    for (place, expected) in counts.iter().enumerate() {
        assert_eq!(
            (count(set.alone(place)).await, count(set.up_to(place)).await),
            *expected,
            "rule {place}: {query}"
        );
    }
    assert_eq!(counts.last().unwrap().1, u64::try_from(members.len()).unwrap());
}

fn topic(name: &str, combine: Option<&str>) -> Value {
    json!({ "name": name, "combine": combine, "all": [{ "column": "topic", "is": name }] })
}

#[tokio::test]
async fn rules_combine_members_and_not_rows() {
    let lake = shop().await;
    let sport = || topic("sport", None);
    check_sets(&lake, json!([sport()]), &["s1", "s2"], &[(2, 2)]).await;
    check_sets(
        &lake,
        json!([sport(), topic("fashion", Some("union"))]),
        &["s1", "s2", "s3"],
        &[(2, 2), (2, 3)],
    )
    .await;
    // Nobody has a row that is both.
    check_sets(&lake, json!([sport(), topic("fashion", Some("intersect"))]), &["s1"], &[(2, 2), (2, 1)])
        .await;
    check_sets(&lake, json!([sport(), topic("fashion", Some("except"))]), &["s2"], &[(2, 2), (2, 1)]).await;
    // Top down: what is taken away may come back, and what comes may be taken away.
    let back = [sport(), topic("fashion", Some("except")), topic("food", Some("union"))];
    check_sets(&lake, json!(back), &["s2", "s4"], &[(2, 2), (2, 1), (2, 2)]).await;
    let away = [sport(), topic("food", Some("union")), topic("fashion", Some("except"))];
    check_sets(&lake, json!(away), &["s2", "s4"], &[(2, 2), (2, 3), (2, 2)]).await;
    let nobody = [sport(), json!({ "name": "everybody", "combine": "except" })];
    check_sets(&lake, json!(nobody), &[], &[(2, 2), (4, 0)]).await;
    let all = [json!({ "name": "everybody" }), topic("fashion", Some("except"))];
    check_sets(&lake, json!(all), &["s2", "s4"], &[(4, 4), (2, 2)]).await;
}

#[tokio::test]
async fn paths_lead_to_related_rows() {
    let lake = shop().await;
    let orders = |more: Value| {
        let mut rule = json!({ "name": "buyers", "path": [{ "source": "orders", "on": { "id": "id" } }] });
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule
    };
    let large = json!([{ "column": "total", "more_than": 50 }]);
    check_sets(&lake, json!([orders(json!({}))]), &["s1", "s2", "s3"], &[(3, 3)]).await;
    check_sets(&lake, json!([orders(json!({ "all": large }))]), &["s1", "s2"], &[(2, 2)]).await;
    check_sets(&lake, json!([orders(json!({ "all": large, "at_least_rows": 2 }))]), &["s2"], &[(1, 1)]).await;
    check_sets(&lake, json!([orders(json!({ "at_least_rows": 2 }))]), &["s1", "s2"], &[(2, 2)]).await;
    check_sets(&lake, json!([orders(json!({ "at_least_rows": 3 }))]), &[], &[(0, 0)]).await;
    // Without such rows.
    let none = [json!({ "name": "everybody" }), orders(json!({ "combine": "except", "all": large }))];
    check_sets(&lake, json!(none), &["s3", "s4"], &[(4, 4), (2, 2)]).await;
    let union =
        [topic("food", None), orders(json!({ "combine": "union", "all": large, "at_least_rows": 2 }))];
    check_sets(&lake, json!(union), &["s2", "s4"], &[(2, 2), (1, 2)]).await;
    let both = [topic("food", None), orders(json!({ "combine": "intersect", "any": large }))];
    check_sets(&lake, json!(both), &["s2"], &[(2, 2), (2, 1)]).await;
    // Two steps, the second from a text to a number, and counted by the rows at the end.
    let path = json!([{ "source": "orders", "on": { "id": "id" } }, { "source": "lines", "on": { "order_id": "order" } }]);
    let bought = |more: Value| {
        orders(json!({ "path": path }))
            .as_object()
            .unwrap()
            .clone()
            .into_iter()
            .chain(more.as_object().unwrap().clone())
            .collect::<Value>()
    };
    check_sets(
        &lake,
        json!([bought(json!({ "all": [{ "column": "sku", "is": "x" }] }))]),
        &["s1", "s2"],
        &[(2, 2)],
    )
    .await;
    check_sets(&lake, json!([bought(json!({ "at_least_rows": 2 }))]), &["s1"], &[(1, 1)]).await;
    // A path that does not begin at the member key: of one row of the member, whichever it is.
    let called = json!({ "name": "called", "combine": "except", "path": [{ "source": "calls", "on": { "phone": "phone" } }],
        "all": [{ "column": "answered", "is": true }] });
    check_sets(&lake, json!([{ "name": "everybody" }, called]), &["s2", "s4"], &[(4, 4), (2, 2)]).await;
    let also = json!({ "name": "called", "combine": "intersect", "path": [{ "source": "calls", "on": { "phone": "phone" } }] });
    check_sets(&lake, json!([topic("sport", None), also]), &["s1", "s2"], &[(2, 2), (3, 2)]).await;
    // Of rows of the same source.
    let pairs = json!({ "name": "pairs", "path": [{ "source": "subscriptions", "on": { "topic": "topic" } }],
        "all": [{ "column": "id", "is": "s4" }] });
    check_sets(&lake, json!([pairs]), &["s2", "s4"], &[(2, 2)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_rules_and_conditions_as_there_may_be_are_evaluated() {
    let lake = shop().await;
    let rule = |place: usize| {
        let combine = ["union", "intersect", "except"][place % 3];
        let combine = (place > 0).then_some(combine);
        let all = vec![json!({ "column": "total", "more_than": 50 + place }); 10];
        json!({ "name": place.to_string(), "combine": combine, "path": [{ "source": "orders", "on": { "id": "id" } }], "all": all })
    };
    let set = set(&(0..20).map(rule).collect());
    let found = lake.evaluate(&set.query("id").unwrap(), "id", &[]).await.unwrap();
    // The last but one is a union with whoever spent more than 68, and the last one intersects with more than 69.
    assert_eq!(found.keys(), ["s2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sets_that_do_not_fit_into_memory_use_the_disk() {
    let ids = |of: fn(&i64) -> bool| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            (0..60_000).filter(of).map(|n| format!("a-long-customer-key-{n:08}")),
        ))
    };
    let mut lake = Lake::new()
        .parquet("people", vec![("id", ids(|_| true))])
        .await
        .parquet("orders", vec![("id", ids(|n| n % 2 == 0))])
        .await;
    lake.settings.memory_limit_bytes = 10 * 1024 * 1024;
    let path = json!([{ "source": "orders", "on": { "id": "id" } }]);
    let set: RuleSet = serde_json::from_value(json!({ "source": "people", "rules": [
        { "name": "some", "all": [{ "column": "id", "is_not": "x" }] },
        { "name": "buyers", "combine": "intersect", "path": path, "at_least_rows": 1 },
        { "name": "none", "combine": "except", "all": [{ "column": "id", "ends_with": "0" }] },
    ] }))
    .unwrap();
    let query = set.query("id").unwrap();
    assert_eq!(lake.evaluate(&query, "id", &[]).await.unwrap().figures.rows, 24_000);
    let query = SegmentQuery { text: query, member_key: "id".into(), attributes: Vec::new() };
    let deadline = Instant::now() + Duration::from_mins(1);
    assert_eq!(count_members(&lake.engine(), &query, deadline).await, Ok(24_000));
    // A union asks of each row whether it has related ones, instead of keeping those that have.
    let set: RuleSet = serde_json::from_value(json!({ "source": "people", "rules": [
        { "name": "fives", "all": [{ "column": "id", "ends_with": "5" }] },
        { "name": "buyers", "combine": "union", "path": path },
        { "name": "often", "combine": "union", "path": path, "at_least_rows": 2 },
    ] }))
    .unwrap();
    let found = lake.evaluate(&set.query("id").unwrap(), "id", &[]).await.unwrap();
    assert_eq!(found.figures.rows, 36_000);
}

#[tokio::test]
async fn counts_end_with_the_time_that_there_is() {
    let lake = shop().await;
    let rules = set(&json!([topic("sport", None), topic("fashion", Some("union"))]));
    let engine = lake.engine();
    let counted = async |time| {
        let counts = snapshot::rules::counts(&engine, &rules, "id", 3, Instant::now() + time).await;
        counts.into_iter().map(|count| (count.name, count.members, count.after)).collect::<Vec<_>>()
    };
    let counts = |name: &str, members, after| (name.to_owned(), members, after);
    let expected = [counts("sport", Some(2), Some(2)), counts("fashion", Some(2), Some(3))];
    assert_eq!(counted(Duration::from_mins(1)).await, expected);
    // What the whole segment has is known without counting.
    let expected = [counts("sport", None, None), counts("fashion", None, Some(3))];
    assert_eq!(counted(Duration::ZERO).await, expected);
}

#[tokio::test]
async fn the_columns_of_a_source_are_known() {
    let lake = shop().await;
    let columns = source_columns(&lake.engine(), "lines").await.unwrap();
    let column =
        |name: &str, column_type| SourceColumn { name: name.to_owned(), column_type: Some(column_type) };
    assert_eq!(
        columns,
        [column("order", snapshot::ColumnType::Integer), column("sku", snapshot::ColumnType::Text)]
    );
    let error = source_columns(&lake.engine(), "nowhere").await.unwrap_err();
    assert_eq!(error.code(), "query_unknown_source");
}
