//! The control over HTTP: the same as in process.

use crate::client::{Fixture, Sent, send};
use sandbox::marketo::{Options, Report};
use serde_json::{Value, json};

#[tokio::test]
async fn everything_from_another_process() {
    let fixture = Fixture::with(Options { logged_requests: 10, ..Options::default() }).await;
    let expire = format!("/services/{}/expire", fixture.credentials.client_id);
    let control = |method, path, body| fixture.control(method, path, body);
    let service =
        json!({ "client_id": "id", "client_secret": "secret", "permissions": ["read_only_person"] });
    let made = control("POST", "/services", service).await;
    assert_eq!((made.status, made.json()), (201, json!({ "client_id": "id", "client_secret": "secret" })));
    let field =
        json!({ "name": "crmKey", "display_name": "CRM key", "data_type": "string", "is_searchable": true });
    assert_eq!(control("POST", "/fields", field).await.status, 200);
    assert_eq!(control("POST", "/partitions", json!({ "name": "Europe" })).await.status, 200);
    let folder = control("POST", "/folders", json!({ "name": "Ours", "parent": 12 })).await.json();
    let list = json!({ "name": "Second", "folder": folder["folder_id"] });
    assert_eq!(control("POST", "/lists", list).await.json(), json!({ "list_id": 1002 }));
    let seeds = json!([
        { "fields": { "email": "a@example.com", "crmKey": "k1", "leadScore": 7 }, "partition": "Europe", "lists": [1002] },
        { "fields": { "email": "b@example.com" } },
    ]);
    assert_eq!(control("POST", "/leads", seeds).await.json(), json!([1, 2]));
    let shown = control("GET", "/leads?field=crmKey&value=K1", Value::Null).await.json();
    assert_eq!(
        shown,
        json!([{ "id": 1, "partition": "Europe", "fields": { "email": "a@example.com", "crmKey": "k1", "leadScore": 7 } }])
    );
    assert_eq!(control("GET", "/leads?after=1&most=5", Value::Null).await.json()[0]["id"], 2);
    assert_eq!(control("POST", "/lists/1002/members", json!([2])).await.status, 200);
    assert_eq!(control("GET", "/lists/1002/members?most=1", Value::Null).await.json(), json!([1]));
    assert_eq!(
        control("GET", "/lists/1002/emails", Value::Null).await.json(),
        json!(["a@example.com", "b@example.com"])
    );
    assert_eq!(control("DELETE", "/lists/1002/members", json!([1])).await.status, 200);
    assert_eq!(control("GET", "/lists", Value::Null).await.json()[1]["members"], 1);
    assert_eq!(control("DELETE", "/leads/2", Value::Null).await.status, 200);
    assert_eq!(control("GET", "/lead-count", Value::Null).await.json(), json!({ "leads": 1 }));
    assert_eq!(control("PUT", "/pace", json!({ "latency_ms_of": { "lists": 1 } })).await.status, 200);
    assert_eq!(control("PUT", "/others", json!({ "rate_calls": 100 })).await.status, 200);
    assert_eq!(fixture.get("/rest/v1/lists.json").await.code(), 606);
    assert_eq!(control("PUT", "/others", json!({})).await.status, 200);
    let fault = json!({ "matches": "lists", "kind": { "status": 713 } });
    assert_eq!(control("POST", "/faults", fault).await.json()[0]["kind"], json!({ "status": 713 }));
    assert_eq!(fixture.get("/rest/v1/lists.json").await.code(), 713);
    assert_eq!(control("DELETE", "/faults", Value::Null).await.status, 200);
    assert_eq!(control("POST", "/quota", json!({ "calls": 50_000 })).await.status, 200);
    assert_eq!(fixture.get("/rest/v1/lists.json").await.code(), 607);
    assert_eq!(control("DELETE", "/quota", Value::Null).await.status, 200);
    assert_eq!(control("PUT", "/zero-lifetimes", json!({ "times": 1 })).await.status, 200);
    assert_eq!(control("POST", "/import-troubles", json!("never_ends")).await.status, 200);
    assert_eq!(control("GET", "/active-imports", Value::Null).await.json(), json!({ "imports": 0 }));
    assert_eq!(control("POST", &expire, Value::Null).await.status, 200);
    assert_eq!(fixture.get("/rest/v1/lists.json").await.code(), 602);
    assert_eq!(control("GET", "/requests", Value::Null).await.json().as_array().map(Vec::len), Some(4));
    let report: Report = serde_json::from_str(&control("DELETE", "/report", Value::Null).await.body).unwrap();
    assert_eq!((report.faults, report.throttled.len()), (1, 2));
    assert_eq!(fixture.sandbox.report().calls.len(), 0);
}

#[tokio::test]
async fn refusals() {
    let fixture = Fixture::new().await;
    for (method, path, body, expected) in [
        ("GET", "/nothing", "", 404),
        ("POST", "/services", "{", 400),
        ("POST", "/services", r#"{"more":1}"#, 400),
        ("GET", "/lists/7/members", "", 404),
        ("POST", "/lists/1001/members", "[7]", 404),
        ("DELETE", "/leads/7", "", 404),
        ("POST", "/services/nobody/expire", "", 404),
        ("POST", "/leads", r#"[{"partition":"None"}]"#, 404),
        ("GET", "/leads?field=none&value=1", "", 404),
    ] {
        let sent = Sent { headers: Vec::new(), body: body.as_bytes().to_vec() };
        let reply =
            send(&fixture.sandbox.base_url(), method, &format!("/_sandbox{path}"), &sent).await.unwrap();
        assert_eq!(reply.status, expected, "{method} {path}");
        assert!(reply.json()["error"].is_string());
    }
    assert!(fixture.sandbox.report().calls.is_empty(), "control is not counted");
}
