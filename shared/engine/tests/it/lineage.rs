//! Column lineage: the columns that decide membership and the exported columns, without omissions.

use crate::lake::Lake;
use relay_engine::{SegmentQuery, columns_read};
use serde_json::{Value, json};

async fn lake() -> Lake {
    Lake::new()
        .csv("people", "id,email,city,income,born,phone\n1,a@example.com,Wien,10,2000-01-01,+43\n")
        .await
        .csv("orders", "order_id,customer,total,note\n1,1,10,x\n")
        .await
        .json("consents", "{\"person\":\"1\",\"channel\":\"mail\",\"given\":true,\"tags\":[\"a\",\"b\"]}\n")
        .await
        .csv("former", "id,email,city\n2,b@example.com,Graz\n")
        .await
}

async fn read(text: &str, attributes: &[&str]) -> Value {
    let query = SegmentQuery {
        text: text.to_owned(),
        member_key: "id".to_owned(),
        attributes: attributes.iter().map(|name| (*name).to_owned()).collect(),
    };
    let read = columns_read(&lake().await.engine(), &query).await;
    assert!(read.is_ok(), "{text}: {read:?}");
    serde_json::to_value(read.unwrap()).unwrap()
}

/// Checks the lineage of a query for `email` and `city`.
async fn check(text: &str, expected: Value) {
    assert_eq!(read(text, &["email", "city"]).await, expected, "{text}");
}

#[tokio::test]
async fn only_what_the_export_depends_on_is_used() {
    check("SELECT * FROM people", json!({ "people": { "id": [], "email": ["email"], "city": ["city"] } }))
        .await;
    check(
        "SELECT id, email, city, income || '0' AS tenfold FROM (SELECT * FROM people)",
        json!({ "people": { "id": [], "email": ["email"], "city": ["city"] } }),
    )
    .await;
    check(
        "SELECT id, phone AS email, upper(city) || born AS city FROM people",
        json!({ "people": { "id": [], "phone": ["email"], "city": ["city"], "born": ["city"] } }),
    )
    .await;
    assert_eq!(read("SELECT * FROM people", &[]).await, json!({ "people": { "id": [] } }));
    assert_eq!(
        read("SELECT *, email AS mail FROM people", &["email", "mail"]).await,
        json!({ "people": { "id": [], "email": ["email", "mail"] } })
    );
}

#[tokio::test]
async fn what_decides_is_used_too() {
    let people = |more: Value| {
        let mut columns = json!({ "id": [], "email": ["email"], "city": ["city"] });
        for (name, attributes) in more.as_object().unwrap() {
            columns[name] = attributes.clone();
        }
        json!({ "people": columns })
    };
    check("SELECT * FROM people WHERE CAST(income AS INT) > 5", people(json!({ "income": [] }))).await;
    check("SELECT * FROM people WHERE phone IS NOT NULL OR born > '2'", {
        people(json!({ "phone": [], "born": [] }))
    })
    .await;
    check("SELECT * FROM people ORDER BY income DESC LIMIT 10", people(json!({ "income": [] }))).await;
    check("SELECT DISTINCT id, email, city, born FROM people", people(json!({ "born": [] }))).await;
    check(
        "SELECT id, MAX(email) AS email, city FROM people GROUP BY id, city, born HAVING MIN(phone) > ''",
        people(json!({ "born": [], "phone": [] })),
    )
    .await;
    check(
        "SELECT id, email, city FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY city ORDER BY born) AS n FROM people) \
         WHERE n = 1",
        people(json!({ "born": [] })),
    )
    .await;
    // A window function without dependents is not computed.
    check("SELECT id, email, city, ROW_NUMBER() OVER (ORDER BY born) AS n FROM people", people(json!({})))
        .await;
    check(
        "SELECT id, email, CAST(ROW_NUMBER() OVER (ORDER BY born) AS VARCHAR) AS city FROM people",
        json!({ "people": { "id": [], "email": ["email"], "born": ["city"] } }),
    )
    .await;
    check(
        "SELECT id, email, CASE WHEN income > '5' THEN 'rich' ELSE 'poor' END AS city FROM people",
        json!({ "people": { "id": [], "email": ["email"], "income": ["city"] } }),
    )
    .await;
}

#[tokio::test]
async fn what_is_used_does_not_depend_on_the_clock() {
    let expected = json!({ "people": { "id": [], "email": ["email"], "phone": ["city"] } });
    check(
        "SELECT id, email, CASE WHEN now() < TIMESTAMP '2000-01-01' THEN phone ELSE '' END AS city FROM people",
        expected.clone(),
    )
    .await;
    check(
        "SELECT id, email, CASE WHEN now() > TIMESTAMP '2000-01-01' THEN '' ELSE phone END AS city FROM people",
        expected,
    )
    .await;
    check(
        "SELECT * FROM people WHERE now() < TIMESTAMP '2000-01-01' AND phone = '1'",
        json!({ "people": { "id": [], "email": ["email"], "city": ["city"], "phone": [] } }),
    )
    .await;
}

