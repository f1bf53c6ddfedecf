//! Tests of `check()`.

use super::*;

const DESCRIBE: &str = "/rest/v1/leads/describe2.json";
const LISTS: &str = "/rest/v1/lists.json";
const FOLDER: &str = "/rest/asset/v1/folder/byName.json";
const USAGE: &str = "/rest/v1/stats/usage.json";

async fn server(people: &str, lists: &str, writing: &str, assets: &str) -> MockServer {
    let answer = |code: &str, result: Value| if code.is_empty() { success(&result) } else { refusal(code) };
    let server = serve().await;
    let description = json!([{"name": "API Lead", "searchableFields": [["email"]], "fields": []}]);
    mount(&server, "GET", DESCRIBE, answer(people, description)).await;
    mount(&server, "GET", LISTS, answer(lists, json!([]))).await;
    mount(&server, "POST", LEADS, answer(writing, json!([]))).await;
    mount(&server, "GET", FOLDER, answer(assets, json!([]))).await;
    let usage = json!([{"date": "2026-11-22", "total": 1_234, "users": []}]);
    mount(&server, "GET", USAGE, success(&usage)).await;
    server
}

#[tokio::test]
async fn a_usable_account_says_how_much_of_its_day_is_spent() {
    for writing in ["", "1002", "609", "701"] {
        let server = server("", "", writing, "").await;
        let account = connector(&server).check(&context()).await.unwrap();
        assert_eq!(account.name, "127.0.0.1");
        let notice = "1234 of the account's calls of today are used so far, by all integrations together";
        assert_eq!(account.notices, [notice]);
    }
}

#[tokio::test]
async fn missing_rights_are_named() {
    for (people, lists, writing) in [("603", "", ""), ("", "603", ""), ("", "", "603")] {
        let server = server(people, lists, writing, "").await;
        let error = connector(&server).check(&context()).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Permission, Retry::Never));
        assert!(error.message.contains("\"Read-Write Person\""), "{error}");
    }
}

#[tokio::test]
async fn what_only_some_exports_need_is_a_notice() {
    let server = server("", "", "", "603").await;
    let account = connector(&server).check(&context()).await.unwrap();
    assert_eq!(account.notices.len(), 2);
    assert!(account.notices[0].contains("\"Read-Write Assets\""), "{:?}", account.notices);
}

#[tokio::test]
async fn trouble_is_not_taken_for_a_missing_right() {
    let server = server("", "", "611", "").await;
    let error = connector(&server).check(&context()).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Unavailable, Retry::Backoff));
}
