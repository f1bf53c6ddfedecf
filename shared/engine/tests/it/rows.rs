//! The results of valid queries: values, types, order, duplicates.

use crate::lake::{Lake, parquet_bytes};
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array, StringArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use proptest::prelude::*;
use relay_engine::{ColumnType, SourceFormat};
use std::fmt::Write;
use std::sync::Arc;

#[track_caller]
fn rows(found: &[Vec<String>], expected: &[&[&str]]) {
    let found: Vec<Vec<&str>> = found.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    assert_eq!(found, expected.iter().map(|row| row.to_vec()).collect::<Vec<_>>());
}

#[tokio::test]
async fn three_formats_are_joined() {
    let lake = Lake::new()
        .parquet(
            "profiles",
            vec![
                ("customer_id", Arc::new(StringArray::from(vec!["c2", "c1", "c3"])) as ArrayRef),
                ("name", Arc::new(StringArray::from(vec![Some("Bo"), Some("Анна"), None]))),
            ],
        )
        .await
        .csv("orders", "customer_id,total\nc1,10.5\nc1,4.5\nc2,1\n")
        .await
        .json("visits", "{\"id\":\"c1\",\"n\":3}\n{\"id\":\"c3\",\"n\":1}\n")
        .await;
    let text = "
        WITH spent AS (SELECT customer_id, SUM(CAST(total AS DOUBLE)) AS spent FROM orders GROUP BY customer_id)
        SELECT p.customer_id, p.name, s.spent, v.n
        FROM profiles p LEFT JOIN spent s ON s.customer_id = p.customer_id LEFT JOIN visits v ON v.id = p.customer_id
        UNION SELECT 'c0', 'Zoë', 0.0, 0 ORDER BY 2";
    let snapshot =
        lake.evaluate(text, "customer_id", &["name", "spent", "n", "customer_id", "name"]).await.unwrap();
    rows(
        &snapshot.rows,
        &[
            &["c0", "Zoë", "0.0", "0", "c0"],
            &["c1", "Анна", "15.0", "3", "c1"],
            &["c2", "Bo", "1.0", "∅", "c2"],
            &["c3", "∅", "∅", "1", "c3"],
        ],
    );
    let sources: Vec<_> =
        snapshot.figures.sources.iter().map(|source| (source.name.as_str(), source.objects)).collect();
    assert_eq!(sources, [("orders", 1), ("profiles", 1), ("visits", 1)]);
}

#[tokio::test]
async fn csv_is_text_and_nothing_is_damaged() {
    let csv = "\u{feff}id,zip,name, Note \r\n\
        007,01067,\"O'Neil, \"\"Bob\"\"\",\"line\nbreak\"\r\n\
        0,00000,,\"\"\r\n\
        1e5,9007199254740993,山田 🙂,true\r\n\
        \"quoted\",NaN,\u{5e9}\u{5dc}\u{5d5}\u{5dd}, spaced \r\n";
    let lake = Lake::new().csv("people", csv).await;
    let snapshot = lake.evaluate("SELECT * FROM people", "id", &["zip", "name", "Note"]).await.unwrap();
    rows(
        &snapshot.rows,
        &[
            &["0", "00000", "∅", ""],
            &["007", "01067", "O'Neil, \"Bob\"", "line\nbreak"],
            &["1e5", "9007199254740993", "山田 🙂", "true"],
            &["quoted", "NaN", "\u{5e9}\u{5dc}\u{5d5}\u{5dd}", " spaced "],
        ],
    );
    assert!(snapshot.figures.columns.iter().all(|column| column.column_type == ColumnType::Text));
}

