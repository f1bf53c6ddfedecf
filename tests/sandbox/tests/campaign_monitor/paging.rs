//! The pages of a list's members.

use crate::client::{Fixture, row};
use sandbox::campaign_monitor::SubscriberState;
use serde_json::{Value, json};

#[tokio::test]
async fn parameters_out_of_range() {
    let fixture = Fixture::new().await;
    for (query, expected) in [
        ("", (200, 0)),
        ("?page=0", (400, 800)),
        ("?page=-1", (400, 800)),
        ("?page=one", (400, 800)),
        ("?pagesize=9", (400, 801)),
        ("?pagesize=10", (200, 0)),
        ("?pagesize=1000", (200, 0)),
        ("?pagesize=1001", (400, 801)),
        ("?orderfield=state", (400, 802)),
        ("?orderfield=date", (200, 0)),
        ("?orderdirection=up", (400, 803)),
        ("?orderdirection=desc", (200, 0)),
        ("?date=yesterday", (400, 400)),
        ("?date=2020-01-31", (200, 0)),
    ] {
        for state in ["active", "unconfirmed", "unsubscribed", "bounced", "deleted"] {
            let reply =
                fixture.call("GET", &format!("/lists/{{list}}/{state}.json{query}"), Value::Null).await;
            assert_eq!(reply.status_and_code(), expected, "{state} {query}");
        }
    }
}

#[tokio::test]
async fn all_pages_together_are_the_list() {
    let fixture = Fixture::new().await;
    // In an order that is not that of the addresses.
    let addresses: Vec<String> =
        (0..25).map(|number| format!("p{:02}@example.com", number * 7 % 25)).collect();
    fixture.import(addresses.iter().map(|address| row(address)).collect(), false).await;
    fixture.seed("gone@example.com", SubscriberState::Deleted);
    let page = async |query: &str| {
        let path = format!("/lists/{{list}}/active.json?pagesize=10{query}");
        fixture.call("GET", &path, Value::Null).await.json()
    };
    let names = |page: &Value| {
        let rows = page["Results"].as_array().unwrap().clone();
        rows.into_iter().map(|row| row["EmailAddress"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut found = Vec::new();
    for number in 1..=3 {
        let page = page(&format!("&page={number}")).await;
        found.extend(names(&page));
        assert_eq!(page["NumberOfPages"], 3);
        assert_eq!(page["TotalNumberOfRecords"], 25);
        assert_eq!(page["RecordsOnThisPage"], if number == 3 { 5 } else { 10 });
        assert_eq!(page["PageNumber"], number);
    }
    let mut sorted = addresses.clone();
    sorted.sort();
    assert_eq!(found, sorted);
    assert_eq!(names(&page("&page=4").await), Vec::<String>::new());
    sorted.reverse();
    assert_eq!(names(&page("&orderdirection=desc").await), sorted[..10]);
    assert_eq!(page("&date=2999-01-01").await["TotalNumberOfRecords"], 0);
    let deleted = fixture.call("GET", "/lists/{list}/deleted.json", Value::Null).await.json();
    assert_eq!(names(&deleted), ["gone@example.com"]);
}

#[tokio::test]
async fn a_page_is_of_the_list_as_it_is_now() {
    let fixture = Fixture::new().await;
    fixture.import(vec![row("a@example.com"), row("b@example.com")], false).await;
    let total = async || {
        fixture.call("GET", "/lists/{list}/active.json", Value::Null).await.json()["TotalNumberOfRecords"]
            .clone()
    };
    assert_eq!(total().await, json!(2));
    fixture.call("DELETE", "/subscribers/{list}.json?email=a%40example.com", Value::Null).await;
    assert_eq!(total().await, json!(1));
}
