//! The parts of the sandboxes' state that are shown over HTTP.

use sandbox::{campaign_monitor, dynamics365_sales, marketo, omnisend};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Returns the status and the body of a request to `/_sandbox/{path}`.
#[cfg(test)]
async fn inspect(base_url: &str, method: &str, path: &str) -> (u16, Value) {
    let address = base_url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("{method} /_sandbox/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

/// Checks what a path shows, and that an unknown path and another method are refused.
#[cfg(test)]
async fn check(base_url: &str, path: &str, expected: Value) {
    assert_eq!(inspect(base_url, "GET", path).await, (200, expected), "{path}");
    for (method, path) in [("GET", "nothing"), ("GET", "lists/0/counts"), ("DELETE", path)] {
        let (status, body) = inspect(base_url, method, path).await;
        assert_eq!((status, body["error"].is_string()), (404, true), "{method} {path}");
    }
}

#[tokio::test]
async fn each_sandbox_shows_its_lists_or_counts() {
    use campaign_monitor::{NewAccount, NewClient, SeedSubscriber, SubscriberState, UnsubscribeSetting};
    let sandbox = campaign_monitor::Sandbox::start(campaign_monitor::Options::default()).await.unwrap();
    let account = sandbox.create_account(NewAccount::default());
    let client = sandbox.create_client(NewClient::new(account.account_id, "Acme")).unwrap();
    let list = campaign_monitor::NewList {
        client_id: client.client_id,
        title: "People".to_owned(),
        confirmed_opt_in: false,
        unsubscribe_setting: UnsubscribeSetting::OnlyThisList,
    };
    let list = sandbox.create_list(list).unwrap();
    sandbox.seed_subscriber(&list, SeedSubscriber::new("a@example.com", SubscriberState::Bounced)).unwrap();
    let counts = json!({ "total": 1, "by_state": { "Bounced": 1 }, "suppressed": 0 });
    check(&sandbox.base_url(), &format!("lists/{list}/counts"), counts).await;
    assert!(sandbox.report().calls.is_empty(), "inspection is not counted");

    let sandbox = dynamics365_sales::Sandbox::start(dynamics365_sales::Options::default()).await.unwrap();
    check(&sandbox.base_url(), "lists", json!([])).await;

    let sandbox = marketo::Sandbox::start(marketo::Options::default()).await.unwrap();
    let list = sandbox.create_list(marketo::NewList::new("People")).unwrap();
    let shown = inspect(&sandbox.base_url(), "GET", "lists").await.1;
    assert_eq!((&shown[0]["id"], &shown[0]["members"]), (&json!(list), &json!(0)));
    check(&sandbox.base_url(), "lists", shown).await;

    let sandbox = omnisend::Sandbox::start(omnisend::Options::default()).await.unwrap();
    let brand = sandbox.create_brand(omnisend::NewBrand::default());
    let counts = json!({
        "contacts": 0, "made_by_api": 0, "by_status": {}, "by_tag": {},
        "unfinished_batches": 0, "pending_taggings": 0,
    });
    check(&sandbox.base_url(), &format!("brands/{}/counts", brand.brand_id), counts).await;
}
