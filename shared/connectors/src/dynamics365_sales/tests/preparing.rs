//! Tests of `prepare()`.

use super::super::ids;
use super::*;
use crate::{Prepared, WantedList};
use ErrorKind::{ListMissing, Settings};
use relay_delivery::mapping::MatchKeyKind;
use relay_model::{ExportId, SegmentId};

const METADATA: &str = "/api/data/v9.2/$metadata";
const LISTS: &str = "/api/data/v9.2/lists";
const SALES: &str = r#"<Action Name="AddListMembersList"/><Action Name="RemoveListMembersList"/>"#;

fn list(name: &str, changes: &Value) -> ResponseTemplate {
    let mut list = json!({
        "listid": LIST, "listname": name, "type": false, "createdfromcode": 2, "lockstatus": false, "statecode": 0,
    });
    list.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    ResponseTemplate::new(200).set_body_json(list)
}

fn gone() -> ResponseTemplate {
    refusal(404, "0x80040217")
}

fn path_of(id: &str) -> String {
    format!("/api/data/v9.2/lists({id})")
}

fn of_segment(gone: Option<&str>) -> String {
    let export = ExportId::try_from("vips".to_owned()).unwrap();
    let segment = SegmentId::try_from("vip".to_owned()).unwrap();
    let gone = gone.map(|gone| gone.parse().unwrap());
    ids::of_segment(&export, &segment, gone.as_ref()).to_string()
}

fn wanted(known: Option<&str>) -> WantedList {
    WantedList::OfSegment {
        segment: SegmentId::try_from("vip".to_owned()).unwrap(),
        name: "VIP customers".to_owned(),
        known: known.map(|known| ListId(known.to_owned())),
    }
}

async fn with_metadata(metadata: &str) -> MockServer {
    let server = server().await;
    mount(&server, "GET", METADATA, ResponseTemplate::new(200).set_body_string(metadata)).await;
    server
}

async fn prepare(
    server: &MockServer,
    wanted: &WantedList,
) -> Result<Prepared<Dynamics365SalesTarget>, PushError> {
    sales(server).prepare(&export(&json!([]), &json!({})), wanted, &context()).await
}

async fn writes(server: &MockServer) -> Vec<(String, String, Value)> {
    let requests = server.received_requests().await.unwrap();
    let write = |request: &Request| {
        let body = request.body_json().ok()?;
        Some((request.method.to_string(), request.url.path().to_owned(), body))
    };
    requests.iter().filter_map(write).collect()
}

#[tokio::test]
async fn an_existing_list_is_verified_and_left_as_it_is() {
    let server = with_metadata(SALES).await;
    mount(&server, "GET", LIST_PATH, list("Newsletter", &json!({}))).await;
    let wanted = WantedList::Existing(ListId(format!("{{{}}}", LIST.to_uppercase())));
    let prepared = prepare(&server, &wanted).await.unwrap();
    assert_eq!((prepared.target, prepared.list_id.0.as_str()), (target(), LIST));
    assert_eq!((prepared.match_key, prepared.fields.len()), (MatchKeyKind::Guid, 0));
    assert_eq!(prepared.notices, ["the target list is \"Newsletter\""]);
    assert_eq!(writes(&server).await, []);
}

#[tokio::test]
async fn a_list_that_takes_nobody_is_refused_before_anything_is_written() {
    let check = async |answer: ResponseTemplate, id: &str, kind: ErrorKind, words: &str| {
        let server = with_metadata(SALES).await;
        mount(&server, "GET", LIST_PATH, answer).await;
        let error = prepare(&server, &WantedList::Existing(ListId(id.to_owned()))).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::Never), "{error}");
        assert!(error.message.contains(words), "{error}");
        assert_eq!(writes(&server).await, []);
    };
    check(list("x", &json!({"type": true})), LIST, Settings, "dynamic").await;
    check(list("x", &json!({"createdfromcode": 4})), LIST, Settings, "not one of contacts").await;
    check(list("x", &json!({"lockstatus": true})), LIST, Settings, "unlock it").await;
    check(list("x", &json!({"statecode": 1})), LIST, Settings, "activate it").await;
    check(gone(), LIST, ListMissing, "no marketing list with this id").await;
    check(gone(), "VIP customers", ListMissing, "is not a GUID").await;
    check(gone(), "../contacts", ListMissing, "is not a GUID").await;
}

