//! Previews of a query without an export: its columns and its first members.

use crate::lake::{Lake, parquet_bytes};
use datafusion::arrow::array::{ArrayRef, BinaryArray, Int64Array, StringArray};
use relay_engine::{ColumnType, Description, OutputColumn, SourceFormat, describe};
use std::sync::Arc;

async fn lake() -> Lake {
    let columns = vec![
        ("customer_id", Arc::new(StringArray::from(vec!["c2", "", "c1", "c3", "c1"])) as ArrayRef),
        ("points", Arc::new(Int64Array::from(vec![Some(2), Some(0), Some(7), None, Some(1)]))),
        ("picture", Arc::new(BinaryArray::from(vec![b"x".as_slice(); 5]))),
        ("member_key", Arc::new(StringArray::from(vec!["m"; 5]))),
    ];
    let lake = Lake::new().source("profiles", SourceFormat::Parquet);
    lake.object("profiles/part-1.parquet", parquet_bytes(columns)).await
}

#[track_caller]
fn check(found: &Description, columns: &[(&str, ColumnType)], unusable: &[(&str, &str)]) {
    let expected: Vec<OutputColumn> = columns
        .iter()
        .map(|(name, column_type)| OutputColumn { name: (*name).to_owned(), column_type: *column_type })
        .collect();
    assert_eq!(found.columns, expected);
    let found: Vec<(&str, &str)> =
        found.unusable_columns.iter().map(|one| (one.name.as_str(), one.problem.code())).collect();
    assert_eq!(found, unusable);
}

#[tokio::test]
async fn the_columns_that_can_be_mapped_are_told_from_the_others() {
    let engine = lake().await.source("later", SourceFormat::Csv).engine();
    let all = "SELECT * FROM profiles";
    let found = describe(&engine, all, "customer_id").await.unwrap();
    let (id, points) = (("customer_id", ColumnType::Text), ("points", ColumnType::Integer));
    let picture = ("picture", "query_unsupported_column");
    check(&found, &[id, points], &[picture, ("member_key", "query_reserved_column")]);
    let found = describe(&engine, all, "member_key").await.unwrap();
    check(&found, &[id, points, ("member_key", ColumnType::Text)], &[picture]);
    let correlated = "SELECT customer_id, (SELECT points FROM profiles q WHERE q.customer_id = p.customer_id) AS points FROM profiles p";
    for (text, key, code, field) in [
        (all, "picture", "query_unsupported_column", Some("/member_key")),
        (all, "nobody", "query_member_key_missing", Some("/member_key")),
        ("SELECT customer_id, pionts FROM profiles", "customer_id", "query_unknown_column", Some("/query")),
        ("SELECT customer_id FROM nobody", "customer_id", "query_unknown_source", Some("/query")),
        // This error appears only in physical planning.
        (correlated, "customer_id", "query_not_plannable", Some("/query")),
        ("SELECT customer_id FROM later", "customer_id", "source_missing", None),
    ] {
        let error = describe(&engine, text, key).await.unwrap_err();
        assert_eq!((error.code(), error.field()), (code, field), "{text}: {error}");
    }
}

#[tokio::test]
async fn the_first_members_are_those_of_the_whole_snapshot() {
    let lake = lake().await;
    let folder = tempfile::tempdir().unwrap();
    let query = relay_engine::SegmentQuery {
        text: "SELECT customer_id, points FROM profiles".to_owned(),
        member_key: "customer_id".to_owned(),
        attributes: vec!["points".to_owned()],
    };
    let first = async |rows: usize| {
        let figures =
            relay_engine::evaluate_first(&lake.engine(), &query, &folder.path().join("first"), rows)
                .await
                .unwrap();
        (figures.rows, figures.rows_without_key, figures.duplicate_member_rows)
    };
    // A row without a key does not count towards the limit, and a member's rows count one by one.
    assert_eq!(first(1).await, (1, 0, 0));
    assert_eq!(first(2).await, (1, 0, 1));
    assert_eq!(first(3).await, (2, 0, 1));
    assert_eq!(first(100).await, (3, 0, 1));
    let whole = lake.evaluate(&query.text, "customer_id", &["points"]).await.unwrap();
    assert_eq!((whole.figures.rows, whole.figures.rows_without_key), (3, 1));
}
