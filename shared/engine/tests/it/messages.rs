//! The text of every error that a query author can get.

use crate::lake::Lake;
use datafusion::arrow::array::{ArrayRef, BinaryArray, Int32Array, ListArray, StringArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, Int32Type};
use relay_engine::SourceFormat;
use std::sync::Arc;

pub(crate) async fn lake() -> Lake {
    let names: ArrayRef = Arc::new(StringArray::from(vec!["Anna", "Bo"]));
    let street: ArrayRef = Arc::new(StringArray::from(vec!["Elm 1", "Oak 2"]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("customer_id", Arc::new(StringArray::from(vec!["c1", "c2"]))),
        ("FirstName", names),
        ("points", Arc::new(Int32Array::from(vec![1, 0]))),
        ("tags", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)]), None]))),
        (
            "address",
            Arc::new(StructArray::from(vec![(Arc::new(Field::new("street", DataType::Utf8, true)), street)])),
        ),
        ("photo", Arc::new(BinaryArray::from(vec![b"ab".as_slice(), b"cd"]))),
    ];
    Lake::new()
        .parquet("profiles", columns)
        .await
        .csv("orders", "customer_id,total,note\nc1,10,anna@example.com\nc2,x,\n")
        .await
        .source("nothing", SourceFormat::Csv)
        .source("misnamed", SourceFormat::Csv)
        .object("misnamed/data.txt", "a\n1\n")
        .await
        .source("lakehouse", SourceFormat::Parquet)
        .object("lakehouse/_delta_log/0.json", "{}")
        .await
}

/// Checks the error message of a query with the key `customer_id` and one attribute.
pub(crate) async fn check_with(text: &str, attribute: &str, code: &str, expected: &str) {
    let error = lake().await.evaluate(text, "customer_id", &[attribute]).await.expect_err(text);
    assert_eq!((error.code(), error.to_string().as_str()), (code, expected), "{text}");
    assert!(!error.is_transient(), "{text}");
}

pub(crate) async fn check(text: &str, code: &str, expected: &str) {
    check_with(text, "customer_id", code, expected).await;
}

pub(crate) const SOURCES: &str = "the sources are: lakehouse, misnamed, nothing, orders, profiles";

#[tokio::test]
async fn names_that_are_not_there() {
    check(
        "SELECT custmer_id FROM orders",
        "query_unknown_column",
        "there is no column custmer_id; did you mean customer_id?; the columns are: customer_id, total, note",
    )
    .await;
    check(
        "SELECT firstname FROM profiles",
        "query_unknown_column",
        "there is no column firstname; did you mean FirstName?; the columns are: customer_id, FirstName, points, tags, address, photo",
    )
    .await;
    check(
        "SELECT o.zzz FROM orders o",
        "query_unknown_column",
        "there is no column o.zzz; the columns are: o.customer_id, o.total, o.note",
    )
    .await;
    check(
        "SELECT customer_id FROM order",
        "query_unknown_source",
        &format!("there is no source order; did you mean orders?; {SOURCES}"),
    )
    .await;
    check(
        "SELECT customer_id FROM profiles JOIN orders ON true",
        "query_ambiguous_column",
        "column customer_id is in several tables of the query; name the table too (table.customer_id)",
    )
    .await;
    let error = lake().await.evaluate("SELECT lowr(note) FROM orders", "customer_id", &[]).await.unwrap_err();
    assert_eq!(error.code(), "query_not_plannable");
    assert!(error.to_string().contains("Invalid function 'lowr'. Did you mean 'lower'?"), "{error}");
}

#[tokio::test]
async fn texts_that_are_no_select() {
    check("", "query_empty", "the query is empty; a segment's query is one SELECT").await;
    check(" -- nothing\n;", "query_empty", "the query is empty; a segment's query is one SELECT").await;
    check(
        "SELECT customer_id\nFORM orders WHERE",
        "query_syntax",
        "the query has a syntax error at line 2, column 6: Expected: end of statement, found: orders",
    )
    .await;
    check(
        "SELECT 'abc",
        "query_syntax",
        "the query has a syntax error at line 1, column 8: Unterminated string literal",
    )
    .await;
    check(
        "SELECT customer_id FROM orders; SELECT 1",
        "query_several_statements",
        "the query has 2 statements; a segment's query is one SELECT",
    )
    .await;
    let long = format!("SELECT customer_id FROM orders -- {}", "x".repeat(70_000));
    check(&long, "query_too_long", "the query is 70034 bytes long; at most 65536 are allowed").await;
    for text in [
        "COPY orders TO '/tmp/x.csv'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE TABLE t AS SELECT * FROM orders",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN SELECT * FROM orders",
        "EXPLAIN ANALYZE SELECT * FROM orders",
        "INSERT INTO orders VALUES (1)",
        "DELETE FROM orders",
        "DROP TABLE orders",
        "SHOW TABLES",
        "DESCRIBE orders",
        "PREPARE p AS SELECT 1",
        "VALUES (1)",
        "TABLE orders",
        "FROM orders",
    ] {
        let keyword = text.split(' ').next().unwrap();
        let expected = format!(
            "the query begins with {keyword}; a segment's query is one SELECT (WITH and UNION are allowed)"
        );
        check(text, "query_not_a_select", &expected).await;
    }
}

