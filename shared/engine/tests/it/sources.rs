//! `relay_model` finds the sources of a query without the query engine. Both must return the same sources.

use datafusion::sql::parser::Statement;
use datafusion::sql::resolve::resolve_table_references;
use relay_model::query::{parse, sources, sources_of};
use std::collections::BTreeSet;

#[track_caller]
fn check(text: &str) {
    let statement = parse(text).unwrap();
    let found = sources(&statement);
    let (tables, _) = resolve_table_references(&Statement::Statement(Box::new(statement)), false).unwrap();
    let expected: BTreeSet<String> = tables.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected, "{text}");
    assert_eq!(sources_of(text), Ok(expected), "{text}");
}

#[test]
fn the_library_and_the_engine_name_the_same_sources() {
    for text in [
        "SELECT 1",
        "SELECT a FROM t",
        "SELECT a FROM T, t, \"T\", \"t\", \"a b\", `q`",
        "SELECT a FROM s.t, c.s.t, \"s.t\", 's3://lake/x.csv', information_schema.tables",
        "SELECT a FROM read_csv('x'), generate_series(1, 2), LATERAL read_csv('y'), TABLE(f(1)), UNNEST([1])",
        "SELECT a FROM t JOIN u USING (a) LEFT JOIN (v NATURAL JOIN w) ON true CROSS JOIN x, LATERAL (SELECT 1 FROM y)",
        "SELECT (SELECT max(a) FROM t) FROM u WHERE a IN (SELECT b FROM v) AND EXISTS (SELECT 1 FROM w) ORDER BY (SELECT 1 FROM x)",
        "SELECT CASE WHEN a IN (SELECT b FROM t) THEN (SELECT 1 FROM u) ELSE 2 END FROM v GROUP BY a HAVING max(a) > (SELECT 1 FROM w)",
        "SELECT a FROM t UNION SELECT a FROM u EXCEPT (SELECT a FROM v INTERSECT SELECT a FROM w) LIMIT (SELECT 1 FROM x)",
        "SELECT EXTRACT(YEAR FROM a), TRIM(BOTH ' ' FROM b), SUBSTRING(c FROM 2) FROM t WHERE a IS DISTINCT FROM u",
        "SELECT * INTO stolen FROM t",
        "WITH n AS (SELECT 1 FROM t) SELECT * FROM n",
        "WITH n AS (SELECT 1 FROM n) SELECT * FROM n",
        "WITH n AS (SELECT 1 FROM m), m AS (SELECT 1 FROM n, t) SELECT * FROM n, m",
        "WITH n AS (SELECT 1 FROM t), n AS (SELECT 1 FROM n, u) SELECT * FROM n",
        "WITH RECURSIVE n AS (SELECT 1 UNION ALL SELECT 1 FROM n, m, t), m AS (SELECT 1 FROM n) SELECT * FROM m",
        "WITH n AS (WITH m AS (SELECT 1 FROM n) SELECT * FROM m) SELECT * FROM n, m",
        "WITH n AS (WITH n AS (SELECT 1 FROM n, t) SELECT * FROM n) SELECT * FROM n",
        "WITH n AS (WITH RECURSIVE m AS (SELECT 1 FROM n, m) SELECT * FROM m), m AS (SELECT 1) SELECT * FROM m",
        "WITH n AS (SELECT (SELECT 1 FROM m) FROM t WHERE a IN (SELECT 1 FROM n)), m AS (SELECT 1 FROM n) SELECT * FROM m",
        "WITH n AS (SELECT 1), m AS (SELECT 1 FROM (WITH o AS (SELECT 1 FROM n) SELECT * FROM o) x, o) SELECT * FROM m, o",
        "WITH n AS (SELECT 1) SELECT * FROM (SELECT * FROM (SELECT * FROM n, t) x) y, s.n, N, \"N\"",
        "(WITH n AS (SELECT 1) SELECT * FROM n) UNION (SELECT * FROM n)",
        "SELECT * FROM (WITH n AS (SELECT 1 FROM t) SELECT * FROM n) x JOIN n ON true",
        "WITH n AS (SELECT 1 FROM t) (WITH m AS (SELECT 1 FROM n) SELECT * FROM m, n, o)",
        "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
        "WITH n AS (VALUES (1)) SELECT * FROM n, t TABLESAMPLE BERNOULLI (10)",
        "SELECT * FROM t PIVOT (sum(a) FOR b IN (SELECT c FROM u))",
    ] {
        check(text);
    }
}
