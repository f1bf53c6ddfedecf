//! Tokens.

use super::*;
use ErrorKind::{Authentication, Protocol, Settings, Unavailable};
use wiremock::matchers::header;

async fn one(connector: &Marketo<FixedStore>) -> Result<Vec<RowResult>, PushError> {
    push(connector, &match_only_by_id(), [row("7")]).await.map(done)
}

fn match_only_by_id() -> MarketoTarget {
    MarketoTarget { lookup_field: "id".to_owned(), key_form: KeyForm::Number, ..match_only() }
}

async fn tokens(server: &MockServer) -> usize {
    requests(server).await.iter().filter(|request| request.url.path() == TOKEN).count()
}

/// Accepts one token only, and refuses every other with a code.
async fn serve_token(server: &MockServer, accepted: &str, code: &'static str) {
    mount(server, "POST", MEMBERS, {
        let accepted = format!("Bearer {accepted}");
        move |request: &Request| {
            let is_accepted = request.headers["authorization"] == accepted.as_str();
            if is_accepted { members("added")(request) } else { refusal(code) }
        }
    })
    .await;
}

#[tokio::test]
async fn one_token_is_asked_for_and_shared() {
    let server = MockServer::start().await;
    mount(&server, "GET", TOKEN, token("token-1", 3_599)).await;
    serve_token(&server, "token-1", "601").await;
    let connector = connector(&server);
    let (first, second, third) = tokio::join!(one(&connector), one(&connector), one(&connector));
    for results in [first, second, third] {
        assert_eq!(results.unwrap().len(), 1);
    }
    assert_eq!(tokens(&server).await, 1);
    let all = requests(&server).await;
    let asked = all.iter().find(|request| request.url.path() == TOKEN).unwrap();
    let query = "grant_type=client_credentials&client_id=cafe-id&client_secret=cafe-secret";
    assert_eq!((asked.method.as_str(), asked.url.query()), ("GET", Some(query)));
    let counted = all.iter().filter(|request| request.url.path() == MEMBERS);
    assert!(counted.clone().all(|request| request.url.query().is_none()), "no token in any address");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    for code in ["600", "601", "602"] {
        let server = MockServer::start().await;
        mount(&server, "GET", TOKEN, InTurn::new([token("token-1", 3_599), token("token-2", 3_599)])).await;
        serve_token(&server, "token-2", code).await;
        assert_eq!(one(&connector(&server)).await.unwrap().len(), 1, "{code}");
        assert_eq!(tokens(&server).await, 2, "{code}");
    }
}

#[tokio::test]
async fn a_token_that_stays_refused_is_waited_out_and_not_given_up() {
    let server = MockServer::start().await;
    mount(&server, "GET", TOKEN, token("token-1", 3_599)).await;
    mount(&server, "POST", MEMBERS, refusal("602")).await;
    let error = one(&connector(&server)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Authentication, Retry::Backoff));
    assert_eq!(error.code, Some(602));
    let attempts = calls(&server).await.len();
    assert!((2..=5).contains(&attempts), "{attempts}");
}

#[tokio::test]
async fn a_token_without_time_left_is_asked_for_again() {
    let server = MockServer::start().await;
    let answers = [token("token-1", 0), token("token-1", 0), token("token-2", 3_600)];
    mount(&server, "GET", TOKEN, InTurn::new(answers)).await;
    serve_token(&server, "token-2", "602").await;
    assert_eq!(one(&connector(&server)).await.unwrap().len(), 1);
    assert_eq!(tokens(&server).await, 3);

    let server = MockServer::start().await;
    mount(&server, "GET", TOKEN, token("token-1", 0)).await;
    let error = one(&connector(&server)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Unavailable, Retry::Backoff));
    assert_eq!(calls(&server).await.len(), 0);
}

#[tokio::test]
async fn what_the_identity_service_says_is_told_without_a_secret() {
    let check = async |answer: ResponseTemplate, kind: ErrorKind, retry: Retry| {
        let server = MockServer::start().await;
        mount(&server, "GET", TOKEN, answer).await;
        let error = one(&connector(&server)).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, retry), "{error}");
        for told in [error.to_string(), format!("{error:?}")] {
            assert!(!told.contains("cafe") && !told.contains("127.0.0.1"), "{told}");
        }
    };
    let refused = json!({"error": "invalid_client", "error_description": "cafe-secret is wrong"});
    check(ResponseTemplate::new(401).set_body_json(&refused), Authentication, Retry::Never).await;
    check(ResponseTemplate::new(400).set_body_json(&refused), Authentication, Retry::Never).await;
    check(ResponseTemplate::new(401), Authentication, Retry::Never).await;
    check(ResponseTemplate::new(404), Settings, Retry::Never).await;
    check(ResponseTemplate::new(502), Unavailable, Retry::Backoff).await;
    check(ResponseTemplate::new(200).set_body_string("<html>"), Protocol, Retry::Backoff).await;
    check(refusal("611"), Unavailable, Retry::Backoff).await;
}

#[tokio::test]
async fn the_token_is_sent_as_a_header() {
    let server = serve().await;
    Mock::given(method("POST"))
        .and(path(MEMBERS))
        .and(header("authorization", "Bearer token-1"))
        .and(header("accept", "application/json"))
        .and(header("content-type", "application/json"))
        .respond_with(members("added"))
        .expect(1)
        .mount(&server)
        .await;
    assert_eq!(one(&connector(&server)).await.unwrap().len(), 1);
}
