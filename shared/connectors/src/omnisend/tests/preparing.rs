//! Tests of `prepare()`.

use super::*;
use crate::{Intent, Prepared};
use ErrorKind::{Authentication, Permission, Settings};
use relay_model::SegmentId;
use relay_model::catalog::{Document, Export};

pub(super) fn export(options: &Value, mapping: &Value) -> Export {
    let document = json!({
        "id": "newsletter",
        "name": "Newsletter",
        "connection": "omnisend",
        "match_key": "email",
        "mapping": mapping,
        "segments": [{"segment": "high-value"}],
        "options": options,
    });
    Export::parse(&document.to_string()).unwrap()
}

pub(super) fn segment() -> WantedList {
    let segment = SegmentId::try_from("high-value".to_owned()).unwrap();
    WantedList::OfSegment { segment, name: "High value".to_owned(), known: None }
}

async fn prepare(
    server: &MockServer,
    options: Value,
    mapping: Value,
) -> Result<Prepared<OmnisendTarget>, PushError> {
    v2026(server).prepare(&export(&options, &mapping), &segment(), &context()).await
}

fn map(field: &str) -> Value {
    json!({"attribute": field.to_lowercase(), "field": field})
}

#[tokio::test]
async fn the_tag_and_the_fields_are_found() {
    let server = Fake::default().serve().await;
    let mapping = json!([
        map("First name"),
        map("country"),
        map("consent.email"),
        map("consent.email.date"),
        map("properties.points"),
        map("properties.vip"),
        map("properties.since"),
        map("properties.note"),
    ]);
    let types = json!({"points": "number", "vip": "boolean", "since": "date"});
    let options = json!({"tag": {"prefix": "ci: "}, "property_types": types});
    let prepared = prepare(&server, options, mapping).await.unwrap();
    assert_eq!(prepared.target.tag, TAG);
    assert_eq!(prepared.list_id, ListId(TAG.to_owned()));
    assert_eq!(prepared.terms, "tag=ci: High value");
    insta::assert_json_snapshot!("prepared_fields", prepared.fields);
    insta::assert_json_snapshot!("prepared_notices", prepared.notices);
}

#[tokio::test]
async fn an_existing_tag_is_used_as_it_is() {
    let fake = Fake::default();
    fake.put("jane@example.com", Person::new("subscribed", &["Größe"]));
    let server = fake.serve().await;
    let list = WantedList::Existing(ListId("Größe".to_owned()));
    let prepared = v5(&server).prepare(&export(&json!({}), &json!([])), &list, &context()).await.unwrap();
    assert_eq!(prepared.list_id, ListId("Größe".to_owned()));
    assert!(prepared.notices.iter().any(|notice| notice.contains("carry the tag already")));
    assert!(prepared.notices.iter().any(|notice| notice.contains("v5 has no call for the tags")));
}

#[tokio::test]
async fn a_segment_is_made_once() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let options = json!({"tag": {"prefix": "ci: "}, "make_segment": true});
    let told = async || prepare(&server, options.clone(), json!([])).await.unwrap().notices;
    // A dry run creates none.
    let (export, look) = (export(&options, &json!([])), context().with_intent(Intent::Look));
    let found = v2026(&server).prepare(&export, &segment(), &look).await.unwrap();
    assert!(found.notices.contains(&"the Omnisend segment \"ci: High value\" would be made".to_owned()));
    assert_eq!(fake.state().segments.len(), 0);
    assert!(told().await.contains(&"the Omnisend segment \"ci: High value\" was made".to_owned()));
    assert!(told().await.contains(&"the Omnisend segment \"ci: High value\" is there".to_owned()));
    assert_eq!(fake.state().segments.len(), 1);
    fake.state().segments = vec![json!({"name": TAG, "conditionGroups": []})];
    assert!(told().await.iter().any(|notice| notice.contains("with other conditions; it is left alone")));
}

#[tokio::test]
async fn segments_are_looked_for_on_every_page() {
    let fake = Fake::default();
    let page = |name: &str, after: Option<&str>| {
        let segments = json!([{"name": name, "conditionGroups": []}]);
        let paging = json!({"hasMore": after.is_some(), "cursors": {"after": after, "before": null}});
        ResponseTemplate::new(200).set_body_json(json!({"segments": segments, "paging": paging}))
    };
    fake.fault("GET /api/segments", [page("Other", Some("c2")), page("High value", None)]);
    let server = fake.serve().await;
    prepare(&server, json!({"make_segment": true}), json!([])).await.unwrap();
    let pages = requests(&server, "GET", "/api/segments").await;
    let queries: Vec<_> = pages.iter().map(|request| request.url.query().unwrap()).collect();
    assert_eq!(queries, ["limit=50", "limit=50&after=c2"]);
    assert_eq!(fake.state().segments.len(), 0);
}

#[tokio::test]
async fn what_cannot_work_is_refused_by_name() {
    let server = Fake::default().serve().await;
    let check = async |options: Value, mapping: Value, words: &str| {
        let error = prepare(&server, options, mapping).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (Settings, Retry::Never), "{error}");
        assert!(error.message.contains(words), "{error}");
    };
    let cleared = |field: &str| json!([{"attribute": "a", "field": field, "if_null": "clear"}]);
    check(json!({"tags": "x"}), json!([]), "options: unknown field `tags`").await;
    check(json!({}), json!([map("properties.a b")]), "mapping[0].field").await;
    check(json!({}), json!([map("properties.")]), "mapping[0].field").await;
    check(json!({}), json!([map("consent.email")]), "is mapped without consent.email.date").await;
    check(json!({}), json!([map("consent.email.date")]), "a date alone is no consent").await;
    check(json!({}), cleared("properties.points"), "no way to clear properties.points").await;
    check(json!({}), cleared("birthdate"), "no way to clear birthdate").await;
    check(json!({"property_types": {"a": "text"}}), json!([]), "nothing is mapped to properties.a").await;
    prepare(&server, json!({}), cleared("city")).await.unwrap();
    let list = WantedList::Existing(ListId(" ".to_owned()));
    let error = v2026(&server).prepare(&export(&json!({}), &json!([])), &list, &context()).await.unwrap_err();
    assert!(error.message.contains("must be a tag"), "{error}");
    let options = export(&json!({"make_segment": true}), &json!([]));
    let error = v5(&server).prepare(&options, &segment(), &context()).await.unwrap_err();
    assert!(error.message.contains("options.make_segment"), "{error}");
}

#[tokio::test]
async fn a_key_that_may_not_is_told_which_right_it_lacks() {
    let check = async |call: &'static str, status: u16, kind: ErrorKind, words: &str| {
        let fake = Fake::default();
        fake.fault(call, vec![ResponseTemplate::new(status); 2]);
        let server = fake.serve().await;
        let error = prepare(&server, json!({"make_segment": true}), json!([])).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::Never), "{error}");
        assert!(error.message.contains(words), "{error}");
    };
    check("GET /api/contacts", 401, Authentication, "the API key is not accepted").await;
    check("GET /api/contacts", 403, Permission, "contacts.read").await;
    check("GET /api/segments", 403, Permission, "segments.read").await;
    check("POST /api/segments", 403, Permission, "segments.write").await;
}
