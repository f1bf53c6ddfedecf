//! The calls about one subscriber.

use crate::client::{Fixture, row};
use sandbox::campaign_monitor::{
    Change, DataType, NewField, SeedSubscriber, SubscriberState, UnsubscribeSetting,
};
use serde_json::{Value, json};

pub(crate) async fn check(
    fixture: &Fixture,
    method: &str,
    path: &str,
    body: Value,
    expected: (u16, u64),
) -> Value {
    let reply = fixture.call(method, path, body).await;
    assert_eq!(reply.status_and_code(), expected, "{method} {path}: {}", reply.body);
    serde_json::from_str(&reply.body).unwrap_or(Value::Null)
}

#[tokio::test]
async fn details() {
    let fixture = Fixture::new().await;
    let field = NewField { name: "Home City".to_owned(), data_type: DataType::Text, options: Vec::new() };
    fixture.sandbox.add_custom_field(&fixture.list, field).unwrap();
    let mut person = row("P+1@example.com");
    person["CustomFields"] = json!([{ "Key": "[homecity]", "Value": "Oslo" }]);
    fixture.import(vec![person], false).await;
    let path = "/subscribers/{list}.json?email=p%2B1%40EXAMPLE.com&includetrackingpreference=true";
    let details = check(&fixture, "GET", path, Value::Null, (200, 0)).await;
    assert_eq!(details["EmailAddress"], "P+1@example.com");
    assert_eq!(details["State"], "Active");
    assert_eq!(details["ConsentToTrack"], "Yes");
    assert_eq!(details["CustomFields"], json!([{ "Key": "Home City", "Value": "Oslo" }]));
    assert_eq!(details["Date"].as_str().unwrap().len(), "2010-10-25 10:28:00".len());
    let details =
        check(&fixture, "GET", "/subscribers/{list}.json?email=p%2B1%40example.com", Value::Null, (200, 0))
            .await;
    assert_eq!(details.get("ConsentToTrack"), None);
    // A plus that is not escaped is a space, and so no address.
    check(&fixture, "GET", "/subscribers/{list}.json?email=p+1%40example.com", Value::Null, (400, 1)).await;
    check(&fixture, "GET", "/subscribers/{list}.json?email=x%40example.com", Value::Null, (400, 203)).await;
    check(&fixture, "GET", "/subscribers/{list}.json", Value::Null, (400, 1)).await;
    let history = "/subscribers/{list}/history.json?email=p%2B1%40example.com";
    assert_eq!(check(&fixture, "GET", history, Value::Null, (200, 0)).await, json!([]));
}

#[tokio::test]
async fn deleting() {
    use SubscriberState::{Active, Bounced, Deleted, Unconfirmed, Unsubscribed};
    let fixture = Fixture::new().await;
    fixture.import(vec![row("own@example.com")], false).await;
    check(&fixture, "DELETE", "/subscribers/{list}.json?email=OWN%40example.com", Value::Null, (200, 0))
        .await;
    check(&fixture, "DELETE", "/subscribers/{list}.json?email=own%40example.com", Value::Null, (400, 203))
        .await;
    check(&fixture, "DELETE", "/subscribers/{list}.json?email=x%40example.com", Value::Null, (400, 203))
        .await;
    check(&fixture, "DELETE", "/subscribers/{list}.json?email=x", Value::Null, (400, 1)).await;
    let report = fixture.sandbox.report();
    assert_eq!((report.deletes, report.foreign_deletes, report.deletes_of_seeded), (1, 0, 0));
    for state in [Active, Unconfirmed, Unsubscribed, Bounced] {
        fixture.seed("seeded@example.com", state);
        check(
            &fixture,
            "DELETE",
            "/subscribers/{list}.json?email=seeded%40example.com",
            Value::Null,
            (200, 0),
        )
        .await;
        assert_eq!(fixture.state("seeded@example.com"), Some(Deleted), "{state:?}");
    }
    let report = fixture.sandbox.report();
    assert_eq!((report.deletes, report.foreign_deletes, report.deletes_of_seeded), (2, 3, 4));
    assert!(fixture.sandbox.suppression_list(&fixture.client.client_id).unwrap().is_empty());
}

#[tokio::test]
async fn unsubscribing_here_or_everywhere() {
    let mut fixture = Fixture::new().await;
    let one = fixture.list.clone();
    let all = fixture.other_list(false, UnsubscribeSetting::AllClientLists);
    let unsubscribe = "/subscribers/{list}/unsubscribe.json";
    let body = |email: &str| json!({ "EmailAddress": email });
    for list in [&one, &all] {
        for email in ["a@example.com", "b@example.com"] {
            let person = SeedSubscriber::new(email, SubscriberState::Active);
            fixture.sandbox.seed_subscriber(list, person).unwrap();
        }
    }
    let state = |fixture: &Fixture, list, email| {
        let person = fixture.sandbox.subscriber(list, email).unwrap();
        (person.state, person.suppressed)
    };
    check(&fixture, "POST", unsubscribe, body("A@example.com"), (200, 0)).await;
    assert_eq!(state(&fixture, &one, "a@example.com"), (SubscriberState::Unsubscribed, false));
    assert_eq!(state(&fixture, &all, "a@example.com"), (SubscriberState::Active, false));
    fixture.list = all.clone();
    check(&fixture, "POST", unsubscribe, body("b@example.com"), (200, 0)).await;
    assert_eq!(state(&fixture, &one, "b@example.com"), (SubscriberState::Unsubscribed, true));
    assert_eq!(state(&fixture, &all, "b@example.com"), (SubscriberState::Unsubscribed, true));
    check(&fixture, "POST", unsubscribe, body("b@example.com"), (400, 203)).await;
    check(&fixture, "POST", unsubscribe, body("x@example.com"), (400, 203)).await;
    check(&fixture, "POST", unsubscribe, body("x"), (400, 1)).await;
    let suppressed =
        check(&fixture, "GET", "/clients/{client}/suppressionlist.json", Value::Null, (200, 0)).await;
    assert_eq!(suppressed["TotalNumberOfRecords"], 1);
    let entry = &suppressed["Results"][0];
    assert_eq!(entry["EmailAddress"], "b@example.com");
    assert_eq!(
        (&entry["SuppressionReason"], &entry["State"]),
        (&json!("Unsubscribed"), &json!("Suppressed"))
    );
}

#[tokio::test]
async fn what_happens_behind_the_apis_back() {
    let fixture = Fixture::new().await;
    for (change, state, suppressed) in [
        (Change::Unsubscribe, SubscriberState::Unsubscribed, false),
        (Change::Bounce, SubscriberState::Bounced, false),
        (Change::Delete, SubscriberState::Deleted, false),
        (Change::Suppress, SubscriberState::Unsubscribed, true),
        (Change::Activate, SubscriberState::Active, false),
    ] {
        fixture.seed("p@example.com", SubscriberState::Active);
        fixture.sandbox.change_subscriber(&fixture.list, "P@example.com", change).unwrap();
        let person = fixture.sandbox.subscriber(&fixture.list, "p@example.com").unwrap();
        assert_eq!((person.state, person.suppressed), (state, suppressed), "{change:?}");
    }
}
