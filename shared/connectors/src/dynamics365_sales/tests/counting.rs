//! The organisation's own count of a list's members.

use super::*;
use wiremock::matchers::{header, query_param};

const MEMBERS: &str = "/api/data/v9.2/listmembers";

fn page(rows: usize, next: Option<String>) -> ResponseTemplate {
    let mut body = json!({"value": vec![json!({"listmemberid": LIST}); rows]});
    if let Some(next) = next {
        body["@odata.nextLink"] = next.into();
    }
    ResponseTemplate::new(200).set_body_json(body)
}

#[tokio::test]
async fn members_are_counted_page_by_page() {
    let server = server().await;
    let next = format!("{}{MEMBERS}?page=2&$skiptoken=%3Ccookie%20a=%2522%253d%2522%3E", server.uri());
    let preferred = || Mock::given(path(MEMBERS)).and(header("prefer", "odata.maxpagesize=5000"));
    preferred()
        .and(query_param("$filter", format!("_listid_value eq {LIST}")))
        .respond_with(page(5_000, Some(next.clone())))
        .mount(&server)
        .await;
    preferred().and(query_param("page", "2")).respond_with(page(17, None)).mount(&server).await;
    assert_eq!(sales(&server).count_members(&target(), &context()).await.unwrap(), Some(5_017));
    // The link to the next page is used unchanged.
    let calls = calls(&server, MEMBERS).await;
    assert_eq!(calls[1].url.as_str().split_once(MEMBERS).unwrap().1, next.split_once(MEMBERS).unwrap().1);
}

#[tokio::test]
async fn tokens_do_not_follow_links_elsewhere() {
    let server = server().await;
    let other = MockServer::start().await;
    mount(&server, "GET", MEMBERS, page(1, Some(format!("{}{MEMBERS}", other.uri())))).await;
    let error = sales(&server).count_members(&target(), &context()).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Protocol, Retry::Never));
    assert_eq!(other.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_count_is_given_up_when_time_is_short() {
    let server = server().await;
    let context = CallContext::until(Instant::now() + Duration::from_secs(4));
    assert_eq!(sales(&server).count_members(&target(), &context).await.unwrap(), None);
}
