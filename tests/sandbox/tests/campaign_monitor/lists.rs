//! Clients, lists and custom fields.

use crate::client::{Fixture, basic, send};
use sandbox::campaign_monitor::{NewClient, SubscriberState};
use serde_json::{Value, json};

#[tokio::test]
async fn clients_and_their_lists() {
    let fixture = Fixture::new().await;
    let second = NewClient::new(fixture.account.account_id.clone(), "Second");
    let second = fixture.sandbox.create_client(second).unwrap();
    let acme = json!({ "ClientID": fixture.client.client_id, "Name": "Acme" });
    let both = json!([acme, { "ClientID": second.client_id, "Name": "Second" }]);
    assert_eq!(fixture.call("GET", "/clients.json", Value::Null).await.json(), both);
    let key = basic(&fixture.client.api_key);
    let own =
        send(&fixture.sandbox.base_url(), "GET", "/api/v3.3/clients.json", Some(&key), "").await.unwrap();
    assert_eq!(own.json(), json!([acme]));
    assert_eq!(
        fixture.call("GET", "/clients/{client}/lists.json", Value::Null).await.json(),
        json!([{ "ListID": fixture.list, "Name": "People" }])
    );
    let details = fixture.call("GET", "/clients/{client}.json", Value::Null).await.json();
    assert_eq!(details["ApiKey"], fixture.client.api_key.as_str());
    assert_eq!(details["BasicDetails"]["TimeZone"], "(GMT+10:00)");
}

#[tokio::test]
async fn paths_want_their_suffix() {
    let fixture = Fixture::new().await;
    let reply = fixture.call("GET", "/lists/{list}", Value::Null).await;
    assert_eq!((reply.status, reply.body.starts_with("<?xml")), (404, true));
    let reply = fixture.call("PATCH", "/lists/{list}.json", Value::Null).await;
    assert_eq!(reply.status_and_code(), (404, 404));
}

#[tokio::test]
async fn list_details_and_statistics() {
    let fixture = Fixture::new().await;
    assert_eq!(
        fixture.call("GET", "/lists/{list}.json", Value::Null).await.json(),
        json!({
            "ConfirmedOptIn": false,
            "Title": "People",
            "UnsubscribePage": "",
            "ListID": fixture.list,
            "ConfirmationSuccessPage": "",
            "UnsubscribeSetting": "OnlyThisList",
        })
    );
    fixture.seed("a@example.com", SubscriberState::Active);
    fixture.seed("b@example.com", SubscriberState::Active);
    fixture.seed("c@example.com", SubscriberState::Bounced);
    let stats = fixture.call("GET", "/lists/{list}/stats.json", Value::Null).await.json();
    for (name, expected) in [
        ("TotalActiveSubscribers", 2),
        ("NewActiveSubscribersThisYear", 2),
        ("NewActiveSubscribersYesterday", 0),
        ("TotalBounces", 1),
        ("TotalDeleted", 0),
        ("TotalUnsubscribes", 0),
    ] {
        assert_eq!(stats[name], expected, "{name}");
    }
}

#[tokio::test]
async fn creating_a_list() {
    let fixture = Fixture::new().await;
    let check = async |body: Value, expected: (u16, u64)| {
        let reply = fixture.call("POST", "/lists/{client}.json", body.clone()).await;
        assert_eq!(reply.status_and_code(), expected, "{body}");
        reply
    };
    check(json!({ "Title": "" }), (400, 251)).await;
    check(json!({}), (400, 251)).await;
    check(json!({ "Title": "People" }), (400, 250)).await;
    check(json!({ "Title": "New", "UnsubscribeSetting": "Nowhere" }), (400, 261)).await;
    check(json!([]), (400, 400)).await;
    let body = json!({ "Title": "New", "UnsubscribeSetting": "OnlyThisList", "ConfirmedOptIn": true });
    let id = check(body, (201, 0)).await.json();
    let id = id.as_str().expect("a bare string");
    let details = fixture.call("GET", &format!("/lists/{id}.json"), Value::Null).await.json();
    assert_eq!((&details["Title"], &details["ConfirmedOptIn"]), (&json!("New"), &json!(true)));
    let reply = fixture.call("POST", "/lists/0123456789abcdef.json", json!({ "Title": "x" })).await;
    assert_eq!(reply.status_and_code(), (401, 102));
}

#[tokio::test]
async fn creating_custom_fields() {
    let fixture = Fixture::new().await;
    let check = async |body: Value, status: u16, expected: Value| {
        let reply = fixture.call("POST", "/lists/{list}/customfields.json", body.clone()).await;
        let found = reply.json();
        assert_eq!((reply.status, found.get("Code").unwrap_or(&found)), (status, &expected), "{body}");
    };
    let field = |name: &str, data_type: &str| json!({ "FieldName": name, "DataType": data_type });
    check(field("Subscription Date", "Date"), 201, json!("[subscriptiondate]")).await;
    check(field("subscriptiondate", "Text"), 400, json!(255)).await;
    check(field("", "Text"), 400, json!(254)).await;
    check(field("   ", "Text"), 400, json!(254)).await;
    check(field("a[b]", "Text"), 400, json!(254)).await;
    check(field("x", "Money"), 400, json!(259)).await;
    check(json!({ "FieldName": "x" }), 400, json!(259)).await;
    check(field("x", "MultiSelectOne"), 400, json!(256)).await;
    let with_options =
        |data_type: &str| json!({ "FieldName": "x", "DataType": data_type, "Options": ["a", "b"] });
    check(with_options("Text"), 400, json!(257)).await;
    check(with_options("MultiSelectMany"), 201, json!("[x]")).await;
    assert_eq!(
        fixture.call("GET", "/lists/{list}/customfields.json", Value::Null).await.json(),
        json!([
            {
                "FieldName": "Subscription Date", "Key": "[subscriptiondate]", "DataType": "Date",
                "FieldOptions": [], "VisibleInPreferenceCenter": true,
            },
            {
                "FieldName": "x", "Key": "[x]", "DataType": "MultiSelectMany",
                "FieldOptions": ["a", "b"], "VisibleInPreferenceCenter": true,
            },
        ])
    );
}

#[tokio::test]
async fn changing_custom_fields() {
    let fixture = Fixture::new().await;
    for name in ["One", "Two"] {
        let body = json!({ "FieldName": name, "DataType": "Text" });
        fixture.call("POST", "/lists/{list}/customfields.json", body).await;
    }
    let check = async |method: &str, key: &str, body: Value, expected: (u16, u64)| {
        let path = format!("/lists/{{list}}/customfields/{key}.json");
        let reply = fixture.call(method, &path, body).await;
        assert_eq!(reply.status_and_code(), expected, "{method} {key}");
    };
    check("PUT", "one", json!({ "FieldName": "Uno" }), (400, 253)).await;
    check("PUT", "%5Bnone%5D", json!({ "FieldName": "Uno" }), (404, 404)).await;
    check("PUT", "%5Bone%5D", json!({ "FieldName": "Two" }), (400, 255)).await;
    check("PUT", "%5Bone%5D", json!({ "FieldName": "Uno" }), (200, 0)).await;
    check("DELETE", "%5Bone%5D", Value::Null, (404, 404)).await;
    check("DELETE", "%5Buno%5D", Value::Null, (200, 0)).await;
    check("PUT", "%5Btwo%5D/options", json!({ "Options": ["a"] }), (400, 257)).await;
    let fields = fixture.call("GET", "/lists/{list}/customfields.json", Value::Null).await.json();
    assert_eq!((fields.as_array().unwrap().len(), &fields[0]["Key"]), (1, &json!("[two]")));
}