#[tokio::test]
async fn parts_of_a_source_are_one_table() {
    let lake = Lake::new()
        .source("people", SourceFormat::Csv)
        .object("people/a.csv", "id,name\n1,Anna\n")
        .await
        .object("people/year=2026/B.CSV", "name,id\nBo,2")
        .await
        .object("people/empty.csv", "")
        .await
        .object("people/header-only.csv", "id,name\n")
        .await
        .object("people/_SUCCESS", "")
        .await
        .object("people/_temporary/c.csv", "garbage\n")
        .await
        .object("people/.hidden.csv", "garbage\n")
        .await
        .object("people/readme.txt", "garbage\n")
        .await
        .object("people2/d.csv", "id,name\n9,Other\n")
        .await;
    let snapshot = lake.evaluate("SELECT id, name FROM people", "id", &["name"]).await.unwrap();
    rows(&snapshot.rows, &[&["1", "Anna"], &["2", "Bo"]]);
    assert_eq!(snapshot.figures.sources[0].objects, 3);
    let counted = lake.evaluate("SELECT COUNT(*) AS n, 'all' AS id FROM people", "id", &["n"]).await.unwrap();
    rows(&counted.rows, &[&["all", "2"]]);
}

#[tokio::test]
async fn parquet_parts_with_a_new_column_are_one_table() {
    let lake = Lake::new()
        .source("people", SourceFormat::Parquet)
        .object("people/1.parquet", parquet_bytes(vec![("id", Arc::new(StringArray::from(vec!["1"])))]))
        .await
        .object(
            "people/2/deep.parquet",
            parquet_bytes(vec![
                ("city", Arc::new(StringArray::from(vec!["Oslo"])) as ArrayRef),
                ("id", Arc::new(StringArray::from(vec!["2"]))),
            ]),
        )
        .await;
    let snapshot = lake.evaluate("SELECT * FROM people", "id", &["city"]).await.unwrap();
    rows(&snapshot.rows, &[&["1", "∅"], &["2", "Oslo"]]);
    let lake = lake
        .object("people/3.parquet", parquet_bytes(vec![("id", Arc::new(Int8Array::from(vec![3])))]))
        .await;
    let error = lake.evaluate("SELECT * FROM people", "id", &["city"]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "source people: object lake/people/3.parquet has a column of another type than in the objects before it; a source's columns have one type each"
    );
}

#[tokio::test]
async fn json_has_its_own_types() {
    let lines = r#"{"id":1,"mixed":1,"flag":true,"part":0.5,"late":null,"text":"","deep":{"a":"x"}}
{"id":20,"mixed":"two","flag":false,"part":1,"text":null}

{"id":3,"part":-0.0,"text":"a\nb"}"#;
    let lake = Lake::new().json("people", lines).await;
    let text = "SELECT *, get_field(deep, 'a') AS a FROM people";
    let snapshot =
        lake.evaluate(text, "id", &["id", "mixed", "flag", "part", "late", "text", "a"]).await.unwrap();
    rows(
        &snapshot.rows,
        &[
            &["1", "1", "1", "true", "0.5", "∅", "", "x"],
            &["20", "20", "two", "false", "1.0", "∅", "∅", "∅"],
            &["3", "3", "∅", "∅", "-0.0", "∅", "a\nb", "∅"],
        ],
    );
    let types: Vec<_> = snapshot.figures.columns.iter().map(|column| column.column_type).collect();
    assert_eq!(
        types,
        [
            ColumnType::Text,
            ColumnType::Integer,
            ColumnType::Text,
            ColumnType::Boolean,
            ColumnType::Decimal,
            ColumnType::Text,
            ColumnType::Text,
            ColumnType::Text
        ]
    );
    let counted = lake.evaluate("SELECT COUNT(*) AS n, 'all' AS id FROM people", "id", &["n"]).await.unwrap();
    rows(&counted.rows, &[&["all", "3"]]);
}

