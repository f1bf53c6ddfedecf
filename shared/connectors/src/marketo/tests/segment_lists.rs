//! A segment's own lists: found, created, renamed, deleted.

use super::preparing::{DESCRIBE, USAGE, description, prepare};
use super::*;
use crate::{Prepared, Retired, WantedList};
use url::form_urlencoded;

const FOLDER: &str = "/rest/asset/v1/folder/byName.json";
const BY_NAME: &str = "/rest/asset/v1/staticList/byName.json";
const CREATE: &str = "/rest/asset/v1/staticLists.json";
const RENAME: &str = "/rest/asset/v1/staticList/1159.json";
const DELETE: &str = "/rest/asset/v1/staticList/1159/delete.json";
const LIST: &str = "/rest/v1/lists/1159.json";

async fn server() -> MockServer {
    let server = serve().await;
    mount(&server, "GET", DESCRIBE, success(&description())).await;
    mount(&server, "GET", USAGE, success(&json!([]))).await;
    let folder = json!([{
        "name": "Group Lists",
        "folderId": {"id": 12, "type": "FOLDER"},
        "folderType": "List",
        "path": "/Lead Database/Default/Group Lists",
        "isArchive": false,
        "isSystem": true,
        "workspace": "Default",
        "id": 12,
    }]);
    mount(&server, "GET", FOLDER, success(&folder)).await;
    server
}

fn asset(name: &str, folder: u64) -> Value {
    json!([{"id": 1159, "name": name, "folder": {"id": folder, "type": "Folder"}, "workspace": "Default"}])
}

/// Returns the vendor's response if nothing has the name: a success without results.
fn nothing() -> ResponseTemplate {
    let warnings = ["No assets found for the given search criteria."];
    ResponseTemplate::new(200).set_body_json(json!({"success": true, "errors": [], "warnings": warnings}))
}

fn of_segment(known: Option<&str>) -> WantedList {
    WantedList::OfSegment {
        segment: "spenders".to_owned().try_into().unwrap(),
        name: "High Value".to_owned(),
        known: known.map(|id| ListId(id.to_owned())),
    }
}

async fn prepared(server: &MockServer, known: Option<&str>) -> Result<Prepared<MarketoTarget>, PushError> {
    prepare(server, json!({}), json!([]), &of_segment(known)).await
}

fn form(request: &Request) -> Vec<(String, String)> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

#[tokio::test]
async fn a_list_is_made_under_the_segments_name() {
    let server = server().await;
    mount(&server, "GET", BY_NAME, nothing()).await;
    mount(&server, "POST", CREATE, success(&asset("High Value", 12))).await;
    let prepared = prepared(&server, None).await.unwrap();
    assert_eq!(prepared.list_id, ListId("1159".to_owned()));
    assert_eq!(prepared.notices, ["list \"High Value\" (id 1159) was made in folder \"Group Lists\""]);
    let all = requests(&server).await;
    let created = all.iter().find(|request| request.url.path() == CREATE).unwrap();
    assert_eq!(created.headers["content-type"], "application/x-www-form-urlencoded");
    let form = form(created);
    assert_eq!(form[0], ("folder".to_owned(), r#"{"id":12,"type":"Folder"}"#.to_owned()));
    assert_eq!(form[1], ("name".to_owned(), "High Value".to_owned()));
}

#[tokio::test]
async fn a_list_of_the_name_is_taken_up_and_said_so() {
    let server = server().await;
    mount(&server, "GET", BY_NAME, success(&asset("High Value", 12))).await;
    let prepared = prepared(&server, None).await.unwrap();
    assert_eq!(prepared.list_id, ListId("1159".to_owned()));
    assert_eq!(
        prepared.notices,
        ["list \"High Value\" (id 1159) was there already and is used for the segment"]
    );
}

#[tokio::test]
async fn a_list_of_the_name_in_another_folder_is_not_ours() {
    let server = server().await;
    mount(&server, "GET", BY_NAME, success(&asset("High Value", 99))).await;
    for code in ["709", "1014", "1017"] {
        let taken = Mock::given(method("POST")).and(path(CREATE)).respond_with(refusal(code));
        let _mounted = taken.mount_as_scoped(&server).await;
        let error = prepared(&server, None).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Settings, Retry::Never), "{code}");
        assert!(error.message.contains("the name is taken"), "{error}");
    }
}

#[tokio::test]
async fn a_known_list_is_used_without_a_search() {
    let server = server().await;
    mount(&server, "GET", LIST, success(&json!([{"id": 1159, "name": "High Value"}]))).await;
    let prepared = prepared(&server, Some("1159")).await.unwrap();
    assert_eq!((prepared.list_id, prepared.notices), (ListId("1159".to_owned()), vec![]));
    let asset_calls = calls(&server).await.iter().filter(|call| call.contains("/asset/")).count();
    assert_eq!(asset_calls, 0);
}

#[tokio::test]
async fn a_known_list_follows_its_segments_name_where_that_is_allowed() {
    let check = async |answer: ResponseTemplate, notice: &str| {
        let server = server().await;
        mount(&server, "GET", LIST, success(&json!([{"id": 1159, "name": "Old"}]))).await;
        mount(&server, "POST", RENAME, answer).await;
        let prepared = prepared(&server, Some("1159")).await.unwrap();
        assert_eq!(prepared.list_id, ListId("1159".to_owned()));
        assert!(prepared.notices[0].starts_with(notice), "{:?}", prepared.notices);
        let all = requests(&server).await;
        let renamed = all.iter().find(|request| request.url.path() == RENAME).unwrap();
        assert_eq!(form(renamed), [("name".to_owned(), "High Value".to_owned())]);
    };
    let renamed = "list \"Old\" (id 1159) was renamed to \"High Value\"";
    check(success(&asset("High Value", 12)), renamed).await;
    let kept = "list \"Old\" (id 1159) keeps its name";
    check(refusal("603"), kept).await;
    check(refusal("709"), kept).await;
}

#[tokio::test]
async fn a_known_list_that_was_deleted_is_made_again() {
    let server = server().await;
    mount(&server, "GET", "/rest/v1/lists/1001.json", refusal("1013")).await;
    mount(&server, "GET", BY_NAME, nothing()).await;
    mount(&server, "POST", CREATE, success(&asset("High Value", 12))).await;
    let prepared = prepared(&server, Some("1001")).await.unwrap();
    assert_eq!(prepared.list_id, ListId("1159".to_owned()));
    assert!(prepared.notices[0].contains("is not there any more"), "{:?}", prepared.notices);
}

#[tokio::test]
async fn without_the_right_to_assets_the_right_is_named() {
    let server = serve().await;
    mount(&server, "GET", DESCRIBE, success(&description())).await;
    mount(&server, "GET", FOLDER, refusal("603")).await;
    let error = prepared(&server, None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Permission);
    assert!(error.message.contains("\"Read-Write Assets\""), "{error}");
}

#[tokio::test]
async fn a_list_is_deleted_unless_something_uses_it() {
    let check = async |answer: ResponseTemplate, expected: Retired| {
        let server = server().await;
        mount(&server, "POST", DELETE, answer).await;
        let list = ListId("1159".to_owned());
        assert_eq!(connector(&server).retire(&list, &context()).await, Ok(expected));
    };
    check(success(&json!([{"id": 1159}])), Retired::Gone).await;
    check(refusal("1022"), Retired::InUse).await;
    check(refusal("1013"), Retired::Gone).await;
    check(refusal("702"), Retired::Gone).await;
}
