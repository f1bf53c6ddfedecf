//! Tests of `check()`.

use super::*;

#[tokio::test]
async fn a_usable_account_is_named_and_nothing_is_written() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let account = v2026(&server).check(&context()).await.unwrap();
    assert_eq!((account.name.as_str(), account.notices), ("Shop One", vec![]));
    let account = v5(&server).check(&context()).await.unwrap();
    assert_eq!((account.name.as_str(), account.notices), ("Omnisend", vec![]));
    assert!(fake.state().people.is_empty());
    for path in ["/api/batches", "/v5/batches"] {
        let probe: Value = requests(&server, "POST", path).await[0].body_json().unwrap();
        assert_eq!(probe, json!({"method": "POST", "endpoint": "contacts", "items": []}));
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_account_is_told_apart() {
    let check = async |call: &'static str, status: u16, expected: Result<&str, (ErrorKind, &str)>| {
        let fake = Fake::default();
        fake.fault(call, [ResponseTemplate::new(status)]);
        let server = fake.serve().await;
        match (v2026(&server).check(&context()).await, expected) {
            (Ok(account), Ok(words)) => assert!(account.notices[0].contains(words), "{account:?}"),
            (Err(error), Err((kind, words))) => {
                assert_eq!(error.kind, kind, "{error}");
                assert!(error.message.contains(words), "{error}");
            }
            (found, _) => panic!("{call} {status}: {found:?}"),
        }
    };
    check("GET /api/brands", 401, Err((ErrorKind::Authentication, "the API key is not accepted"))).await;
    check("GET /api/brands", 403, Ok("brands.read")).await;
    check("GET /api/brands", 410, Err((ErrorKind::Settings, "choose another dialect"))).await;
    check("GET /api/contacts", 403, Err((ErrorKind::Permission, "contacts.read is needed"))).await;
    check("POST /api/batches", 403, Err((ErrorKind::Permission, "contacts.write is needed"))).await;
}

#[test]
fn a_connection_of_a_foreign_host_or_with_wrong_settings_is_refused() {
    let refused = |endpoint: &str, domains: &[&str], settings: Value| {
        let endpoint = Endpoint::parse(endpoint, domains).unwrap();
        let (http, store) = (HttpClient::new().unwrap(), MemoryStore::new(SECRET));
        let made = Omnisend::new(endpoint, http, &object(settings), store);
        made.err().map(|error| {
            assert_eq!(error.kind, ErrorKind::Settings);
            error.message
        })
    };
    let own = super::super::DEFAULT_ENDPOINT;
    assert_eq!(refused(own, DOMAINS, json!({})), None);
    assert_eq!(refused(own, DOMAINS, json!({"endpoint": "http://127.0.0.1:4010"})), None);
    let foreign = "host \"example.com\" is not one of the destination's own: omnisend.com";
    assert_eq!(refused("https://example.com", &["example.com"], json!({})).as_deref(), Some(foreign));
    let other = refused(own, DOMAINS, json!({"endpoint": "https://example.com"})).unwrap();
    assert_eq!(other, format!("settings.endpoint: {foreign}"));
    assert_eq!(
        refused(own, DOMAINS, json!({"lanes": 99})).as_deref(),
        Some("settings.lanes must be 1 to 16")
    );
}
