//! Tokens, and what a token without a user is good for.

use crate::client::Fixture;
use sandbox::dynamics365_sales::{ApplicationChange, ApplicationUser, NewApplication, Options, UserState};
use serde_json::Value;

async fn check(fixture: &Fixture, changes: &[(&str, &str)], expected: (u16, &str, u64)) {
    let reply = fixture.ask_token(changes).await;
    let body = reply.json();
    let number = body["error_codes"][0].as_u64().unwrap_or_default();
    let error = body["error"].as_str().unwrap_or_default();
    assert_eq!((reply.status, error, number), expected, "{changes:?}");
    assert_eq!(number > 0, body["error_description"].as_str().is_some_and(|text| text.starts_with("AADSTS")));
}

#[tokio::test]
async fn each_refusal_has_its_number() {
    let fixture = Fixture::new().await;
    let unknown = "00000000-0000-0000-0000-000000000001";
    check(&fixture, &[], (200, "", 0)).await;
    check(&fixture, &[("tenant", unknown)], (400, "invalid_request", 90_002)).await;
    check(&fixture, &[("client_id", unknown)], (400, "unauthorized_client", 700_016)).await;
    check(&fixture, &[("client_id", "")], (400, "invalid_request", 900_144)).await;
    check(&fixture, &[("grant_type", "password")], (400, "unsupported_grant_type", 70_003)).await;
    check(&fixture, &[("client_secret", "wrong")], (401, "invalid_client", 7_000_215)).await;
    check(&fixture, &[("client_secret", "")], (401, "invalid_client", 7_000_216)).await;
    let own = fixture.sandbox.base_url();
    for scope in [own.clone(), format!("{own}/user_impersonation")] {
        check(&fixture, &[("scope", &scope)], (400, "invalid_scope", 1_002_012)).await;
    }
    let other = [("scope", "https://other.crm.dynamics.com/.default")];
    check(&fixture, &other, (400, "invalid_resource", 500_011)).await;
    let change = ApplicationChange::SecretExpires;
    fixture.sandbox.change_application(fixture.application.client_id, change).unwrap();
    check(&fixture, &[], (401, "invalid_client", 7_000_222)).await;
    let by_code =
        fixture.sandbox.report().calls[&sandbox::dynamics365_sales::Endpoint::Token].by_code.clone();
    assert_eq!(by_code["7000215"], 1);
}

#[tokio::test]
async fn the_organisation_has_an_address_of_its_own() {
    let organization_url = Some("https://contoso.crm.dynamics.com".to_owned());
    let fixture = Fixture::with(Options { organization_url, ..Options::default() }).await;
    check(&fixture, &[("scope", "https://contoso.crm.dynamics.com/.default")], (200, "", 0)).await;
    let context = fixture.call("GET", "WhoAmI", Value::Null).await.json()["@odata.context"].clone();
    assert!(context.as_str().unwrap().starts_with("https://contoso.crm.dynamics.com/api/data/v9.2/"));
}

#[tokio::test]
async fn tokens_live_for_their_time() {
    let fixture = Fixture::with(Options { time_scale: 20.0, ..Options::default() }).await;
    assert_eq!(fixture.ask_token(&[]).await.json()["expires_in"], 179, "told in real seconds");
    assert_eq!(fixture.call("GET", "WhoAmI", Value::Null).await.status, 200);
    let expire = ApplicationChange::TokensExpire;
    fixture.sandbox.change_application(fixture.application.client_id, expire).unwrap();
    let reply = fixture.call("GET", "WhoAmI", Value::Null).await;
    assert_eq!((reply.status, reply.body.as_str()), (401, ""));
    assert!(reply.header("www-authenticate").unwrap().contains("invalid_token"));
    let short = Fixture::with(Options { access_token_seconds: 0, ..Options::default() }).await;
    assert_eq!(short.call("GET", "WhoAmI", Value::Null).await.status, 401);
}

#[tokio::test]
async fn a_token_is_good_for_nothing_without_a_user() {
    let missing = NewApplication { user: ApplicationUser::Missing, ..NewApplication::default() };
    let fixture = Fixture::of(Options::default(), missing, 1).await;
    let whoami = async || fixture.call("GET", "WhoAmI", Value::Null).await.outcome();
    assert_eq!(whoami().await, (403, "0x80072560".to_owned()));
    let change = |change| fixture.sandbox.change_application(fixture.application.client_id, change).unwrap();
    change(ApplicationChange::User(ApplicationUser::WithLeastPrivileges));
    assert_eq!(whoami().await, (200, String::new()));
    for (state, code) in [
        (UserState::Disabled, "0x8004a112"),
        (UserState::WithoutRoles, "0x80042f09"),
        (UserState::Restricted, "0x80095ffc"),
    ] {
        change(ApplicationChange::State(state));
        assert_eq!(whoami().await, (403, code.to_owned()));
    }
}
