//! Tests of `check()`.

use super::*;
use ErrorKind::{Permission, Settings};

const WHO: &str = "/api/data/v9.2/WhoAmI";
const LISTS: &str = "/api/data/v9.2/lists";
const CONTACTS: &str = "/api/data/v9.2/contacts";
const PRIVILEGES: &str = "/api/data/v9.2/systemusers(d96e9f55-0000-4000-8000-000000000000)/Microsoft.Dynamics.CRM.RetrieveUserPrivileges";
const ALL: [&str; 6] =
    ["prvReadList", "prvWriteList", "prvAppendToList", "prvReadContact", "prvAppendContact", "prvCreateList"];

fn who() -> ResponseTemplate {
    let body = json!({"BusinessUnitId": LIST, "UserId": "d96e9f55-0000-4000-8000-000000000000", "OrganizationId": LIST});
    ResponseTemplate::new(200).set_body_json(body).insert_header("x-ms-dop-hint", "12")
}

fn rows() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"value": []}))
}

fn privileges(names: &[&str]) -> ResponseTemplate {
    let names: Vec<Value> =
        names.iter().map(|name| json!({"PrivilegeName": name, "Depth": "Global"})).collect();
    ResponseTemplate::new(200).set_body_json(json!({"RolePrivileges": names}))
}

fn missing(privilege: &str) -> ResponseTemplate {
    let message = format!("Principal user (Id=1, type=8), is missing {privilege} privilege on OTC=4300");
    ResponseTemplate::new(403).set_body_json(json!({"error": {"code": "0x80040220", "message": message}}))
}

async fn check(
    who: ResponseTemplate,
    lists: ResponseTemplate,
    contacts: ResponseTemplate,
    privileges: ResponseTemplate,
) -> Result<Vec<String>, PushError> {
    let server = server().await;
    mount(&server, "GET", WHO, who).await;
    mount(&server, "GET", LISTS, lists).await;
    mount(&server, "GET", CONTACTS, contacts).await;
    mount(&server, "GET", PRIVILEGES, privileges).await;
    let account = sales(&server).check(&context()).await?;
    assert_eq!(account.name, "127.0.0.1");
    Ok(account.notices)
}

#[tokio::test]
async fn a_usable_organisation_says_what_it_recommends() {
    let notices = check(who(), rows(), rows(), privileges(&ALL)).await.unwrap();
    assert_eq!(notices, ["the organisation recommends up to 12 calls at a time; each list takes one"]);
    let notices = check(who(), rows(), rows(), privileges(&ALL[..5])).await.unwrap();
    assert!(notices[0].contains("lacks prvCreateList: exports have to name existing lists"), "{notices:?}");
    let notices = check(who(), rows(), rows(), refusal(403, "0x80040220")).await.unwrap();
    assert!(notices[0].contains("could not be read"), "{notices:?}");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let expect = async |found: Result<Vec<String>, PushError>, kind: ErrorKind, words: &str| {
        let error = found.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::Never), "{error}");
        assert!(error.message.contains(words), "{error}");
    };
    let user = "create an application user";
    expect(check(refusal(403, "0x80072560"), rows(), rows(), rows()).await, Permission, user).await;
    let restricted = "an administrator has to allow it";
    expect(check(refusal(403, "0x80095ffc"), rows(), rows(), rows()).await, Permission, restricted).await;
    expect(check(refusal(403, "0x8004A112"), rows(), rows(), rows()).await, Permission, "disabled").await;
    expect(check(refusal(403, "0x80042F09"), rows(), rows(), rows()).await, Permission, "no security role")
        .await;
    expect(check(ResponseTemplate::new(404), rows(), rows(), rows()).await, Settings, "organisation_url")
        .await;
    let lists = "the privilege prvReadList";
    expect(check(who(), missing("prvReadList"), rows(), rows()).await, Permission, lists).await;
    let contacts = "the privilege prvReadContact";
    expect(check(who(), rows(), missing("prvReadContact"), rows()).await, Permission, contacts).await;
    let append = "lacks prvAppendToList, prvAppendContact: add it";
    let held = privileges(&["prvReadList", "prvWriteList", "prvReadContact"]);
    expect(check(who(), rows(), rows(), held).await, Permission, append).await;
}
