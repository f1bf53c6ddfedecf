//! Credentials: API keys, tokens that expire, and several processes that share one secret.

use super::*;

const TOKENS: &str = r#"{"access_token": "old-access", "refresh_token": "old-refresh"}"#;

/// Accepts requests with one of the tokens; responds to others that their token has expired.
struct WithToken(&'static [&'static str]);

impl Respond for WithToken {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let given = request.headers["authorization"].to_str().unwrap();
        match given.strip_prefix("Bearer ") {
            Some(token) if self.0.contains(&token) => imported(sent_emails(request).len()),
            Some(_) => refusal(401, 121),
            None => refusal(401, 120),
        }
    }
}

fn new_tokens() -> ResponseTemplate {
    let body = json!({"access_token": "new-access", "expires_in": 1_209_600, "refresh_token": "new-refresh"});
    ResponseTemplate::new(200).set_body_json(body)
}

async fn server(token: impl Respond + 'static) -> MockServer {
    let server = MockServer::start().await;
    mount(&server, "POST", IMPORT_PATH, WithToken(&["new-access"])).await;
    mount(&server, "POST", "/oauth/token", token).await;
    server
}

/// Returns the paths of all calls, in order.
async fn paths(server: &MockServer) -> Vec<&'static str> {
    let name = |request: Request| if request.url.path() == "/oauth/token" { "token" } else { "import" };
    requests(server).await.into_iter().map(name).collect()
}

#[tokio::test]
async fn an_ended_token_is_renewed_once_and_both_new_ones_are_stored_before_use() {
    let server = server(new_tokens()).await;
    let store = MemoryStore::new(TOKENS);
    let connector = connector(&server, store.clone(), json!({}));
    for _ in 0..2 {
        assert_eq!(told(&upsert(&connector, [row("jane@example.com")]).await.unwrap()), [APPLIED]);
    }
    assert_eq!(paths(&server).await, ["import", "token", "import", "import"]);
    let requests = requests(&server).await;
    assert_eq!(requests[1].body, b"grant_type=refresh_token&refresh_token=old-refresh");
    assert_eq!(requests[1].headers["content-type"], "application/x-www-form-urlencoded");
    let saves = store.saves.lock().unwrap().clone();
    let stored: Value = serde_json::from_str(&saves[0]).unwrap();
    assert_eq!(
        (saves.len(), &stored["access_token"], &stored["refresh_token"]),
        (1, &json!("new-access"), &json!("new-refresh"))
    );
    assert!(stored["expires_at"].is_string());
}

