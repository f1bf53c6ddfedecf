//! The contents of unused columns do not change a snapshot, so no used column is missed.

use crate::lake::Lake;
use relay_engine::{SegmentQuery, columns_read};

/// A source: its name, its columns, its rows.
type Table = (&'static str, &'static [&'static str], &'static [&'static [&'static str]]);

/// Sources with rows that meet, miss and repeat each other.
const TABLES: [Table; 3] = [
    (
        "people",
        &["id", "email", "city", "income", "born", "phone"],
        &[
            &["1", "a@example.com", "Wien", "10", "2000", "3"],
            &["2", "b@example.com", "Graz", "20", "1990", "1"],
            &["3", "c@example.com", "Wien", "30", "1980", "9"],
            &["4", "d@example.com", "Linz", "5", "2000", "4"],
        ],
    ),
    (
        "orders",
        &["order_id", "customer", "total", "note"],
        &[&["1", "1", "10", "x"], &["2", "1", "7", "y"], &["3", "3", "2", "x"], &["4", "8", "1", "z"]],
    ),
    (
        "former",
        &["id", "email", "city"],
        &[&["1", "a@example.com", "Wien"], &["4", "d@example.com", "Graz"], &["9", "e@example.com", "Linz"]],
    ),
];

/// Returns the lake with other values in the columns that match `is_other`.
async fn lake_with(is_other: impl Fn(&str, &str) -> bool) -> Lake {
    let mut lake = Lake::new();
    for (name, columns, rows) in TABLES {
        let mut text = columns.join(",");
        for (number, row) in (0..).zip(rows) {
            let cells = row.iter().zip(columns).map(|(value, column)| {
                if is_other(name, column) { format!("other{}", number % 2) } else { (*value).to_owned() }
            });
            text.push('\n');
            text.push_str(&cells.collect::<Vec<_>>().join(","));
        }
        lake = lake.csv(name, &text).await;
    }
    lake
}

#[tokio::test]
async fn what_is_not_used_changes_nothing() {
    let queries = [
        "SELECT * FROM people",
        "SELECT id, email, city FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY city ORDER BY born) AS n FROM people) \
         WHERE n = 1",
        "SELECT id, email, RANK() OVER (ORDER BY born) || '' AS city FROM people",
        "SELECT p.id, p.email, o.note AS city FROM people p LEFT JOIN orders o ON o.customer = p.id",
        "SELECT p.id, f.email, p.city FROM people p FULL JOIN former f ON f.id = p.id AND f.city = p.city",
        "SELECT id, email, city FROM people NATURAL JOIN former",
        "SELECT id, email, city FROM people UNION SELECT id, email, city FROM former",
        "SELECT id, email, city FROM people UNION ALL SELECT customer, note, total FROM orders",
        "SELECT id, email, city FROM people EXCEPT SELECT id, email, city FROM former",
        "SELECT id, email, city FROM people INTERSECT SELECT id, email, city FROM former",
        "SELECT id, MIN(email) AS email, COUNT(DISTINCT born) || '' AS city FROM people GROUP BY id",
        "SELECT MIN(id) AS id, city AS email, COUNT(*) || '' AS city FROM people GROUP BY city, born HAVING MAX(phone) > '2'",
        "SELECT DISTINCT ON (city) id, email, city FROM people ORDER BY city, born DESC",
        "SELECT * FROM people WHERE id IN (SELECT customer FROM orders WHERE total > '2')",
        "SELECT * FROM people WHERE id NOT IN (SELECT customer FROM orders WHERE note = 'z')",
        "SELECT * FROM people p WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer = p.phone)",
        "SELECT * FROM people p WHERE born = '2000' OR EXISTS (SELECT 1 FROM orders o WHERE o.customer = p.id)",
        "SELECT id, email, (SELECT COUNT(*) FROM orders o WHERE o.customer = p.id) || '' AS city FROM people p",
        "SELECT id, email, (SELECT MAX(total) FROM orders) AS city FROM people",
        "SELECT * FROM people ORDER BY income DESC LIMIT 2",
        "SELECT * FROM (SELECT * FROM people ORDER BY born, id OFFSET 1) WHERE (SELECT COUNT(*) FROM former) > 2",
        "WITH a AS (SELECT id, email, city, born FROM people), b AS (SELECT a.* FROM a JOIN former f USING (id)) \
         SELECT b.id, b.email, a.city FROM a, b WHERE a.born = b.born",
        "SELECT a.id, b.email, a.city FROM people a JOIN people b ON a.phone = b.id",
        "SELECT id, email, CASE WHEN income > '2' AND phone <> '4' THEN city ELSE born END AS city FROM people",
        "SELECT id, email, city FROM people GROUP BY GROUPING SETS ((id, email, city), (id))",
        "SELECT id, email, COALESCE(NULLIF(city, 'Wien'), phone) AS city FROM people WHERE email LIKE '%@%'",
        "SELECT v.id, p.email, v.city FROM (VALUES ('1', 'Rom'), ('2', 'Bari')) AS v(id, city) JOIN people p ON p.id = v.id",
    ];
    let original = lake_with(|_, _| false).await;
    let mut spared = 0;
    for text in queries {
        let attributes = ["email", "city"];
        let query = SegmentQuery {
            text: text.to_owned(),
            member_key: "id".to_owned(),
            attributes: attributes.map(str::to_owned).to_vec(),
        };
        let read = columns_read(&original.engine(), &query).await;
        assert!(read.is_ok(), "{text}: {read:?}");
        let read = read.unwrap();
        let is_used =
            |source: &str, column: &str| read.columns().any(|(one, name, _)| (one, name) == (source, column));
        let all =
            TABLES.iter().flat_map(|(name, columns, _)| columns.iter().map(move |column| (name, column)));
        spared += all.filter(|(source, column)| !is_used(source, column)).count();
        let before = original.evaluate(text, "id", &attributes).await.unwrap();
        let other = lake_with(|source, column| !is_used(source, column)).await;
        let after = other.evaluate(text, "id", &attributes).await.unwrap();
        assert_eq!(before.rows, after.rows, "{text}: {read:?}");
        assert!(!before.rows.is_empty(), "{text} has members");
    }
    assert!(spared > 150, "only {spared} columns are not used");
}