#[tokio::test]
async fn results_that_are_no_members() {
    check(
        "SELECT total FROM orders",
        "query_member_key_missing",
        "the member key customer_id is not in the query's result; its columns are: total",
    )
    .await;
    check_with(
        "SELECT customer_id, total AS Total FROM orders",
        "total",
        "query_attribute_missing",
        "the mapped attribute total is not in the query's result; did you mean Total?; its columns are: customer_id, Total",
    )
    .await;
    check(
        "SELECT p.customer_id, o.customer_id FROM profiles p JOIN orders o ON p.customer_id = o.customer_id",
        "query_duplicate_column",
        "the query's result has 2 columns named customer_id; name each column once (SELECT a.customer_id, b.customer_id AS other)",
    )
    .await;
    check_with(
        "SELECT customer_id, total AS member_key FROM orders",
        "member_key",
        "query_reserved_column",
        "column member_key of the query's result is mapped and is not the member key; give it another name with AS",
    )
    .await;
    check_with(
        "SELECT * FROM profiles",
        "tags",
        "query_unsupported_column",
        "column tags is a list; turn its elements into rows with unnest(tags) AS element, or do not select it",
    )
    .await;
    check_with(
        "SELECT * FROM profiles",
        "address",
        "query_unsupported_column",
        "column address is a structure; select its fields one by one (get_field(address, 'street') AS street)",
    )
    .await;
    check_with(
        "SELECT * FROM profiles",
        "photo",
        "query_unsupported_column",
        "column photo is binary data; read it as text with CAST(photo AS VARCHAR) AS photo",
    )
    .await;
}

/// Checks that the advice in a message works.
#[tokio::test]
async fn the_advice_works() {
    let lake = lake().await;
    for (expression, expected) in [
        ("unnest(tags) AS tags", &[["c1", "1"]][..]),
        ("get_field(address, 'street') AS tags", &[["c1", "Elm 1"], ["c2", "Oak 2"]]),
        ("CAST(photo AS VARCHAR) AS tags", &[["c1", "ab"], ["c2", "cd"]]),
    ] {
        let text = format!("SELECT customer_id, {expression} FROM profiles");
        let snapshot = lake.evaluate(&text, "customer_id", &["tags"]).await.unwrap();
        assert_eq!(snapshot.rows, expected, "{expression}");
    }
    let text = "SELECT customer_id, TRY_CAST(total AS DOUBLE) AS total FROM orders";
    let snapshot = lake.evaluate(text, "customer_id", &["total"]).await.unwrap();
    assert_eq!(snapshot.rows, [["c1", "10.0"], ["c2", "∅"]]);
    let text = "SELECT customer_id, 10 / NULLIF(points, 0) AS share FROM profiles";
    let snapshot = lake.evaluate(text, "customer_id", &["share"]).await.unwrap();
    assert_eq!(snapshot.rows, [["c1", "10"], ["c2", "∅"]]);
}

#[tokio::test]
async fn sources_that_are_not_there() {
    check(
        "SELECT customer_id FROM nothing",
        "source_missing",
        "source nothing: there is no .csv object under s3://lake/nothing/",
    )
    .await;
    check(
        "SELECT customer_id FROM misnamed",
        "source_missing",
        "source misnamed: there is no .csv object under s3://lake/misnamed/ (there is 1 object with another name)",
    )
    .await;
    check(
        "SELECT customer_id FROM lakehouse",
        "source_invalid",
        "source lakehouse: s3://lake/lakehouse/ is a Delta Lake table; its folder also holds rows that were deleted, so it cannot be read as plain objects",
    )
    .await;
}

#[tokio::test]
async fn a_name_that_needs_quotes_is_no_source() {
    let lake = Lake::new().source("big-orders", SourceFormat::Csv);
    let error = relay_engine::Engine::new(lake.settings.clone(), lake.sources.clone(), []).unwrap_err();
    assert_eq!(
        error.to_string(),
        "source name \"big-orders\" is not an identifier: a letter a-z, then letters, digits and _, 64 at most"
    );
    let lake = Lake::new().source("orders", SourceFormat::Csv);
    let engine = relay_engine::Engine::new(lake.settings.clone(), lake.sources.clone(), []).unwrap();
    let query = relay_engine::SegmentQuery {
        text: "SELECT 1 FROM orders".into(),
        member_key: "a".into(),
        attributes: vec![],
    };
    let error = relay_engine::check::check(&engine, &query).await.unwrap_err();
    assert_eq!(error.to_string(), "source orders: bucket lake cannot be read by this deployment");
}