#[tokio::test]
async fn a_token_is_renewed_ahead_of_its_end() {
    let server = server(new_tokens()).await;
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(1);
    let secret = format!(r#"{{"access_token": "a", "refresh_token": "r", "expires_at": "{soon}"}}"#);
    let connector = connector(&server, MemoryStore::new(&secret), json!({}));
    upsert(&connector, [row("jane@example.com")]).await.unwrap();
    assert_eq!(paths(&server).await, ["token", "import"]);
}

#[tokio::test]
async fn many_workers_of_one_process_renew_once() {
    let server = server(new_tokens().set_delay(Duration::from_millis(50))).await;
    let connector = connector(&server, MemoryStore::new(TOKENS), json!({}));
    let push = async || upsert(&connector, [row("jane@example.com")]).await.unwrap();
    tokio::join!(push(), push(), push(), push());
    let renewals = paths(&server).await.iter().filter(|path| **path == "token").count();
    assert_eq!(renewals, 1);
}

#[tokio::test]
async fn what_another_process_has_renewed_is_used() {
    let server = server(refusal(500, 500)).await;
    let store = MemoryStore::new(TOKENS);
    let connector = connector(&server, store.clone(), json!({}));
    assert!(upsert(&connector, [row("jane@example.com")]).await.is_err(), "the old token is in use");
    store.put(r#"{"access_token": "new-access", "refresh_token": "new-refresh"}"#);
    upsert(&connector, [row("jane@example.com")]).await.unwrap();
    assert_eq!(paths(&server).await, ["import", "token", "import", "import"]);
}

#[tokio::test]
async fn when_another_process_was_faster_its_tokens_are_waited_for() {
    struct TakenBy(MemoryStore);
    impl Respond for TakenBy {
        fn respond(&self, _: &Request) -> ResponseTemplate {
            self.0.put(r#"{"access_token": "new-access", "refresh_token": "new-refresh"}"#);
            let body = json!({"error": "invalid_grant", "error_description": "jane@example.com old-refresh"});
            ResponseTemplate::new(200).set_body_json(body)
        }
    }
    let store = MemoryStore::new(TOKENS);
    let server = server(TakenBy(store.clone())).await;
    let connector = connector(&server, store.clone(), json!({}));
    upsert(&connector, [row("jane@example.com")]).await.unwrap();
    assert_eq!(store.saves.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_renewal_that_is_refused_asks_for_a_reconnection_whatever_its_status() {
    for status in [200, 400] {
        let body =
            json!({"error": "invalid_grant", "error_description": "Specified code was invalid or expired"});
        let server = server(ResponseTemplate::new(status).set_body_json(body)).await;
        let connector = connector(&server, MemoryStore::new(TOKENS), json!({}));
        let error = upsert(&connector, [row("jane@example.com")]).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Authentication, Retry::Never), "{status}");
        assert!(error.to_string().contains("connect the account again"), "{error}");
    }
}

#[tokio::test]
async fn new_tokens_that_cannot_be_stored_are_kept_and_stored_at_the_next_attempt() {
    let server = server(new_tokens()).await;
    let store = MemoryStore::new(TOKENS);
    *store.failures_to_save.lock().unwrap() = 1;
    let connector = connector(&server, store.clone(), json!({}));
    let error = upsert(&connector, [row("jane@example.com")]).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Unavailable, Retry::Backoff));
    upsert(&connector, [row("jane@example.com")]).await.unwrap();
    assert_eq!(paths(&server).await, ["import", "token", "import"]);
    assert_eq!(store.saves.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_that_was_changed_in_the_secret_is_taken_up() {
    let server = MockServer::start().await;
    let answers = [refusal(401, 100), refusal(401, 100), imported(1)];
    mount(&server, "POST", IMPORT_PATH, InTurn::new(answers)).await;
    let store = MemoryStore::new(r#"{"api_key": "revoked"}"#);
    let connector = connector(&server, store.clone(), json!({}));
    let error = upsert(&connector, [row("jane@example.com")]).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Authentication, Some(100)));
    store.put(API_KEY_SECRET);
    assert_eq!(told(&upsert(&connector, [row("jane@example.com")]).await.unwrap()), [APPLIED]);
}

#[tokio::test]
async fn an_invalid_or_revoked_token_is_not_renewed_but_reported() {
    for code in [120, 122] {
        let server = MockServer::start().await;
        mount(&server, "POST", IMPORT_PATH, refusal(401, code)).await;
        let connector = connector(&server, MemoryStore::new(TOKENS), json!({}));
        let error = upsert(&connector, [row("jane@example.com")]).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Authentication, Retry::Never));
        assert!(error.to_string().contains("connect the account again"), "{error}");
        assert_eq!(requests(&server).await.len(), 1);
    }
}

#[tokio::test]
async fn a_secret_of_another_form_is_named_and_costs_no_call() {
    let server = MockServer::start().await;
    let broken_header = r#"{"access_token": "old\naccess", "refresh_token": "r"}"#;
    for secret in ["{}", "old-access", r#"{"key": "old-access"}"#, broken_header] {
        let connector = connector(&server, MemoryStore::new(secret), json!({}));
        let error = upsert(&connector, [row("jane@example.com")]).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Authentication, Retry::Never), "{secret}");
        assert!(error.to_string().contains("secret \"stack/connections/campaign-monitor\""), "{error}");
        assert!(!error.to_string().contains("old"), "{error}");
    }
    assert_eq!(requests(&server).await.len(), 0);
}

#[tokio::test]
async fn a_token_that_ends_at_once_is_renewed_only_once() {
    let server = MockServer::start().await;
    mount(&server, "POST", IMPORT_PATH, refusal(401, 121)).await;
    mount(&server, "POST", "/oauth/token", new_tokens()).await;
    let connector = connector(&server, MemoryStore::new(TOKENS), json!({}));
    let error = upsert(&connector, [row("jane@example.com")]).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Authentication, Retry::Never));
    assert_eq!(paths(&server).await, ["import", "token", "import"]);
}

#[tokio::test]
async fn a_stored_token_that_has_ended_too_is_renewed() {
    let server = server(new_tokens()).await;
    let store = MemoryStore::new(TOKENS);
    let connector = connector(&server, store.clone(), json!({}));
    connector.client.auth.pass(&context()).await.ok().unwrap();
    store.put(r#"{"access_token": "other-access", "refresh_token": "other-refresh"}"#);
    assert_eq!(told(&upsert(&connector, [row("jane@example.com")]).await.unwrap()), [APPLIED]);
    assert_eq!(paths(&server).await, ["import", "import", "token", "import"]);
    assert_eq!(requests(&server).await[2].body, b"grant_type=refresh_token&refresh_token=other-refresh");
}
