//! What happens when the service is slow, busy, broken or strange.

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
    // A status says nothing by itself: neither does 200 make a success …
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
async fn an_answer_that_comes_too_late_is_left_to_the_queue() {
    let server = MockServer::start().await;
    mount(&server, "POST", IMPORT_PATH, imported(1).set_delay(Duration::from_secs(20))).await;
    let context = CallContext::until(Instant::now() + Duration::from_millis(600));
    let frame = frame([row("jane@example.com")]);
    let error = pushed(&with_key(&server), Kind::Upsert, &frame, &context).await.unwrap_err();
    assert_eq!((error.kind, error.retry, context.calls()), (ErrorKind::Timeout, Retry::Backoff, 1));
}

#[tokio::test]
async fn an_import_whose_answer_was_lost_may_be_sent_again() {
    let server = MockServer::start().await;
    // The first import is done but answered with 504; the second finds the person there.
    mount(&server, "POST", IMPORT_PATH, InTurn::new([ResponseTemplate::new(504), imported(1)])).await;
    assert_eq!(told(&upsert(&with_key(&server), [row("jane@example.com")]).await.unwrap()), [APPLIED]);
    let bodies: Vec<Vec<u8>> = requests(&server).await.into_iter().map(|request| request.body).collect();
    assert_eq!(bodies[0], bodies[1]);
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

#[tokio::test]
async fn a_connection_that_is_dropped_after_the_work_was_done_is_tried_again() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut bodies = Vec::new();
        for is_answered in [false, true] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"false}") {
                stream.read_buf(&mut request).await.unwrap();
            }
            if is_answered {
                let body = r#"{"FailureDetails":[],"TotalUniqueEmailsSubmitted":1,"TotalExistingSubscribers":1,"TotalNewSubscribers":0}"#;
                let answer = format!("HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            bodies.push(request);
        }
        bodies
    });
    let endpoint = Endpoint::parse(&format!("http://{address}"), DOMAINS).unwrap();
    let pause = Duration::from_millis(1);
    let (http, store) = (HttpClient::new().unwrap(), MemoryStore::new(API_KEY_SECRET));
    let connector =
        CampaignMonitor::with_pauses(endpoint, http, &Map::new(), store, pause, pause).ok().unwrap();
    assert_eq!(told(&upsert(&connector, [row("jane@example.com")]).await.unwrap()), [APPLIED]);
    let bodies = server.await.unwrap();
    assert_eq!(bodies[0], bodies[1], "the same request twice");
}