#[tokio::test]
async fn types_become_few() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(UInt64Array::from(vec![u64::MAX]))),
        ("small", Arc::new(Int8Array::from(vec![-1]))),
        ("single", Arc::new(Float32Array::from(vec![0.1]))),
        ("double", Arc::new(Float64Array::from(vec![0.1]))),
        ("flag", Arc::new(BooleanArray::from(vec![true]))),
        ("day", Arc::new(Date32Array::from(vec![20_000]))),
        ("money", Arc::new(Decimal128Array::from(vec![1250]).with_precision_and_scale(9, 2).unwrap())),
        ("local", Arc::new(TimestampSecondArray::from(vec![0]))),
        ("moment", Arc::new(TimestampNanosecondArray::from(vec![1_500_000_999]).with_timezone("+02:00"))),
    ];
    let lake = Lake::new().parquet("t", columns).await;
    let names = ["small", "single", "double", "flag", "day", "money", "local", "moment", "nothing", "span"];
    let text = "SELECT *, NULL AS nothing, INTERVAL '1 day' AS span FROM t";
    let snapshot = lake.evaluate(text, "id", &names).await.unwrap();
    rows(
        &snapshot.rows,
        &[&[
            "18446744073709551615",
            "-1",
            "0.1",
            "0.1",
            "true",
            "2024-10-04",
            "12.50",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:01.500Z",
            "∅",
            "1 days",
        ]],
    );
}

#[tokio::test]
async fn members_are_counted_once() {
    let lines = r#"{"id":"b","n":2,"t":"x"}
{"id":null,"n":1}
{"id":"b","n":1,"t":"y"}
{"id":"","n":1}
{"id":"a","n":1,"t":"z"}
{"id":"b","n":1,"t":null}
{"n":5}"#;
    let lake = Lake::new().json("people", lines).await;
    let snapshot = lake.evaluate("SELECT * FROM people", "id", &["n", "t"]).await.unwrap();
    rows(&snapshot.rows, &[&["a", "1", "z"], &["b", "1", "∅"]]);
    assert_eq!((snapshot.figures.rows_without_key, snapshot.figures.duplicate_member_rows), (3, 2));
    let json = serde_json::to_value(&snapshot.figures).unwrap();
    assert_eq!(json["columns"][1], serde_json::json!({"name": "n", "type": "integer"}));
}

#[tokio::test]
async fn a_segment_may_be_empty_and_a_key_may_be_called_member_key() {
    let lake = Lake::new().csv("people", "member_key,a b\n1,x\n").await;
    let none =
        lake.evaluate("SELECT * FROM people WHERE member_key = '2'", "member_key", &["a b"]).await.unwrap();
    assert_eq!((none.figures.rows, none.figures.columns.len()), (0, 2));
    let one = lake.evaluate("SELECT * FROM people", "member_key", &["member_key", "a b"]).await.unwrap();
    rows(&one.rows, &[&["1", "x"]]);
}

/// Row groups and batches have boundaries, which must not affect duplicates or the order.
#[tokio::test]
async fn edges_of_batches_do_not_show() {
    let mut csv = "id,n\n".to_owned();
    for number in 0..50_000_u32 {
        let shuffled = number.wrapping_mul(7_919) % 50_000;
        writeln!(csv, "k{:05},{number}", shuffled / 3).unwrap();
    }
    let mut lake = Lake::new().csv("people", &csv).await;
    let mut found = Vec::new();
    for (batch_rows, partitions) in [(8192, 2), (7, 1), (1000, 3)] {
        lake.settings.batch_rows = batch_rows;
        lake.settings.target_partitions = partitions;
        let snapshot = lake.evaluate("SELECT * FROM people", "id", &["n"]).await.unwrap();
        assert_eq!((snapshot.figures.rows, snapshot.figures.duplicate_member_rows), (16_667, 33_333));
        assert!(snapshot.keys().is_sorted_by(|left, right| left < right));
        found.push(snapshot.rows);
    }
    assert!(found.iter().all(|rows| *rows == found[0]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_order_is_that_of_rust(keys in prop::collection::vec("\\PC{0,4}|[a-zA-Z é🙂\u{ff61}\u{10000}]{0,3}", 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let snapshot = runtime.block_on(async {
            let column: ArrayRef = Arc::new(StringArray::from(keys.clone()));
            let lake = Lake::new().parquet("people", vec![("id", column)]).await;
            lake.evaluate("SELECT id FROM people", "id", &[]).await.unwrap()
        });
        let mut expected: Vec<&str> = keys.iter().map(String::as_str).filter(|key| !key.is_empty()).collect();
        expected.sort_unstable();
        expected.dedup();
        prop_assert_eq!(snapshot.keys(), expected);
    }
}
