use super::*;
use http::header::{HeaderValue, RETRY_AFTER};
use tokio::time::Instant;
use wiremock::matchers::{header, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn context() -> CallContext {
    CallContext::until(Instant::now() + Duration::from_mins(1))
}

fn request(address: &str) -> HttpRequest {
    HttpRequest {
        cost: Cost::Counted,
        destination: Destination::CampaignMonitor,
        operation: "try something",
        method: Method::GET,
        url: Url::parse(address).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        timeout: Duration::from_secs(30),
    }
}

#[tokio::test]
async fn redirects_are_answers_and_not_followed() {
    let server = MockServer::start().await;
    let location = format!("{}/elsewhere", server.uri());
    Mock::given(path("/here"))
        .and(header("user-agent", concat!("segment-relay/", env!("CARGO_PKG_VERSION"))))
        .respond_with(ResponseTemplate::new(302).insert_header("Location", location.as_str()))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/elsewhere")).respond_with(ResponseTemplate::new(200)).expect(0).mount(&server).await;
    let context = context();
    let address = format!("{}/here", server.uri());
    let answer = HttpClient::new().unwrap().send(&request(&address), &context).await.unwrap();
    assert_eq!((answer.status, context.calls()), (302, 1));
}

#[tokio::test]
async fn transport_errors_are_told_apart_and_name_no_address() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(30));
    Mock::given(path("/slow")).respond_with(slow).mount(&server).await;
    let large = ResponseTemplate::new(200).set_body_bytes(vec![b' '; MAX_ANSWER_BYTES + 1]);
    Mock::given(path("/large")).respond_with(large).mount(&server).await;
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let cases = [
        (format!("{}/slow?email=jane%40example.com", server.uri()), ErrorKind::Timeout),
        (format!("{}/large?email=jane%40example.com", server.uri()), ErrorKind::Protocol),
        (format!("http://{refused}/?email=jane%40example.com"), ErrorKind::Unavailable),
    ];
    let client = HttpClient::new().unwrap();
    for (address, kind) in cases {
        let request = HttpRequest { timeout: Duration::from_millis(400), ..request(&address) };
        let error = client.send(&request, &context()).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::Backoff), "{error}");
        for told in [error.to_string(), format!("{error:?}"), format!("{request:?}")] {
            assert!(!told.contains("jane") && !told.contains("127.0.0.1"), "{told}");
        }
    }
}

#[tokio::test]
async fn without_time_no_call_is_made() {
    let context = CallContext::until(Instant::now());
    let error = HttpClient::new().unwrap().send(&request("http://127.0.0.1:9/"), &context).await.unwrap_err();
    assert_eq!((error.kind, context.calls()), (ErrorKind::Timeout, 0));
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let check = |text: &str, expected: Option<u64>| {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
        let answer = HttpResponse { status: 429, headers, body: Bytes::new() };
        assert_eq!(answer.retry_after().map(|pause| pause.as_secs()), expected, "{text}");
    };
    check("120", Some(120));
    check("0", Some(0));
    check("Wed, 21 Oct 2015 07:28:00 GMT", Some(0));
    check("soon", None);
    check("-1", None);
}
