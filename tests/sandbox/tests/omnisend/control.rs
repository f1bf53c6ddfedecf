//! The control of the sandbox over HTTP, and its end.

use crate::client::{Fixture, send};
use sandbox::faults::FaultKind;
use sandbox::omnisend::{Endpoint, Fault, Options, Sandbox};
use serde_json::{Value, json};

#[tokio::test]
async fn another_process_can_do_it_all() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let url = sandbox.base_url();
    let control = async |method: &str, path: &str, body: Value| {
        let path = format!("/_sandbox/{path}");
        let reply = send(&url, method, &path, &[], &body.to_string()).await.unwrap();
        assert!(reply.status < 300, "{method} {path}: {reply:?}");
        reply.json()
    };
    let brand = control("POST", "brands", json!({ "name": "Acme", "api_key": "the-key" })).await;
    assert_eq!(brand["api_key"], "the-key");
    let brand = format!("brands/{}", brand["brand_id"].as_str().unwrap());
    let key = json!({ "permissions": ["contacts.read"] });
    let key = control("POST", &format!("{brand}/keys"), key).await["api_key"].clone();
    let seeds = json!([
        {
            "email": "a@example.com", "status": "subscribed", "status_changed_at": "2024-01-01T00:00:00Z",
            "tags": ["vip", "Köln"], "fields": { "firstName": "Ann" }, "custom_properties": { "tier": 1 },
            "phones": [{ "number": "+4712345678", "status": "unsubscribed" }],
        },
        { "email": "b@example.com" },
    ]);
    control("POST", &format!("{brand}/contacts"), seeds).await;
    let changes = json!([
        { "email": "a@example.com", "change": { "remove_tag": "Köln" } },
        { "email": "b@example.com", "change": { "add_tag": "vip" } },
        { "email": "b@example.com", "change": { "status": "unsubscribed" } },
    ]);
    control("POST", &format!("{brand}/changes"), changes).await;
    let one = control("GET", &format!("{brand}/contact?email=a%40example.com"), Value::Null).await;
    assert_eq!(
        one,
        json!({
            "id": one["id"], "email": "a@example.com", "status": "subscribed",
            "status_changed_at": "2024-01-01T00:00:00Z", "tags": ["vip"], "fields": { "firstName": "Ann" },
            "custom_properties": { "tier": 1 }, "origin": "seeded",
            "phones": [{ "number": "+4712345678", "status": "unsubscribed" }],
        })
    );
    let page = control("GET", &format!("{brand}/contacts?limit=1&tag=vip"), Value::Null).await;
    assert_eq!((&page["contacts"], &page["next"]), (&json!([one]), &json!(1)));
    let page = control("GET", &format!("{brand}/contacts?from=1"), Value::Null).await;
    assert_eq!((page["contacts"].as_array().unwrap().len(), &page["next"]), (1, &Value::Null));
    let delete = json!([{ "email": "b@example.com", "change": "delete" }]);
    control("POST", &format!("{brand}/changes"), delete).await;
    let counts = control("GET", &format!("{brand}/counts"), Value::Null).await;
    assert_eq!(
        counts,
        json!({
            "contacts": 1, "made_by_api": 0, "by_status": { "subscribed": 1 }, "by_tag": { "vip": 1 },
            "unfinished_batches": 0, "pending_taggings": 0,
        })
    );
    assert_eq!(control("GET", &format!("{brand}/batches"), Value::Null).await, json!([]));
    assert_eq!(control("GET", &format!("{brand}/segments"), Value::Null).await, json!([]));
    control("POST", "batches/stop", json!({ "after_items": 50 })).await;
    control("POST", "batches/fail", json!({ "response_code": 503, "times": 2, "work": "done" })).await;
    control("DELETE", "batches/orders", Value::Null).await;
    let fault = json!({ "matches": "create_batch", "kind": { "status": 503 }, "times": 2 });
    assert_eq!(control("POST", "faults", fault).await[0]["times"], 2);
    control("DELETE", "faults", Value::Null).await;
    assert_eq!(control("GET", "faults", Value::Null).await, json!([]));
    control("PUT", "pace", json!({ "time_scale": 20.0, "limits": { "default": 400 } })).await;
    control("POST", "keys/revoke", json!({ "api_key": "the-key" })).await;
    let headers = [("X-API-KEY", "the-key")];
    assert_eq!(send(&url, "GET", "/v5/contacts", &headers, "").await.unwrap().status, 401);
    let headers = [("X-API-KEY", key.as_str().unwrap())];
    assert_eq!(send(&url, "GET", "/v5/contacts", &headers, "").await.unwrap().status, 200);
    control("POST", "retire", json!({ "dialect": "v5" })).await;
    assert_eq!(send(&url, "GET", "/v5/contacts", &headers, "").await.unwrap().status, 410);
    let report = control("DELETE", "report", Value::Null).await;
    assert_eq!(report["calls"]["contacts"]["by_status"], json!({ "200": 1, "401": 1, "410": 1 }));
    assert_eq!(report["calls"]["contacts"]["by_problem"], json!({ "problem": 1, "unauthorized": 1 }));
    assert_eq!(
        (&report["dialects"], &report["most_in_window"]),
        (&json!({ "v5": 3 }), &json!({ "default": 1 }))
    );
    assert_eq!(control("GET", "report", Value::Null).await["calls"], json!({}));
}

#[tokio::test]
async fn control_calls_that_cannot_be_done() {
    let fixture = Fixture::new().await;
    let brand = format!("/brands/{}", fixture.brand.brand_id);
    let contacts = format!("{brand}/contacts");
    for (method, path, body, status) in [
        ("GET", "/nothing", json!(null), 404),
        ("GET", "/brands/0/counts", json!(null), 404),
        ("GET", &format!("{brand}/contact?email=x"), json!(null), 404),
        ("POST", &contacts, json!([{ "email": "a@example.com" }, { "email": "a@example.com" }]), 409),
        ("POST", &contacts, json!([{ "email": "b@example.com", "fields": { "shoe": "41" } }]), 404),
        ("POST", &contacts, json!([{ "mail": "b@example.com" }]), 400),
        ("POST", "/faults", json!({ "matches": "create_bath", "kind": "bad_json" }), 400),
        ("PUT", "/pace", json!({ "latency": 1 }), 400),
    ] {
        let path = format!("/_sandbox{path}");
        let reply = send(&fixture.sandbox.base_url(), method, &path, &[], &body.to_string()).await.unwrap();
        assert_eq!((reply.status, reply.json()["error"].is_string()), (status, true), "{method} {path}");
    }
}

#[tokio::test]
async fn a_stopped_sandbox_answers_nobody() {
    let fixture = Fixture::new().await;
    fixture.check("GET", "/contacts", Value::Null, 200).await;
    let url = fixture.sandbox.base_url();
    // A held answer keeps nothing alive either.
    fixture.sandbox.add_fault(Fault::once(Endpoint::Any, FaultKind::DelayAfter(3_600_000)));
    let held = tokio::spawn({
        let (url, key) = (url.clone(), fixture.brand.api_key.clone());
        async move { send(&url, "GET", "/v5/contacts", &[("X-API-KEY", &key)], "").await }
    });
    while fixture.sandbox.report().faults == 0 {
        tokio::task::yield_now().await;
    }
    fixture.sandbox.stop().await;
    assert!(held.await.unwrap().is_err());
    assert!(send(&url, "GET", "/_sandbox/report", &[], "").await.is_err());
}
