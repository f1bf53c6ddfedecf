//! Tokens.

use super::*;

const WHO: &str = "/api/data/v9.2/listmembers";

fn page() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"value": []}))
}

async fn count(sales: &Sales) -> Result<Option<u64>, PushError> {
    sales.count_members(&target(), &context()).await
}

fn bearer(request: &Request) -> &str {
    request.headers.get("authorization").unwrap().to_str().unwrap()
}

#[tokio::test]
async fn a_token_is_got_once_and_shared() {
    let server = server().await;
    mount(&server, "GET", WHO, page().insert_header("set-cookie", "ARRAffinity=server1; path=/")).await;
    let sales = sales(&server);
    let (one, two) = tokio::join!(count(&sales), count(&sales));
    assert_eq!((one.unwrap(), two.unwrap(), count(&sales).await.unwrap()), (Some(0), Some(0), Some(0)));
    assert_eq!(calls(&server, TOKEN_PATH).await.len(), 1);
    for request in calls(&server, WHO).await {
        assert_eq!(bearer(&request), "Bearer t0ken");
        // Calls are spread over the organisation's servers only if they send no affinity cookie.
        assert!(request.headers.get("cookie").is_none());
    }
}

#[tokio::test]
async fn a_token_is_got_anew_ahead_of_its_end_and_when_it_is_refused() {
    let server = MockServer::start().await;
    mount(&server, "POST", TOKEN_PATH, InTurn::new([token("first", 0), token("second", 3_599)])).await;
    mount(&server, "GET", WHO, page()).await;
    let own = sales(&server);
    count(&own).await.unwrap();
    count(&own).await.unwrap();
    count(&own).await.unwrap();
    assert_eq!(calls(&server, TOKEN_PATH).await.len(), 2);

    let server = MockServer::start().await;
    let tokens = [token("first", 3_599), token("second", 3_599)];
    mount(&server, "POST", TOKEN_PATH, InTurn::new(tokens)).await;
    mount(&server, "GET", WHO, InTurn::new([ResponseTemplate::new(401), page()])).await;
    assert_eq!(count(&sales(&server)).await.unwrap(), Some(0));
    let calls = calls(&server, WHO).await;
    assert_eq!(calls.iter().map(bearer).collect::<Vec<_>>(), ["Bearer first", "Bearer second"]);
}

#[tokio::test]
async fn a_new_token_that_is_refused_too_ends_it() {
    let server = server().await;
    mount(&server, "GET", WHO, ResponseTemplate::new(401)).await;
    let error = count(&sales(&server)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Authentication, Retry::Never));
    assert_eq!((calls(&server, TOKEN_PATH).await.len(), calls(&server, WHO).await.len()), (2, 2));
}

#[tokio::test]
async fn a_token_that_lives_on_is_used_while_entra_is_down() {
    let server = MockServer::start().await;
    let tokens = [token("first", 10), ResponseTemplate::new(503)];
    mount(&server, "POST", TOKEN_PATH, InTurn::new(tokens)).await;
    mount(&server, "GET", WHO, page()).await;
    let sales = sales(&server);
    count(&sales).await.unwrap();
    count(&sales).await.unwrap();
    assert_eq!(calls(&server, WHO).await.len(), 2);
}

#[tokio::test]
async fn what_entra_refuses_is_said_with_its_mend() {
    let check = async |secret: &str, answer: ResponseTemplate, kind: ErrorKind, words: &str| {
        let server = MockServer::start().await;
        mount(&server, "POST", TOKEN_PATH, answer).await;
        let sales = connector(&server, MemoryStore::new(secret), &json!({}));
        let error = count(&sales).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::Never), "{error}");
        assert!(error.message.contains(words), "{error}");
        assert!(!error.to_string().contains("s3cr"), "{error}");
    };
    let refused = |number: u64| {
        let body = json!({
            "error": "invalid_client",
            "error_description": format!("AADSTS{number}: s3cr~t+/value is wrong"),
            "error_codes": [number],
        });
        ResponseTemplate::new(401).set_body_json(body)
    };
    check(SECRET, refused(7_000_215), ErrorKind::Authentication, "client secret is not accepted").await;
    check(SECRET, refused(7_000_222), ErrorKind::Authentication, "has expired").await;
    check(SECRET, refused(90_002), ErrorKind::Settings, "no such tenant").await;
    let form = "has the wrong form: it has to be JSON";
    for secret in ["s3cret", r#"{"client_secret": " "}"#, r#"{"client_secret": "s3cr", "x": 1}"#] {
        check(secret, token("t", 3_599), ErrorKind::Authentication, form).await;
    }
}