#[tokio::test]
async fn a_segments_list_is_made_once_whoever_makes_it() {
    let id = of_segment(None);
    for made in [ResponseTemplate::new(204), refusal(412, "0x80040237"), refusal(412, "")] {
        let server = with_metadata(SALES).await;
        let found = InTurn::new([gone(), list("VIP customers", &json!({}))]);
        mount(&server, "GET", &path_of(&id), found).await;
        mount(&server, "POST", LISTS, made).await;
        let prepared = prepare(&server, &wanted(None)).await.unwrap();
        assert_eq!(prepared.list_id.0, id);
        let writes = writes(&server).await;
        assert_eq!(writes.len(), 1);
        insta::assert_json_snapshot!("make_list", writes[0]);
        // The next run finds the list.
        prepare(&server, &wanted(None)).await.unwrap();
        prepare(&server, &wanted(Some(&id))).await.unwrap();
        assert_eq!(self::writes(&server).await.len(), 1);
    }
}

#[tokio::test]
async fn a_list_that_its_owner_deleted_is_made_again_as_another() {
    let first = of_segment(None);
    let second = of_segment(Some(&first));
    let server = with_metadata(SALES).await;
    mount(&server, "GET", &path_of(&first), gone()).await;
    mount(&server, "GET", &path_of(&second), InTurn::new([gone(), list("VIP customers", &json!({}))])).await;
    mount(&server, "POST", LISTS, ResponseTemplate::new(204)).await;
    let prepared = prepare(&server, &wanted(Some(&first))).await.unwrap();
    assert_eq!(prepared.list_id.0, second);
    assert!(prepared.notices[0].contains("is gone"), "{:?}", prepared.notices);
    assert_eq!(writes(&server).await[0].2["listid"], second);
}

#[tokio::test]
async fn a_list_is_called_what_its_segment_is_called() {
    let id = of_segment(None);
    let server = with_metadata(SALES).await;
    mount(&server, "GET", &path_of(&id), list("VIPs", &json!({}))).await;
    mount(&server, "PATCH", &path_of(&id), ResponseTemplate::new(204)).await;
    prepare(&server, &wanted(Some(&id))).await.unwrap();
    let expected = ("PATCH".to_owned(), path_of(&id), json!({"listname": "VIP customers"}));
    assert_eq!(writes(&server).await, [expected]);
    let calls = calls(&server, &path_of(&id)).await;
    assert_eq!(calls[1].headers["if-match"], "*");
}

#[tokio::test]
async fn what_the_organisation_cannot_do_is_done_otherwise_or_said() {
    let check = async |metadata: &str| {
        let server = with_metadata(metadata).await;
        mount(&server, "GET", LIST_PATH, list("x", &json!({}))).await;
        let found = prepare(&server, &WantedList::Existing(ListId(LIST.to_owned()))).await;
        found.map(|prepared| (prepared.target.adding, prepared.target.removing, prepared.notices.len()))
    };
    assert_eq!(check(SALES).await.unwrap(), (Adding::Many, Removing::Many, 1));
    let single = r#"<Action Name="AddMemberList"></Action><Action Name="RemoveMemberList"></Action>"#;
    let expected = (Adding::OneByOne, Removing::OneByOneAsListMember, 2);
    assert_eq!(check(single).await.unwrap(), expected);
    for metadata in ["", r#"<Action Name="AddListMembersList"/>"#] {
        let error = check(metadata).await.unwrap_err();
        assert_eq!(error.kind, Settings);
        assert!(error.message.contains("has to be installed"), "{error}");
    }
}

#[tokio::test]
async fn attributes_of_contacts_are_never_written() {
    let server = with_metadata(SALES).await;
    let check = async |mapping: Value, options: Value, words: &str| {
        let wanted = WantedList::Existing(ListId(LIST.to_owned()));
        let error =
            sales(&server).prepare(&export(&mapping, &options), &wanted, &context()).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (Settings, Retry::Never));
        assert!(error.message.contains(words), "{error}");
    };
    check(json!([{"attribute": "name", "field": "fullname"}]), json!({}), "maps no attribute").await;
    check(json!([]), json!({"create_contacts": true}), "options.create_contacts").await;
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}
