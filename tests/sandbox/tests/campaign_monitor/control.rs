//! The control of the sandbox over HTTP, and its end.

use crate::client::{Fixture, basic, row, send};
use sandbox::campaign_monitor::{Endpoint, Fault, Options, Sandbox};
use sandbox::faults::FaultKind;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

#[tokio::test]
async fn another_process_can_do_it_all() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let url = sandbox.base_url();
    let control = async |method: &str, path: &str, body: Value| {
        let path = format!("/_sandbox/{path}");
        let reply = send(&url, method, &path, None, &body.to_string()).await.unwrap();
        assert!(reply.status < 300, "{method} {path}: {reply:?}");
        reply.json()
    };
    let account = control("POST", "accounts", json!({ "api_key": "the-key" })).await;
    assert_eq!(account["api_key"], "the-key");
    let client = json!({ "account_id": account["account_id"], "name": "Acme" });
    let client = control("POST", "clients", client).await;
    let list = json!({ "client_id": client["client_id"], "title": "People" });
    let list = control("POST", "lists", list).await["list_id"].as_str().unwrap().to_owned();
    let field = json!({ "name": "City", "data_type": "Text" });
    assert_eq!(control("POST", &format!("lists/{list}/fields"), field).await, json!({ "key": "[city]" }));
    let seeds = json!([
        { "email": "a@example.com", "custom_fields": [{ "key": "[city]", "value": "Oslo" }] },
        { "email": "b@example.com", "state": "Bounced" },
    ]);
    control("POST", &format!("lists/{list}/subscribers"), seeds).await;
    let changes = json!([{ "email": "a@example.com", "change": "suppress" }]);
    control("POST", &format!("lists/{list}/changes"), changes).await;
    let people = control("GET", &format!("lists/{list}/subscribers"), Value::Null).await;
    assert_eq!(people.as_array().unwrap().len(), 2);
    let one = control("GET", &format!("lists/{list}/subscribers?email=A%40example.com"), Value::Null).await;
    assert_eq!(
        one,
        json!([{
            "email": "a@example.com", "name": "", "state": "Unsubscribed", "suppressed": true,
            "consent_to_track": "Yes", "mobile": null, "sms_consent": false, "origin": "seeded",
            "custom_fields": [{ "key": "[city]", "value": "Oslo" }],
        }])
    );
    let counts = control("GET", &format!("lists/{list}/counts"), Value::Null).await;
    assert_eq!(
        counts,
        json!({ "total": 2, "by_state": { "Unsubscribed": 1, "Bounced": 1 }, "suppressed": 1 })
    );
    let path = format!("clients/{}/suppressed", client["client_id"].as_str().unwrap());
    let suppressed = control("GET", &path, Value::Null).await;
    assert_eq!(suppressed, json!([{ "email": "a@example.com", "reason": "Manual" }]));
    let fault = json!({ "matches": "import", "kind": { "status": 503 }, "times": 2 });
    assert_eq!(control("POST", "faults", fault).await[0]["times"], 2);
    control("DELETE", "faults", Value::Null).await;
    assert_eq!(control("GET", "faults", Value::Null).await, json!([]));
    let tokens = json!({ "account_id": account["account_id"], "scopes": ["ManageLists"] });
    let tokens = control("POST", "tokens", tokens).await;
    control("POST", "tokens/expire", json!({ "access_token": tokens["access_token"] })).await;
    control("POST", "tokens/revoke", json!({ "access_token": tokens["access_token"] })).await;
    control("PUT", "pace", json!({ "latency_ms": 1 })).await;
    control("POST", "keys/revoke", json!({ "api_key": "the-key" })).await;
    let reply = send(&url, "GET", "/api/v3.3/clients.json", Some(&basic("the-key")), "").await.unwrap();
    assert_eq!(reply.status_and_code(), (401, 100));
    let report = control("DELETE", "report", Value::Null).await;
    assert_eq!(
        report["calls"]["clients"],
        json!({ "calls": 1, "by_status": { "401": 1 }, "by_code": { "100": 1 } })
    );
    assert_eq!(control("GET", "report", Value::Null).await["calls"], json!({}));
    control("DELETE", &format!("lists/{list}"), Value::Null).await;
    let reply = send(&url, "GET", &format!("/_sandbox/lists/{list}/counts"), None, "").await.unwrap();
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn control_calls_that_cannot_be_done() {
    let fixture = Fixture::new().await;
    for (method, path, body, status) in [
        ("GET", "/nothing", json!(null), 404),
        ("POST", "/lists/{list}/fields", json!({ "name": "x", "data_type": "Money" }), 400),
        ("POST", "/lists/{list}/fields", json!({ "name": "", "data_type": "Text" }), 409),
        ("POST", "/lists/{list}/changes", json!([{ "email": "x@example.com", "change": "bounce" }]), 404),
        ("POST", "/faults", json!({ "matches": "importt", "kind": "bad_json" }), 400),
        ("POST", "/clients", json!({ "account_id": "none", "name": "x" }), 404),
    ] {
        let reply = fixture.control(method, path, body).await;
        assert_eq!((reply.status, reply.json()["error"].is_string()), (status, true), "{method} {path}");
    }
}

#[tokio::test]
async fn a_stopped_sandbox_answers_nobody() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.import(vec![row("p@example.com")], false).await.status, 201);
    let url = fixture.sandbox.base_url();
    let mut idle = tokio::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap();
    // A held answer keeps nothing alive either.
    fixture.sandbox.add_fault(Fault::once(Endpoint::Any, FaultKind::DelayAfter(3_600_000)));
    let held = tokio::spawn({
        let (url, path, key) = (url.clone(), fixture.path("/clients.json"), basic(&fixture.account.api_key));
        async move { send(&url, "GET", &path, Some(&key), "").await }
    });
    while fixture.sandbox.report().faults == 0 {
        tokio::task::yield_now().await;
    }
    fixture.sandbox.stop().await;
    assert!(held.await.unwrap().is_err());
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap_or(0), 0, "the connection is closed");
    assert!(send(&url, "GET", "/_sandbox/report", None, "").await.is_err());
}
