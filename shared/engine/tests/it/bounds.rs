//! Memory, disk and time budgets.

use crate::lake::{Lake, parquet_bytes};
use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray};
use relay_engine::{QueryError, SourceFormat};
use std::sync::Arc;
use std::time::Duration;

const ROWS: i64 = 120_000;

fn key(number: i64) -> String {
    format!("customer-{:08}", (number * 7_919) % ROWS)
}

/// Creates a lake of some 40 MiB after decoding.
async fn large() -> Lake {
    let mut lake =
        Lake::new().source("people", SourceFormat::Parquet).source("orders", SourceFormat::Parquet);
    for source in ["people", "orders"] {
        let ids: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(key)));
        let notes: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(|n| format!("{n:0200}"))));
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..ROWS));
        let bytes = parquet_bytes(vec![("id", ids), ("note", notes), ("n", numbers)]);
        lake = lake.object(&format!("{source}/a.parquet"), bytes).await;
    }
    lake
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sorting_uses_the_disk() {
    let mut lake = large().await;
    let text = "SELECT * FROM people";
    let roomy = lake.evaluate(text, "id", &["note", "n"]).await.unwrap();
    lake.settings.memory_limit_bytes = 16 * 1024 * 1024;
    let tight = lake.evaluate(text, "id", &["note", "n"]).await.unwrap();
    assert_eq!(roomy.figures.rows, ROWS.unsigned_abs());
    assert_eq!(roomy.rows, tight.rows);

    lake.settings.spill_limit_bytes = 1024 * 1024;
    let error = lake.evaluate(text, "id", &["note", "n"]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the query needs more temporary disk space than the 1 MiB that it may use; narrow it before joining or sorting"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_that_do_not_fit_use_the_disk() {
    let mut lake = large().await;
    lake.settings.memory_limit_bytes = 28 * 1024 * 1024;
    let text = "SELECT p.id, p.note, o.note AS other FROM people p JOIN orders o ON p.id = o.id";
    let snapshot = lake.evaluate(text, "id", &["note", "other"]).await.unwrap();
    assert_eq!(snapshot.figures.rows, ROWS.unsigned_abs());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_use_the_disk_is_refused() {
    let mut lake = large().await;
    lake.settings.memory_limit_bytes = 8 * 1024 * 1024;
    let text = "SELECT 'a' AS id, string_agg(note, ',') AS notes FROM people";
    let error = lake.evaluate(text, "id", &["notes"]).await.unwrap_err();
    assert_eq!(error, QueryError::OutOfMemory { limit_bytes: 8 * 1024 * 1024 });
    assert_eq!(
        error.to_string(),
        "the query needs more memory than the 8 MiB that it may use; narrow it before joining or sorting (filter earlier, select fewer columns, aggregate first)"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_without_an_end_is_ended() {
    let mut lake = large().await;
    lake.settings.time_limit = Duration::from_millis(1_500);
    let text = "SELECT CAST(SUM(a.n * b.n * c.n) AS VARCHAR) AS id FROM people a, people b, people c";
    let error = lake.evaluate(text, "id", &[]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the query was stopped after 1 s; check whether a join lacks its condition"
    );
}