#[tokio::test]
async fn joined_sources_are_followed() {
    check(
        "SELECT p.id, p.email, o.note AS city FROM people p JOIN orders o ON o.customer = p.id AND o.total > '1'",
        json!({
            "people": { "id": [], "email": ["email"] },
            "orders": { "customer": [], "total": [], "note": ["city"] },
        }),
    )
    .await;
    check(
        "SELECT p.* FROM people p LEFT JOIN former f USING (id) WHERE f.city IS NULL",
        json!({
            "people": { "id": [], "email": ["email"], "city": ["city"] },
            "former": { "id": [], "city": [] },
        }),
    )
    .await;
    check(
        "WITH spent AS (SELECT customer, SUM(CAST(total AS DOUBLE)) AS spent, MAX(note) AS note FROM orders GROUP BY \
         customer) SELECT p.id, p.email, CAST(spent AS VARCHAR) AS city FROM spent, people p WHERE p.id = customer",
        json!({
            "people": { "id": [], "email": ["email"] },
            "orders": { "customer": [], "total": ["city"] },
        }),
    )
    .await;
    // One source is used twice.
    check(
        "SELECT a.id, a.email, b.city FROM people a JOIN people b ON a.id = b.phone",
        json!({ "people": { "id": [], "email": ["email"], "city": ["city"], "phone": [] } }),
    )
    .await;
}

#[tokio::test]
async fn unions_and_what_is_taken_away_are_followed() {
    check(
        "SELECT id, email, city FROM people UNION ALL SELECT id, email, 'x' FROM former",
        json!({
            "people": { "id": [], "email": ["email"], "city": ["city"] },
            "former": { "id": [], "email": ["email"] },
        }),
    )
    .await;
    check(
        "SELECT id, email, city FROM people UNION SELECT customer, total, note FROM orders",
        json!({
            "people": { "id": [], "email": ["email"], "city": ["city"] },
            "orders": { "customer": [], "total": ["email"], "note": ["city"] },
        }),
    )
    .await;
    check(
        "SELECT id, email, city FROM people EXCEPT SELECT customer, total, note FROM orders",
        json!({
            "people": { "id": [], "email": ["email"], "city": ["city"] },
            "orders": { "customer": [], "total": [], "note": [] },
        }),
    )
    .await;
    check(
        "SELECT id, email, city FROM people INTERSECT SELECT id, email, city FROM former",
        json!({
            "people": { "id": [], "email": ["email"], "city": ["city"] },
            "former": { "id": [], "email": [], "city": [] },
        }),
    )
    .await;
}

#[tokio::test]
async fn subqueries_are_followed() {
    let people = json!({ "id": [], "email": ["email"], "city": ["city"] });
    check(
        "SELECT * FROM people WHERE id IN (SELECT person FROM consents WHERE given)",
        json!({ "people": people, "consents": { "person": [], "given": [] } }),
    )
    .await;
    check(
        "SELECT * FROM people p WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer = p.phone AND o.note = 'x')",
        json!({
            "people": { "id": [], "email": ["email"], "city": ["city"], "phone": [] },
            "orders": { "customer": [], "note": [] },
        }),
    )
    .await;
    check(
        "SELECT * FROM people p WHERE city = 'Wien' OR id IN (SELECT customer FROM orders)",
        json!({ "people": people, "orders": { "customer": [] } }),
    )
    .await;
    check(
        "SELECT id, email, (SELECT MAX(note) FROM orders WHERE total > '5') AS city FROM people",
        json!({
            "people": { "id": [], "email": ["email"] },
            "orders": { "note": ["city"], "total": ["city"] },
        }),
    )
    .await;
    // The values come from the note; the customer and the id decide which note.
    let found = read(
        "SELECT id, email, (SELECT MAX(note) FROM orders o WHERE o.customer = p.id) AS city FROM people p",
        &["email", "city"],
    )
    .await;
    assert_eq!(found["orders"]["note"], json!(["city"]), "{found}");
    assert!(found["orders"]["customer"].is_array() && found["orders"].get("total").is_none(), "{found}");
    // A row count uses no column.
    check(
        "SELECT *, 1 AS one FROM people WHERE (SELECT COUNT(*) FROM orders) > 3",
        json!({ "people": people, "orders": {} }),
    )
    .await;
}

#[tokio::test]
async fn what_is_not_understood_is_taken_to_use_everything() {
    let found =
        read("SELECT person AS id, unnest(tags) AS email, channel AS city FROM consents", &["email"]).await;
    assert!(found["consents"]["tags"].as_array().unwrap().contains(&json!("email")), "{found}");
    let found = read(
        "SELECT id, email, city FROM people GROUP BY GROUPING SETS ((id, email, city), (id, email))",
        &["email", "city"],
    )
    .await;
    for column in ["email", "city"] {
        assert!(found["people"][column].as_array().unwrap().contains(&json!(column)), "{found}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_as_ever() {
    let query = SegmentQuery {
        text: "SELECT id FROM people".to_owned(),
        member_key: "id".to_owned(),
        attributes: vec!["email".to_owned()],
    };
    let error = columns_read(&lake().await.engine(), &query).await.unwrap_err();
    assert_eq!(error.code(), "query_attribute_missing", "{error}");
}
