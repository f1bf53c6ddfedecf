//! OAuth connections: expired tokens are renewed, and revoked tokens end the run.

use crate::support::{Job, Scene, emails, persons, wait_until};
use local::cloud::Moment::Before;
use relay_model::Counts;
use sandbox::campaign_monitor::{Endpoint, NewTokens, Pace, Tokens};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oauth_tokens_are_renewed_and_revoked_tokens_end_the_run() {
    let scene = Scene::open().await;
    expired_tokens_are_renewed_and_stored_before_use(&scene).await;
    revoked_tokens_end_the_run(&scene).await;
}

/// Connects an account. The tokens have exactly the scopes that an export needs.
fn connect(scene: &Scene) -> Tokens {
    let tokens = NewTokens {
        account_id: scene.account.account_id.clone(),
        expires_in_seconds: None,
        scopes: Some(["ImportSubscribers", "ManageLists"].map(str::to_owned).into()),
    };
    scene.sandbox.issue_tokens(tokens).unwrap()
}

fn secret(tokens: &Tokens) -> Value {
    json!({ "access_token": tokens.access_token, "refresh_token": tokens.refresh_token })
}

fn token<'a>(secret: &'a Value, name: &str) -> &'a str {
    secret[name].as_str().unwrap()
}

/// The calls that were refused because of the token, with their codes.
fn refused(scene: &Scene) -> Vec<(Endpoint, u16)> {
    let report = scene.sandbox.report();
    let codes = report.calls.iter().flat_map(|(endpoint, calls)| {
        calls.by_code.keys().map(|code| (*endpoint, *code)).collect::<Vec<_>>()
    });
    codes.filter(|(_, code)| (120..=122).contains(code)).collect()
}

async fn logs_hold_none_of(scene: &Scene, secrets: &[Value]) {
    let logs = scene.cloud.function_logs().await.unwrap().join("\n");
    assert!(logs.contains("access token renewed"), "the logs are there");
    for secret in secrets {
        assert!(!logs.contains(token(secret, "access_token")));
        assert!(!logs.contains(token(secret, "refresh_token")));
    }
}

async fn expired_tokens_are_renewed_and_stored_before_use(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "tokens");
    let first = secret(&connect(scene));
    // With one lane the batches are sent one after the other.
    job.own_secret(&first, 1).await;
    let mut people = persons(3_500);
    job.ready(&people).await;

    // The token has expired before the run.
    scene.sandbox.expire_token(token(&first, "access_token")).unwrap();
    scene.sandbox.set_pace(Pace { latency_ms: 300, throttle: None });
    let store = scene.hold(Before, "secretsmanager", "PutSecretValue", "/connections/tokens").await;
    let run_id = job.start().await;
    scene.held(store).await;
    // The new tokens are not stored yet: every call so far was made with the old token.
    let report = scene.sandbox.report();
    assert_eq!(report.calls[&Endpoint::Token].by_status.get(&200), Some(&1));
    for (endpoint, calls) in report.calls.iter().filter(|(endpoint, _)| **endpoint != Endpoint::Token) {
        assert_eq!(calls.by_status.keys().collect::<Vec<_>>(), [&401], "{endpoint:?}");
    }
    assert_eq!(job.stored_secret().await, first);
    scene.cloud.release(store).await.unwrap();

    // The token expires again during the run.
    let on_the_list = || scene.sandbox.counts(&job.list).unwrap().total;
    wait_until("the first people are on the list", async || on_the_list() > 0).await;
    let second = job.stored_secret().await;
    for name in ["access_token", "refresh_token"] {
        assert_ne!(token(&second, name), token(&first, name));
    }
    scene.sandbox.expire_token(token(&second, "access_token")).unwrap();
    job.wait_for(run_id).await.succeeded(Counts { added: 3_500, ..Counts::default() });
    assert_eq!(job.active(), emails(&people));
    assert_eq!(scene.calls(Endpoint::Token), 2);
    assert!(refused(scene).contains(&(Endpoint::Import, 121)), "{:?}", refused(scene));

    // A token with a known expiry is renewed before a call is refused.
    scene.sandbox.set_pace(Pace::default());
    scene.sandbox.reset_report();
    let mut third = job.stored_secret().await;
    assert!(third["expires_at"].is_string());
    scene.sandbox.expire_token(token(&third, "access_token")).unwrap();
    third["expires_at"] = json!("2026-01-01T00:00:00Z");
    job.change_secret(&third).await;
    "Elsewhere".clone_into(&mut people[3].city);
    job.upload(&people).await;
    job.run().await.succeeded(Counts { changed: 1, unchanged: 3_499, ..Counts::default() });
    assert_eq!(scene.calls(Endpoint::Token), 1);
    // The push worker had cached the tokens of the previous run.
    assert!(refused(scene).iter().all(|(endpoint, _)| *endpoint == Endpoint::Import), "{:?}", refused(scene));
    logs_hold_none_of(scene, &[first, second, third, job.stored_secret().await]).await;
}

async fn revoked_tokens_end_the_run(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "revoked");
    let first = connect(scene);
    job.own_secret(&secret(&first), 1).await;
    let people = persons(3_500);
    job.ready(&people).await;

    // The customer has revoked the access.
    scene.sandbox.revoke_token(&first.access_token).unwrap();
    let nothing_sent = async |words: &[&str]| {
        let finished = job.run().await;
        finished.failed("authentication_failed", words);
        assert_eq!((finished.report.counts, finished.report.batches), (Counts::default(), 0));
        assert_eq!(scene.sandbox.counts(&job.list).unwrap().total, 0);
        assert_eq!((scene.calls(Endpoint::Import), scene.calls(Endpoint::CreateField)), (0, 0));
    };
    nothing_sent(&["revoked", "connect the account again"]).await;
    assert_eq!(job.stored_secret().await, secret(&first), "what is stored stays");

    // The access token has expired and the refresh token was used before.
    let mut second = secret(&connect(scene));
    scene.sandbox.expire_token(token(&second, "access_token")).unwrap();
    second["refresh_token"] = json!(first.refresh_token);
    job.change_secret(&second).await;
    nothing_sent(&["refresh token is not accepted", "connect the account again"]).await;
    assert_eq!(job.stored_secret().await, second);

    // The account is connected again, and the token is revoked during the run.
    let third = connect(scene);
    job.change_secret(&secret(&third)).await;
    scene.sandbox.set_pace(Pace { latency_ms: 400, throttle: None });
    let run_id = job.start().await;
    let on_the_list = || scene.sandbox.counts(&job.list).unwrap().total;
    wait_until("the first people are on the list", async || on_the_list() > 0).await;
    scene.sandbox.revoke_token(&third.access_token).unwrap();
    let finished = job.wait_for(run_id).await;
    finished.failed("authentication_failed", &["revoked", "connect the account again"]);
    let counts = finished.report.counts;
    assert_eq!(counts.added, u64::try_from(on_the_list()).unwrap());
    assert!(counts.added >= 1_000 && counts.deferred > 0, "{counts:?}");
    assert_eq!(
        (counts.added + counts.deferred, finished.because("authentication_failed")),
        (3_500, counts.deferred)
    );

    // After another connection the rest is delivered, also by workers that had cached the old tokens.
    scene.sandbox.set_pace(Pace::default());
    job.change_secret(&secret(&connect(scene))).await;
    let next = job.run().await;
    next.succeeded(Counts { added: counts.deferred, unchanged: counts.added, ..Counts::default() });
    assert_eq!(job.active(), emails(&people));
}
