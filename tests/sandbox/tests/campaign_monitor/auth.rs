//! Keys, tokens and what they let a caller see.

use crate::client::{Fixture, basic, send};
use sandbox::campaign_monitor::{NewAccount, NewClient, NewTokens, Options, Tokens, UnknownList};
use serde_json::{Value, json};

async fn check(fixture: &Fixture, authorization: Option<&str>, path: &str, expected: (u16, u64)) {
    let reply =
        send(&fixture.sandbox.base_url(), "GET", &fixture.path(path), authorization, "").await.unwrap();
    assert_eq!(reply.status_and_code(), expected, "{authorization:?} {path}");
}

fn tokens(fixture: &Fixture, expires_in_seconds: Option<i64>, scopes: Option<Vec<String>>) -> Tokens {
    let account_id = fixture.account.account_id.clone();
    fixture.sandbox.issue_tokens(NewTokens { account_id, expires_in_seconds, scopes }).unwrap()
}

async fn refresh(fixture: &Fixture, form: &str) -> (u16, Value) {
    let reply = send(&fixture.sandbox.base_url(), "POST", "/oauth/token", None, form).await.unwrap();
    (reply.status, reply.json())
}

#[tokio::test]
async fn api_keys() {
    let fixture = Fixture::new().await;
    let key = basic(&fixture.account.api_key);
    let client_key = basic(&fixture.client.api_key);
    let list = "/lists/{list}.json";
    check(&fixture, None, list, (401, 50)).await;
    check(&fixture, Some("Basic"), list, (401, 50)).await;
    check(&fixture, Some("Basic ???"), list, (401, 50)).await;
    check(&fixture, Some(&format!("Digest {key}")), list, (401, 50)).await;
    check(&fixture, Some(&basic("0123456789abcdef")), list, (401, 100)).await;
    check(&fixture, Some(&key), list, (200, 0)).await;
    check(&fixture, Some(&client_key), list, (200, 0)).await;
    check(&fixture, Some(&key), "/lists/0123456789abcdef.json", (401, 102)).await;
    check(&fixture, Some(&key), "/clients/0123456789abcdef/lists.json", (401, 102)).await;
    check(&fixture, Some(&key), "/nothing.json", (404, 404)).await;
    fixture.sandbox.revoke_key(&fixture.account.api_key).unwrap();
    check(&fixture, Some(&key), list, (401, 100)).await;
    check(&fixture, Some(&client_key), list, (200, 0)).await;
}

#[tokio::test]
async fn the_code_of_an_unknown_list_can_be_that_of_the_old_version() {
    let options = Options { unknown_list: UnknownList::InvalidList, ..Options::default() };
    let fixture = Fixture::with(options).await;
    let key = basic(&fixture.account.api_key);
    check(&fixture, Some(&key), "/lists/0123456789abcdef.json", (401, 101)).await;
}

#[tokio::test]
async fn nobody_sees_what_is_not_theirs() {
    let fixture = Fixture::new().await;
    let sibling = NewClient::new(fixture.account.account_id.clone(), "Sibling");
    let sibling = basic(&fixture.sandbox.create_client(sibling).unwrap().api_key);
    let stranger = basic(&fixture.sandbox.create_account(NewAccount::default()).api_key);
    for key in [&sibling, &stranger] {
        for path in [
            "/lists/{list}.json",
            "/lists/{list}/active.json",
            "/lists/{list}/customfields.json",
            "/clients/{client}/lists.json",
            "/subscribers/{list}.json?email=a%40example.com",
        ] {
            check(&fixture, Some(key), path, (401, 102)).await;
        }
    }
}

#[tokio::test]
async fn tokens_expire_and_are_revoked() {
    let fixture = Fixture::new().await;
    let live = tokens(&fixture, None, None);
    assert_eq!(live.expires_in, 1_209_600);
    let expired = tokens(&fixture, Some(0), None);
    let bearer = |tokens: &Tokens| format!("Bearer {}", tokens.access_token);
    let list = "/lists/{list}.json";
    check(&fixture, Some("Bearer 0123456789abcdef"), list, (401, 120)).await;
    check(&fixture, Some(&bearer(&expired)), list, (401, 121)).await;
    check(&fixture, Some(&bearer(&live)), list, (200, 0)).await;
    fixture.sandbox.expire_token(&live.access_token).unwrap();
    check(&fixture, Some(&bearer(&live)), list, (401, 121)).await;
    fixture.sandbox.revoke_token(&live.access_token).unwrap();
    check(&fixture, Some(&bearer(&live)), list, (401, 122)).await;
    let form = format!("grant_type=refresh_token&refresh_token={}", live.refresh_token);
    assert_eq!(refresh(&fixture, &form).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn scopes_limit_what_a_token_may_do() {
    let fixture = Fixture::new().await;
    let scoped =
        |scope: &str| format!("Bearer {}", tokens(&fixture, None, Some(vec![scope.to_owned()])).access_token);
    let (import_only, lists_only) = (scoped("ImportSubscribers"), scoped("ManageLists"));
    check(&fixture, Some(&import_only), "/clients.json", (200, 0)).await;
    check(&fixture, Some(&import_only), "/lists/{list}/customfields.json", (401, 60)).await;
    check(&fixture, Some(&lists_only), "/lists/{list}/customfields.json", (200, 0)).await;
    let path = fixture.path("/subscribers/{list}/import.json");
    for (bearer, expected) in [(&import_only, (400, 212)), (&lists_only, (401, 60))] {
        let reply = send(&fixture.sandbox.base_url(), "POST", &path, Some(bearer), "{}").await.unwrap();
        assert_eq!(reply.status_and_code(), expected);
    }
}

#[tokio::test]
async fn a_refresh_replaces_both_tokens() {
    let fixture = Fixture::new().await;
    let old = tokens(&fixture, None, None);
    let form = format!("grant_type=refresh_token&refresh_token={}", old.refresh_token);
    let (status, body) = refresh(&fixture, &form).await;
    assert_eq!(status, 200);
    let new: Tokens = serde_json::from_value(body).unwrap();
    assert_ne!((&new.access_token, &new.refresh_token), (&old.access_token, &old.refresh_token));
    let list = "/lists/{list}.json";
    check(&fixture, Some(&format!("Bearer {}", new.access_token)), list, (200, 0)).await;
    check(&fixture, Some(&format!("Bearer {}", old.access_token)), list, (401, 121)).await;
    // The old refresh token is dead, and the error comes with status 200.
    assert_eq!(
        refresh(&fixture, &form).await,
        (
            200,
            json!({
                "error": "invalid_grant",
                "error_description": "Specified refresh token was invalid or expired",
            })
        )
    );
}

#[tokio::test]
async fn the_token_endpoint_refuses() {
    let fixture = Fixture::with(Options { oauth_error_status: 400, ..Options::default() }).await;
    for (form, expected) in [
        ("", "invalid_request"),
        ("grant_type=refresh_token", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=unknown", "invalid_grant"),
        ("grant_type=authorization_code&code=unknown", "invalid_grant"),
        ("grant_type=password", "unsupported_grant_type"),
        ("{\"grant_type\":\"refresh_token\"}", "invalid_request"),
    ] {
        let (status, body) = refresh(&fixture, form).await;
        assert_eq!((status, &body["error"]), (400, &json!(expected)), "{form}");
    }
}
