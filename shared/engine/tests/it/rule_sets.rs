//! Rules as sets of members, evaluated and counted by the engine: combinations, paths, memory and time
//! limits.

use crate::lake::Lake;
use datafusion::arrow::array::{ArrayRef, StringArray};
use relay_engine::{SegmentQuery, SourceColumn, count_members, source_columns};
use relay_model::catalog::rules::RuleSet;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Creates subscriptions, several of s1 and s2, and orders with their lines.
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

/// Checks the members found, and how many members each rule matches and leaves.
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
    // No member has a row that is both.
    check_sets(&lake, json!([sport(), topic("fashion", Some("intersect"))]), &["s1"], &[(2, 2), (2, 1)])
        .await;
    check_sets(&lake, json!([sport(), topic("fashion", Some("except"))]), &["s2"], &[(2, 2), (2, 1)]).await;
    // Rules apply from top to bottom: later rules may add removed members again, and remove added ones.
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
    // Members without such rows.
    let none = [json!({ "name": "everybody" }), orders(json!({ "combine": "except", "all": large }))];
    check_sets(&lake, json!(none), &["s3", "s4"], &[(4, 4), (2, 2)]).await;
    let union =
        [topic("food", None), orders(json!({ "combine": "union", "all": large, "at_least_rows": 2 }))];
    check_sets(&lake, json!(union), &["s2", "s4"], &[(2, 2), (1, 2)]).await;
    let both = [topic("food", None), orders(json!({ "combine": "intersect", "any": large }))];
    check_sets(&lake, json!(both), &["s2"], &[(2, 2), (2, 1)]).await;
    // A path of two steps, the second from a text to a number, counted by its last rows.
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
    // A path that does not begin at the member key may match through any row of the member.
    let called = json!({ "name": "called", "combine": "except", "path": [{ "source": "calls", "on": { "phone": "phone" } }],
        "all": [{ "column": "answered", "is": true }] });
    check_sets(&lake, json!([{ "name": "everybody" }, called]), &["s2", "s4"], &[(4, 4), (2, 2)]).await;
    let also = json!({ "name": "called", "combine": "intersect", "path": [{ "source": "calls", "on": { "phone": "phone" } }] });
    check_sets(&lake, json!([topic("sport", None), also]), &["s1", "s2"], &[(2, 2), (3, 2)]).await;
    // A path within one source.
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
    // The last rule but one adds members who spent more than 68; the last one keeps those who spent more than
    // 69.
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
    // A union tests each row for related rows, instead of keeping only rows that have them.
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
        let counts = relay_engine::rules::counts(&engine, &rules, "id", 3, Instant::now() + time).await;
        counts.into_iter().map(|count| (count.name, count.members, count.after)).collect::<Vec<_>>()
    };
    let counts = |name: &str, members, after| (name.to_owned(), members, after);
    let expected = [counts("sport", Some(2), Some(2)), counts("fashion", Some(2), Some(3))];
    assert_eq!(counted(Duration::from_mins(1)).await, expected);
    // The size of the whole segment is known without a count.
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
        [column("order", relay_engine::ColumnType::Integer), column("sku", relay_engine::ColumnType::Text)]
    );
    let error = source_columns(&lake.engine(), "nowhere").await.unwrap_err();
    assert_eq!(error.code(), "query_unknown_source");
}
