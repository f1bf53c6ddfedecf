//! Tests of `check()`.

use super::*;
use ErrorKind::{Authentication, Permission, Settings};

const CLIENTS: &str = "/api/v3.3/clients.json";
const LISTS: &str = "/api/v3.3/clients/4a397ccaaa55eb4e6aa1221e1e2d7122/lists.json";
const CLIENT_ID: &str = "4a397ccaaa55eb4e6aa1221e1e2d7122";

fn clients(names: &[&str]) -> ResponseTemplate {
    let ids = [CLIENT_ID, "a206def0582eec7dae47d937a4109cb2"];
    let clients: Vec<Value> =
        ids.iter().zip(names).map(|(id, name)| json!({"ClientID": id, "Name": name})).collect();
    ResponseTemplate::new(200).set_body_json(clients)
}

async fn check(
    clients: ResponseTemplate,
    lists: ResponseTemplate,
    settings: Value,
) -> Result<(String, Vec<String>), PushError> {
    let server = MockServer::start().await;
    mount(&server, "GET", CLIENTS, clients).await;
    mount(&server, "GET", LISTS, lists).await;
    let connector = connector(&server, MemoryStore::new(API_KEY_SECRET), settings);
    connector.check(&context()).await.map(|account| (account.name, account.notices))
}

fn two_lists() -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(json!([{"ListID": LIST, "Name": "a"}, {"ListID": "b", "Name": "b"}]))
}

#[tokio::test]
async fn a_usable_account_is_named() {
    let found = check(clients(&["Client One"]), two_lists(), json!({})).await.unwrap();
    assert_eq!(found, ("Client One".to_owned(), vec!["the client has 2 lists".to_owned()]));
    let both = || clients(&["Client One", "Client Two"]);
    let found = check(both(), two_lists(), json!({"client_id": CLIENT_ID})).await.unwrap();
    assert_eq!(found.0, "Client One");
    let (name, notices) = check(both(), two_lists(), json!({})).await.unwrap();
    assert_eq!(name, "2 clients: Client One, Client Two");
    assert!(notices[0].contains("set client_id"), "{notices:?}");
}

#[tokio::test]
async fn what_is_wrong_with_an_account_is_told_apart() {
    let one = || clients(&["Client One"]);
    let expect = async |clients, lists, settings, kind: ErrorKind, words: &str| {
        let error = check(clients, lists, settings).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::Never), "{error}");
        assert!(error.message.contains(words), "{error}");
    };
    expect(refusal(401, 100), two_lists(), json!({}), Authentication, "the API key is not accepted").await;
    expect(refusal(401, 50), two_lists(), json!({}), Authentication, "the API key is not accepted").await;
    expect(one(), refusal(401, 60), json!({}), Permission, "ManageLists").await;
    expect(one(), refusal(401, 102), json!({}), Settings, "settings.client_id").await;
    expect(one(), two_lists(), json!({"client_id": "4a39"}), Settings, "settings.client_id is none of").await;
    expect(clients(&[]), two_lists(), json!({}), Permission, "see no client").await;
}

#[test]
fn a_connection_of_a_foreign_host_or_with_wrong_settings_is_refused() {
    let refused = |endpoint: &str, domains: &[&str], settings: Value| {
        let endpoint = Endpoint::parse(endpoint, domains).unwrap();
        let store = MemoryStore::new(API_KEY_SECRET);
        let made = CampaignMonitor::new(endpoint, HttpClient::new().unwrap(), &object(settings), store);
        made.err().map(|error| (error.kind, error.message))
    };
    let own = "https://api.createsend.com";
    assert_eq!(refused(own, DOMAINS, json!({})), None);
    let (kind, message) = refused("https://example.com", &["example.com"], json!({})).unwrap();
    assert_eq!(
        (kind, message.as_str()),
        (Settings, "host \"example.com\" is not one of the destination's own: createsend.com")
    );
    let (kind, message) = refused(own, DOMAINS, json!({"lanes": 99})).unwrap();
    assert_eq!((kind, message.as_str()), (Settings, "settings.lanes must be 1 to 8"));
}

#[tokio::test]
async fn lanes_are_the_settings() {
    let server = MockServer::start().await;
    let lanes = |settings| connector(&server, MemoryStore::new(API_KEY_SECRET), settings).lanes();
    assert_eq!((lanes(json!({})), lanes(json!({"lanes": 2}))), (4, 2));
}
