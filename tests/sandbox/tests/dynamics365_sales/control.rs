//! The control over HTTP, and the end of the server.

use crate::client::{Fixture, send};
use sandbox::dynamics365_sales::{Guid, Options, Sandbox};
use serde_json::{Value, json};

#[tokio::test]
async fn everything_over_http() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let url = sandbox.base_url();
    let control = async |method: &str, path: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let reply = send(&url, method, &format!("/_sandbox/{path}"), &[], &body).await.unwrap();
        assert!(matches!(reply.status, 200 | 201), "{method} {path}: {reply:?}");
        reply.json()
    };
    let application = json!({ "client_secret": "s", "user": { "with_privileges": ["prvReadList"] } });
    let application = control("POST", "applications", application).await;
    let client = application["client_id"].as_str().unwrap();
    assert!(application["tenant_id"].is_string() && application["user_id"].is_string());
    for change in [
        json!({ "user": "missing" }),
        json!({ "user": "with_least_privileges" }),
        json!({ "state": "disabled" }),
        json!("tokens_expire"),
        json!("secret_expires"),
    ] {
        control("POST", &format!("applications/{client}/changes"), change).await;
    }
    let ids = control("POST", "contacts/numbered", json!({ "count": 3 })).await;
    assert_eq!(ids[2], json!(Guid::numbered(2)));
    let new = Guid::random();
    control(
        "POST",
        "contacts",
        json!([{ "contact_id": new, "state": "inactive", "email": "a@example.com" }]),
    )
    .await;
    assert_eq!(control("GET", "contacts", Value::Null).await, json!({ "contacts": 4 }));
    control("POST", &format!("contacts/{new}/changes"), json!("delete")).await;
    control("POST", &format!("contacts/{}/poison", ids[0].as_str().unwrap()), json!({ "error": "plug_in" }))
        .await;
    control("DELETE", "poisons", Value::Null).await;
    let list =
        control("POST", "lists", json!({ "name": "People" })).await["list_id"].as_str().unwrap().to_owned();
    control("POST", &format!("lists/{list}/members"), json!([ids[0], ids[1]])).await;
    control("POST", &format!("lists/{list}/changes"), json!({ "change": "lock" })).await;
    control("POST", &format!("lists/{list}/changes"), json!({ "change": "delete", "after_calls": 2 })).await;
    let members = control("GET", &format!("lists/{list}/members"), Value::Null).await;
    assert_eq!((members.as_array().unwrap().len(), &members[0]["origin"]), (2, &json!("seeded")));
    let view = json!({
        "list_id": list, "name": "People", "member_type": "contact", "kind": "static", "is_locked": true,
        "is_active": true, "members": 2, "members_by_api": 0,
    });
    assert_eq!(control("GET", &format!("lists/{list}"), Value::Null).await, view);
    assert_eq!(control("GET", "lists", Value::Null).await, json!([view]));
    let throttle = json!({ "matches": "any", "limit": "concurrent", "retry_after_seconds": 7, "times": 1 });
    control("POST", "throttles", throttle).await;
    let fault = json!({ "matches": "add_list_members", "kind": { "status": 503 }, "times": 2 });
    assert_eq!(control("POST", "faults", fault).await[0]["times"], 2);
    control("DELETE", "faults", Value::Null).await;
    assert_eq!(control("GET", "faults", Value::Null).await, json!([]));
    control("PUT", "pace", json!({ "execution": { "write_ms": 1 } })).await;
    send(&url, "GET", "/api/data/v9.2/WhoAmI", &[], "").await.unwrap();
    let report = control("DELETE", "report", Value::Null).await;
    assert_eq!(report["calls"]["who_am_i"], json!({ "calls": 1, "by_status": { "401": 1 }, "by_code": {} }));
    assert_eq!(control("GET", "report", Value::Null).await["calls"], json!({}));
}

#[tokio::test]
async fn control_calls_that_cannot_be_done() {
    let fixture = Fixture::new().await;
    let contact = Guid::numbered(0);
    for (method, path, body, status) in [
        ("GET", "nothing".to_owned(), json!(null), 404),
        ("GET", format!("lists/{contact}"), json!(null), 404),
        ("POST", format!("lists/{contact}/members"), json!([]), 404),
        ("POST", "lists/{list}/members".to_owned(), json!([Guid::random()]), 404),
        ("POST", "lists/{list}/changes".to_owned(), json!({ "change": "burn" }), 400),
        ("POST", "lists".to_owned(), json!({ "list_id": fixture.list }), 409),
        ("POST", "applications".to_owned(), json!({ "client_id": fixture.application.client_id }), 409),
        ("POST", format!("applications/{contact}/changes"), json!("tokens_expire"), 404),
        ("POST", format!("contacts/{}/changes", Guid::random()), json!("delete"), 404),
        ("POST", "faults".to_owned(), json!({ "matches": "ad", "kind": "bad_json" }), 400),
    ] {
        let reply = fixture.control(method, &path, body).await;
        assert_eq!((reply.status, reply.json()["error"].is_string()), (status, true), "{method} {path}");
    }
}

#[tokio::test]
async fn a_stopped_sandbox_answers_nobody() {
    let fixture = Fixture::new().await;
    let url = fixture.sandbox.base_url();
    fixture.sandbox.stop().await;
    assert!(send(&url, "GET", "/_sandbox/report", &[], "").await.is_err());
}

#[test]
fn options_are_read_from_json() {
    let options: Options = serde_json::from_str(
        r#"{ "time_scale": 20.0, "missing_actions": ["remove_list_members_list"], "protection": null,
             "execution": { "add_base_ms": 200 }, "removed_strangers": "ignored" }"#,
    )
    .unwrap();
    assert!(options.protection.is_none() && options.missing_actions.len() == 1);
    assert!(serde_json::from_str::<Options>(r#"{ "timescale": 1 }"#).is_err());
}
