//! Tokens and roles.

use crate::client::{Fixture, Sent, ask_token, send, token};
use sandbox::marketo::{ExpiresIn, IdentityForm, NewService, Options, Permission};
use serde_json::{Value, json};

#[tokio::test]
async fn the_same_token_until_it_is_over() {
    let fixture = Fixture::new().await;
    let first = ask_token(&fixture.sandbox, &fixture.credentials).await.json();
    assert_eq!(first["token_type"], "bearer");
    assert_eq!(first["access_token"], json!(fixture.token));
    assert!((3590..=3600).contains(&first["expires_in"].as_i64().unwrap()), "{first}");
    fixture.sandbox.expire_token(&fixture.credentials.client_id).unwrap();
    assert_eq!(fixture.get("/rest/v1/lists.json").await.code(), 602);
    assert_ne!(token(&fixture.sandbox, &fixture.credentials).await, fixture.token);
    assert_eq!(fixture.get("/rest/v1/lists.json").await.code(), 601);
    // None of this counts in the quota.
    assert_eq!(fixture.sandbox.report().calls_of_day, 0);
    assert_eq!(fixture.sandbox.report().identity_calls, 2);
}

#[tokio::test]
async fn lifetimes_are_told_in_our_time_or_the_vendors() {
    for (expires_in, expected) in [(ExpiresIn::Ours, 59), (ExpiresIn::Vendor, 3590)] {
        let options = Options { time_scale: 60.0, expires_in, ..Options::default() };
        let fixture = Fixture::with(options).await;
        let told = ask_token(&fixture.sandbox, &fixture.credentials).await.json()["expires_in"].as_i64();
        assert!(told.is_some_and(|told| (expected - 30..=expected + 10).contains(&told)), "{told:?}");
        fixture.sandbox.answer_zero_lifetimes(1);
        let zero = ask_token(&fixture.sandbox, &fixture.credentials).await.json();
        assert_eq!((&zero["expires_in"], &zero["access_token"]), (&json!(0), &json!(fixture.token)));
        assert_ne!(ask_token(&fixture.sandbox, &fixture.credentials).await.json()["expires_in"], 0);
    }
}

#[tokio::test]
async fn a_token_ends_by_itself() {
    let fixture = Fixture::with(Options { token_ms: 0, ..Options::default() }).await;
    assert_eq!(fixture.get("/rest/v1/lists.json").await.code(), 602);
    let next = ask_token(&fixture.sandbox, &fixture.credentials).await.json();
    assert_eq!(next["expires_in"], 0);
    assert_ne!(next["access_token"], json!(fixture.token));
}

#[tokio::test]
async fn wrong_credentials_are_a_401() {
    let fixture = Fixture::new().await;
    fixture.sandbox.change_secret(&fixture.credentials.client_id, "other").unwrap();
    assert_eq!(ask_token(&fixture.sandbox, &fixture.credentials).await.status, 401);
}

#[tokio::test]
async fn the_identity_call_has_its_parameters_in_the_query() {
    for (identity_form, status) in [(IdentityForm::Refused, 400), (IdentityForm::Accepted, 200)] {
        let fixture = Fixture::with(Options { identity_form, ..Options::default() }).await;
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            fixture.credentials.client_id, fixture.credentials.client_secret
        );
        let base_url = fixture.sandbox.base_url();
        let in_form = send(&base_url, "POST", "/identity/oauth/token", &Sent::form(&form)).await.unwrap();
        assert_eq!(in_form.status, status);
        let path = format!("/identity/oauth/token?{form}");
        assert_eq!(send(&base_url, "POST", &path, &Sent::default()).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_token_is_a_header_and_nothing_else() {
    let fixture = Fixture::new().await;
    let base_url = fixture.sandbox.base_url();
    let path = format!("/rest/v1/lists.json?access_token={}", fixture.token);
    for (header, expected) in [
        (None, 600),
        (Some("Authorization: Bearer ".to_owned()), 600),
        (Some(format!("Authorization: Basic {}", fixture.token)), 600),
        (Some("Authorization: Bearer 0123".to_owned()), 601),
        (Some(format!("Authorization: Bearer {}", fixture.token)), 0),
    ] {
        let sent = Sent { headers: header.into_iter().collect(), body: Vec::new() };
        assert_eq!(send(&base_url, "GET", &path, &sent).await.unwrap().code(), expected, "{sent:?}");
    }
    for (method, path, expected) in [("PUT", "/rest/v1/leads.json", 605), ("GET", "/rest/v1/none.json", 610)]
    {
        assert_eq!(fixture.call(method, path, Sent::default()).await.code(), expected, "{method} {path}");
    }
}

async fn check(permission: Permission, expected: [u64; 4]) {
    let mut fixture = Fixture::new().await;
    let service = NewService { permissions: vec![permission], ..NewService::default() };
    fixture.token = token(&fixture.sandbox, &fixture.sandbox.create_service(service)).await;
    let form = Sent::form("name=New&folder=%7B%22id%22%3A12%2C%22type%22%3A%22Folder%22%7D");
    let codes = [
        fixture.get("/rest/v1/leads/describe2.json").await.code(),
        fixture.sync(vec![json!({ "email": "p@example.com" })]).await.code(),
        fixture.get("/rest/asset/v1/staticList/byName.json?name=People").await.code(),
        fixture.call("POST", "/rest/asset/v1/staticLists.json", form).await.code(),
    ];
    assert_eq!(codes, expected, "{permission:?}");
    assert_eq!(fixture.get("/rest/v1/stats/usage.json").await.code(), 0);
}

#[tokio::test]
async fn roles() {
    check(Permission::ReadOnlyPerson, [0, 603, 603, 603]).await;
    check(Permission::ReadWritePerson, [0, 0, 603, 603]).await;
    check(Permission::ReadOnlyAssets, [603, 603, 0, 603]).await;
    check(Permission::ReadWriteAssets, [603, 603, 0, 0]).await;
}

#[tokio::test]
async fn usage_and_errors() {
    let fixture = Fixture::new().await;
    for _ in 0..3 {
        fixture.get("/rest/v1/leads/describe2.json").await;
    }
    fixture.get("/rest/v1/none.json").await;
    let usage = fixture.get("/rest/v1/stats/usage.json").await.rows();
    assert_eq!((&usage[0]["total"], &usage[0]["users"][0]["count"]), (&json!(5), &json!(5)));
    let errors = fixture.get("/rest/v1/stats/errors.json").await.rows();
    assert_eq!(errors[0]["errors"], json!([{ "errorCode": "610", "count": 1 }]));
    let described = fixture.get("/rest/v1/leads/describe2.json").await.rows();
    assert!(described[0]["searchableFields"].as_array().unwrap().contains(&json!(["email"])));
    let email = described[0]["fields"].as_array().unwrap().iter().find(|field| field["name"] == "email");
    let expected = json!({
        "name": "email", "displayName": "email", "dataType": "email", "length": 255,
        "updateable": true, "crmManaged": false,
    });
    assert_eq!(email, Some(&expected));
    assert_ne!(fixture.get("/rest/v1/leads/describe.json").await.rows(), Vec::<Value>::new());
    assert_eq!(
        fixture.get("/rest/v1/leads/partitions.json").await.rows(),
        [json!({"id":1,"name":"Default"})]
    );
}
