//! Keys, versions, rate limits and faults.

use crate::client::{Fixture, Reply, person, quick, send};
use sandbox::faults::FaultKind;
use sandbox::omnisend::{
    Dialect, Endpoint, Fault, LimitClass, Limits, NewBrand, NewKey, Options, Permission, RefusedCalls,
    RetryAfter, SharedLimit,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn check(fixture: &Fixture, path: &str, headers: &[(&str, &str)], status: u16) -> Reply {
    let reply = send(&fixture.sandbox.base_url(), "GET", path, headers, "").await.unwrap();
    assert_eq!(reply.status, status, "{path} {headers:?}: {}", reply.body);
    reply
}

#[tokio::test]
async fn keys() {
    let fixture = Fixture::new().await;
    let key = fixture.brand.api_key.as_str();
    let right = format!("Omnisend-API-Key {key}");
    let version = ("Omnisend-Version", "2026-03-15");
    let unauthorized = json!({ "type": "https://problems.omnisend.com/unauthorized", "title": "Unauthorized", "status": 401 });
    let path = "/api/brands/current";
    let brand = check(&fixture, path, &[("Authorization", &right), version], 200).await.json();
    assert_eq!(brand["brandID"], fixture.brand.brand_id.as_str());
    for authorization in ["Omnisend-API-Key wrong", &format!("Bearer {key}"), key] {
        let reply = check(&fixture, path, &[("Authorization", authorization), version], 401).await;
        assert_eq!(reply.json(), unauthorized);
    }
    assert_eq!(check(&fixture, path, &[version], 401).await.json(), unauthorized);
    check(&fixture, path, &[version, ("X-API-KEY", key)], 401).await;
    check(&fixture, path, &[("Authorization", &right)], 400).await;
    check(&fixture, path, &[("Authorization", &right), ("Omnisend-Version", "2026-03-16")], 400).await;
    let path = "/v5/brands/current";
    assert_eq!(check(&fixture, path, &[("X-API-KEY", key)], 200).await.json(), brand);
    check(&fixture, path, &[("X-API-KEY", "wrong")], 401).await;
    let reply = check(&fixture, path, &[("Authorization", &right)], 400).await;
    assert_eq!(reply.json(), json!({ "error": "API key or access token not provided" }));
    fixture.sandbox.retire(Dialect::V5);
    check(&fixture, path, &[("X-API-KEY", key)], 410).await;
    fixture.check("GET", "/brands/current", Value::Null, 200).await;
    fixture.sandbox.revoke_key(key).unwrap();
    fixture.check("GET", "/brands/current", Value::Null, 401).await;
}

#[tokio::test]
async fn a_key_does_what_it_may() {
    let fixture = Fixture::new().await;
    let permissions = Some(BTreeSet::from([Permission::ContactsRead, Permission::BrandsRead]));
    let key = NewKey { permissions, ..NewKey::default() };
    let key = fixture.sandbox.create_key(&fixture.brand.brand_id, key).unwrap();
    for (method, path, status) in [
        ("GET", "/brands/current", 200),
        ("GET", "/contacts", 200),
        ("GET", "/batches?endpoint=contacts", 200),
        ("POST", "/contacts", 403),
        ("POST", "/batches", 403),
        ("DELETE", "/contacts/tags", 403),
        ("GET", "/segments", 403),
    ] {
        assert_eq!(fixture.call_with(&key, method, path, json!({})).await.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn brands_are_apart() {
    let options = Options { limits: Some(Limits { default: 2, ..Limits::default() }), ..quick() };
    let fixture = Fixture::with(Dialect::V2026, options).await;
    fixture.check("POST", "/contacts", person("a@example.com"), 201).await;
    let other = fixture.sandbox.create_brand(NewBrand::default());
    let found = fixture.call_with(&other.api_key, "GET", "/contacts", Value::Null).await.json();
    assert_eq!(found["contacts"], json!([]));
    // Two keys of a brand share its limit; another brand has its own.
    let second = fixture.sandbox.create_key(&fixture.brand.brand_id, NewKey::default()).unwrap();
    assert_eq!(fixture.call_with(&second, "GET", "/contacts", Value::Null).await.status, 200);
    fixture.check("GET", "/contacts", Value::Null, 429).await;
    assert_eq!(fixture.call_with(&other.api_key, "GET", "/contacts", Value::Null).await.status, 200);
    let report = fixture.sandbox.report();
    assert_eq!((report.throttled, report.most_in_window[&LimitClass::Default]), (1, 3));
}

#[tokio::test]
async fn each_class_of_calls_has_its_limit() {
    let limits = Limits { default: 5, tags: 1, segment_reads: 1, segment_writes: 1, ..Limits::default() };
    let options = Options { limits: Some(limits), shared_limit: SharedLimit::OtherCalls, ..quick() };
    let fixture = Fixture::with(Dialect::V2026, options.clone()).await;
    for (method, path) in [("POST", "/contacts/tags"), ("GET", "/segments"), ("POST", "/segments")] {
        assert_ne!(fixture.call(method, path, json!({})).await.status, 429);
        assert_eq!(fixture.call(method, path, json!({})).await.status, 429);
    }
    fixture.check("DELETE", "/contacts/tags", json!({}), 429).await;
    for _ in 0..5 {
        fixture.check("GET", "/brands/current", Value::Null, 200).await;
    }
    fixture.check("GET", "/brands/current", Value::Null, 429).await;
    let strict =
        Fixture::with(Dialect::V2026, Options { shared_limit: SharedLimit::EveryCall, ..options }).await;
    strict.check("POST", "/contacts/tags", json!({}), 400).await;
    for _ in 0..4 {
        strict.check("GET", "/brands/current", Value::Null, 200).await;
    }
    strict.check("GET", "/brands/current", Value::Null, 429).await;
}

#[tokio::test]
async fn what_a_refused_caller_is_told() {
    let limits = Some(Limits { default: 1, ..Limits::default() });
    for (dialect, retry_after, path, expected) in [
        (Dialect::V2026, RetryAfter::AsDocumented, "/contacts", true),
        (Dialect::V2026, RetryAfter::AsDocumented, "/batches?endpoint=contacts", false),
        (Dialect::V2026, RetryAfter::Never, "/contacts", false),
        (Dialect::V2026, RetryAfter::Always, "/batches?endpoint=contacts", true),
        (Dialect::V5, RetryAfter::Always, "/contacts", false),
    ] {
        let fixture = Fixture::with(dialect, Options { limits, retry_after, ..quick() }).await;
        let first = fixture.call("GET", path, Value::Null).await;
        let reply = fixture.call("GET", path, Value::Null).await;
        assert_eq!((first.status, reply.status), (200, 429));
        let seconds = reply.json()["retryAfter"].as_u64();
        assert_eq!(seconds.is_some_and(|seconds| (50..=60).contains(&seconds)), expected, "{reply:?}");
        for reply in [first, reply] {
            let has_headers = reply.head.contains("x-rate-limit-limit: 1")
                && reply.head.contains("x-rate-limit-remaining: 0")
                && reply.head.contains("x-rate-limit-reset: ");
            assert_eq!(has_headers, dialect == Dialect::V5, "{reply:?}");
        }
    }
}

#[tokio::test]
async fn time_can_be_made_to_pass_faster() {
    // A minute is a millisecond: the next call finds room, however soon it comes.
    let options = Options {
        limits: Some(Limits { default: 1, ..Limits::default() }),
        refused_calls: RefusedCalls::NotCounted,
        time_scale: 60_000.0,
        ..quick()
    };
    let fixture = Fixture::with(Dialect::V2026, options).await;
    let mut admitted = 0;
    while admitted < 5 {
        admitted += usize::from(fixture.call("GET", "/contacts", Value::Null).await.status == 200);
    }
}

#[tokio::test]
async fn faults_come_in_the_words_of_the_dialect() {
    for dialect in [Dialect::V2026, Dialect::V5] {
        let fixture = Fixture::with(dialect, quick()).await;
        let fault = |kind| fixture.sandbox.add_fault(Fault::once(Endpoint::UpsertContact, kind));
        fault(FaultKind::Status(503));
        fixture.check("GET", "/contacts", Value::Null, 200).await;
        let answer = fixture.check("POST", "/contacts", person("a@example.com"), 503).await;
        assert_eq!(answer.get("error").is_some(), dialect == Dialect::V5);
        fault(FaultKind::TooManyRequests);
        fixture.check("POST", "/contacts", person("a@example.com"), 429).await;
        fault(FaultKind::Answer { status: 418, body: "{}".to_owned() });
        assert_eq!(fixture.check("POST", "/contacts", person("a@example.com"), 418).await, json!({}));
        assert_eq!(fixture.sandbox.report().contacts.created, 0);
        fault(FaultKind::StatusAfterProcessing(500));
        fixture.check("POST", "/contacts", person("a@example.com"), 500).await;
        assert_eq!(fixture.sandbox.report().contacts.created, 1);
        fault(FaultKind::BadJson);
        let reply = fixture.call("POST", "/contacts", person("a@example.com")).await;
        assert!(reply.body.starts_with("<html>"), "{reply:?}");
        assert_eq!(fixture.sandbox.report().faults, 5);
    }
    let fixture = Fixture::new().await;
    fixture.sandbox.add_fault(Fault::once(Endpoint::Any, FaultKind::DropAfterProcessing));
    let headers = [
        ("Authorization", format!("Omnisend-API-Key {}", fixture.brand.api_key)),
        ("Omnisend-Version", "2026-03-15".to_owned()),
    ];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let body = person("a@example.com").to_string();
    let lost = send(&fixture.sandbox.base_url(), "POST", "/api/contacts", &headers, &body).await;
    assert!(lost.is_err());
    let report = fixture.sandbox.report();
    assert_eq!((report.contacts.created, report.calls[&Endpoint::UpsertContact].by_status[&0]), (1, 1));
}
