//! Errors: a service that is slow, busy, broken or undocumented.

use super::*;
use ErrorKind::{
    Authentication, InvalidRequest, ListMissing, Permission, Protocol, RateLimited, Unavailable,
};

#[tokio::test]
async fn a_short_stumble_is_waited_out() {
    for stumble in
        [refusal(500, 500), ResponseTemplate::new(502).set_body_string("<html>"), refusal(429, 429)]
    {
        let server = MockServer::start().await;
        mount(&server, "POST", IMPORT_PATH, InTurn::new([stumble, imported(1)])).await;
        let context = context();
        let frame = frame([row("jane@example.com")]);
        let results = pushed(&with_key(&server), Kind::Upsert, &frame, &context).await.unwrap();
        assert_eq!((told(&results), context.calls()), (vec![APPLIED], 2));
    }
}

#[tokio::test]
async fn refusals_of_the_whole_request_are_errors_of_the_batch() {
    let check = async |answer: ResponseTemplate, kind: ErrorKind, retry: Retry, calls: u64| {
        let server = MockServer::start().await;
        mount(&server, "POST", IMPORT_PATH, answer).await;
        let context = context();
        let frame = frame([row("jane@example.com"), row("john@example.com")]);
        let error = pushed(&with_key(&server), Kind::Upsert, &frame, &context).await.unwrap_err();
        assert_eq!((error.kind, error.retry, context.calls()), (kind, retry, calls), "{error}");
    };
    let text = |status, text: &str| ResponseTemplate::new(status).set_body_string(text);
    check(refusal(401, 100), Authentication, Retry::Never, 1).await;
    check(refusal(401, 60), Permission, Retry::Never, 1).await;
    check(refusal(401, 102), ListMissing, Retry::Never, 1).await;
    check(refusal(400, 209), InvalidRequest, Retry::Never, 1).await;
    check(refusal(400, 214), InvalidRequest, Retry::Never, 1).await;
    check(refusal(429, 429), RateLimited, Retry::Backoff, 3).await;
    check(refusal(500, 500), Unavailable, Retry::Backoff, 3).await;
    check(text(504, ""), Unavailable, Retry::Backoff, 3).await;
    check(refusal(400, 9_999), Protocol, Retry::Backoff, 3).await;
    // The status alone means nothing: neither does 200 make a success …
    check(refusal(200, 100), Authentication, Retry::Never, 1).await;
    check(text(200, "<html>all fine</html>"), Protocol, Retry::Backoff, 1).await;
    check(text(201, r#"{"FailureDetails": []}"#), Protocol, Retry::Backoff, 1).await;
    check(text(201, "[]"), Protocol, Retry::Backoff, 1).await;
    // … nor 400 with the code of a success whose result is missing.
    check(refusal(400, 210), Protocol, Retry::Backoff, 1).await;
    check(
        ResponseTemplate::new(302).insert_header("location", "https://example.com/"),
        Protocol,
        Retry::Never,
        1,
    )
    .await;
}

#[tokio::test]
async fn what_the_service_asks_to_wait_is_passed_on() {
    let check = async |header: &str, value: &str, expected: Retry| {
        let server = MockServer::start().await;
        mount(&server, "POST", IMPORT_PATH, refusal(429, 429).insert_header(header, value)).await;
        let error = upsert(&with_key(&server), [row("jane@example.com")]).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (RateLimited, expected), "{header}: {value}");
        assert_eq!(requests(&server).await.len(), 1, "{header}: {value}");
    };
    check("X-RateLimit-Reset", "348", Retry::After(Duration::from_secs(348))).await;
    check("Retry-After", "60", Retry::After(Duration::from_mins(1))).await;
    check("Retry-After", "999999999", Retry::After(Duration::from_hours(1))).await;
}

#[tokio::test]
async fn nobody_listening_is_an_outage() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = Endpoint::parse(&format!("http://{closed}"), DOMAINS).unwrap();
    let pause = Duration::from_millis(1);
    let store = MemoryStore::new(API_KEY_SECRET);
    let http = HttpClient::new().unwrap();
    let connector =
        CampaignMonitor::with_pauses(endpoint, http, &Map::new(), store, pause, pause).ok().unwrap();
    let error = upsert(&connector, [row("jane@example.com")]).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Unavailable, Retry::Backoff));
}
