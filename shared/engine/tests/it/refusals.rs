//! Only the declared sources are read, and no message contains a value of a row.

use crate::messages::{SOURCES, check, check_with, lake};
use relay_engine::QueryError;

#[tokio::test]
async fn only_declared_sources_are_read() {
    for (from, name) in [
        ("'s3://other/secret.csv'", "s3://other/secret.csv"),
        ("\"/etc/passwd\"", "/etc/passwd"),
        ("'file:///etc/passwd'", "file:///etc/passwd"),
        ("information_schema.tables", "information_schema.tables"),
        ("datafusion.public.orders", "datafusion.public.orders"),
        ("public.orders", "public.orders"),
        ("read_csv('/etc/passwd')", "read_csv"),
        ("read_parquet('s3://other/x.parquet')", "read_parquet"),
        ("generate_series(1, 1000000000000)", "generate_series"),
    ] {
        let text = format!("SELECT customer_id FROM {from}");
        let expected = format!("there is no source {name}; {SOURCES}");
        check(&text, "query_unknown_source", &expected).await;
        let inside = format!("SELECT customer_id FROM orders WHERE total IN (SELECT x FROM {from})");
        check(&inside, "query_unknown_source", &expected).await;
        let part = format!("WITH part AS (SELECT * FROM {from}) SELECT customer_id FROM orders, part");
        check(&part, "query_unknown_source", &expected).await;
    }
    for text in [
        "SELECT * FROM LATERAL read_csv('/etc/passwd')",
        "SELECT * FROM TABLE(read_csv('/etc/passwd'))",
        "SELECT * INTO stolen FROM orders",
        "WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone",
        "SELECT read_text('/etc/passwd') AS customer_id FROM orders",
        "SELECT @@version AS customer_id FROM orders",
        "SELECT $1 AS customer_id FROM orders",
    ] {
        let error = lake().await.evaluate(text, "customer_id", &[]).await.expect_err(text);
        assert!(
            matches!(error.code(), "query_not_plannable" | "query_syntax" | "query_unknown_source"),
            "{text}: {} {error}",
            error.code()
        );
    }
}

#[tokio::test]
async fn values_of_rows_are_not_quoted() {
    check_with(
        "SELECT customer_id, CAST(note AS DOUBLE) AS note FROM orders",
        "note",
        "query_bad_value",
        "while evaluating the query, a value could not be converted to a number (DOUBLE); TRY_CAST returns NULL for such values, or exclude them with WHERE first",
    )
    .await;
    check_with(
        "SELECT customer_id, 10 / points AS share FROM profiles",
        "share",
        "query_bad_value",
        "while evaluating the query, a number was divided by zero; NULLIF(divisor, 0) returns NULL instead",
    )
    .await;
    for expression in [
        "CAST(note AS TIMESTAMP)",
        "CAST(note AS DATE)",
        "CAST(note AS BOOLEAN)",
        "CAST(note AS DECIMAL(5, 2))",
        "CAST(note AS INTERVAL)",
        "to_timestamp(note)",
        "to_date(note)",
        "date_trunc(note, now())",
        "date_part(note, now())",
        "regexp_replace(total, note || '[', '')",
        "repeat(note, -9223372036854775807)",
        "arrow_cast(note, 'Int8')",
        "arrow_cast(note, 'Time64(Nanosecond)')",
        "chr(CAST(length(note) AS BIGINT) * 100000000)",
        "to_char(now(), note)",
    ] {
        let text = format!("SELECT customer_id, {expression} AS value FROM orders WHERE note IS NOT NULL");
        if let Err(error) = lake().await.evaluate(&text, "customer_id", &["value"]).await {
            assert!(!error.to_string().contains("anna"), "{expression}: {error}");
            assert!(!matches!(error, QueryError::Internal { .. }), "{expression}: {error}");
        }
    }
}
