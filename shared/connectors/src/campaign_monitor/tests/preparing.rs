//! Tests of `prepare()`.

use super::*;
use crate::Prepared;
use ErrorKind::{Authentication, ListMissing, Permission, Settings};
use relay_model::catalog::{Document, Export};
use wiremock::matchers::body_json;

const DETAILS: &str = "/api/v3.3/lists/a58ee1d3039b8bec838e6d1482a8a965.json";
const FIELDS: &str = "/api/v3.3/lists/a58ee1d3039b8bec838e6d1482a8a965/customfields.json";

pub(super) fn export(options: &Value, mapping: &Value) -> Export {
    let document = json!({
        "id": "newsletter",
        "name": "Newsletter",
        "connection": "cm",
        "match_key": "email",
        "mapping": mapping,
        "segments": [{"segment": "all", "target_list": LIST}],
        "options": options,
    });
    Export::parse(&document.to_string()).unwrap()
}

fn list(confirmed: bool) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "ConfirmedOptIn": confirmed,
        "Title": "Website Subscribers",
        "UnsubscribePage": "",
        "ListID": LIST,
        "ConfirmationSuccessPage": "",
        "UnsubscribeSetting": "AllClientLists",
    }))
}

fn field(name: &str, key: &str, data_type: &str, options: &[&str]) -> Value {
    json!({
        "FieldName": name,
        "Key": key,
        "DataType": data_type,
        "FieldOptions": options,
        "VisibleInPreferenceCenter": true,
    })
}

fn fields(fields: &[Value]) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(fields)
}

async fn prepare(server: &MockServer, export: &Export) -> Result<Prepared<CampaignMonitorTarget>, PushError> {
    with_key(server).prepare(export, &WantedList::Existing(ListId(LIST.to_owned())), &context()).await
}

#[tokio::test]
async fn the_list_and_its_fields_are_found() {
    let server = MockServer::start().await;
    mount(&server, "GET", DETAILS, list(true)).await;
    let all = [
        field("website", "[website]", "Text", &[]),
        field("age", "[age]", "Number", &[]),
        field("subscription date", "[subscriptiondate]", "Date", &[]),
        field("tier", "[tier]", "MultiSelectOne", &["Gold", "Silver"]),
        field("interests", "[interests]", "MultiSelectMany", &["magic", "walks"]),
        field("country", "[country]", "Country", &[]),
        field("state", "[state]", "USState", &[]),
        field("shape", "[shape]", "Polygon", &[]),
    ];
    mount(&server, "GET", FIELDS, fields(&all)).await;
    let mapping = json!([
        {"attribute": "since", "field": "Subscription Date", "if_null": "clear"},
        {"attribute": "name", "field": "Name"},
    ]);
    let prepared =
        prepare(&server, &export(&json!({"consent_to_track": "unchanged"}), &mapping)).await.unwrap();
    let expected = CampaignMonitorTarget { day_fields: vec!["[subscriptiondate]".to_owned()], ..target() };
    assert_eq!(prepared.target, expected);
    insta::assert_json_snapshot!("prepared_fields", prepared.fields);
    insta::assert_json_snapshot!("prepared_notices", prepared.notices);
    let json = serde_json::to_string(&prepared.target).unwrap();
    assert_eq!(serde_json::from_str::<CampaignMonitorTarget>(&json).unwrap(), expected);
}

#[tokio::test]
async fn missing_fields_are_created_and_present_ones_left() {
    let server = MockServer::start().await;
    mount(&server, "GET", DETAILS, list(false)).await;
    let age = || field("Age", "[age]", "Text", &[]);
    let made = field("Favourite Shop", "[favouriteshop1]", "MultiSelectOne", &["Oslo", "Łódź"]);
    mount(&server, "GET", FIELDS, InTurn::new([fields(&[age()]), fields(&[age(), made])])).await;
    let body = json!({
        "FieldName": "Favourite Shop",
        "DataType": "MultiSelectOne",
        "Options": ["Oslo", "Łódź"],
        "VisibleInPreferenceCenter": false,
    });
    Mock::given(method("POST"))
        .and(path(FIELDS))
        .and(body_json(body))
        .respond_with(ResponseTemplate::new(201).set_body_json("[favouriteshop1]"))
        .expect(1)
        .mount(&server)
        .await;
    let options = json!({"consent_to_track": "yes", "create_missing_fields": [
        {"name": "age", "type": "Number"},
        {"name": "Favourite Shop", "type": "MultiSelectOne", "options": ["Oslo", "Łódź"]},
    ]});
    let prepared = prepare(&server, &export(&options, &json!([]))).await.unwrap();
    let keys: Vec<&str> = prepared.fields.iter().map(|field| field.key.as_str()).collect();
    assert_eq!(keys, ["Name", "MobileNumber", "[age]", "[favouriteshop1]"]);
    let expected = [
        "the target list is \"Website Subscribers\"",
        "custom field \"age\" is there already, as Text and not as Number; it is used as it is",
        "custom field \"Favourite Shop\" was created",
    ];
    assert_eq!(prepared.notices, expected);
}

#[tokio::test]
async fn a_field_that_somebody_else_has_just_made_is_used() {
    let server = MockServer::start().await;
    mount(&server, "GET", DETAILS, list(false)).await;
    let after = fields(&[field("City", "[city]", "Text", &[])]);
    mount(&server, "GET", FIELDS, InTurn::new([fields(&[]), after])).await;
    mount(&server, "POST", FIELDS, refusal(400, 255)).await;
    let options =
        json!({"consent_to_track": "yes", "create_missing_fields": [{"name": "City", "type": "Text"}]});
    let prepared = prepare(&server, &export(&options, &json!([]))).await.unwrap();
    assert_eq!(prepared.fields.last().unwrap().key, "[city]");
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_the_reason() {
    let expect =
        async |details: ResponseTemplate, options: Value, mapping: Value, kind: ErrorKind, words: &str| {
            let server = MockServer::start().await;
            mount(&server, "GET", DETAILS, details).await;
            mount(&server, "GET", FIELDS, fields(&[])).await;
            mount(&server, "POST", FIELDS, refusal(400, 254)).await;
            let error = prepare(&server, &export(&options, &mapping)).await.err().unwrap();
            assert_eq!((error.kind, error.retry), (kind, Retry::Never), "{error}");
            assert!(error.message.contains(words), "{error}");
        };
    let (yes, none) = (json!({"consent_to_track": "yes"}), json!([]));
    let wrong_list = "no list or client with this id (the credentials themselves are accepted)";
    expect(refusal(401, 102), yes.clone(), none.clone(), ListMissing, wrong_list).await;
    expect(refusal(401, 101), yes.clone(), none.clone(), ListMissing, wrong_list).await;
    expect(refusal(401, 100), yes.clone(), none.clone(), Authentication, "the API key is not accepted").await;
    expect(refusal(401, 60), yes.clone(), none.clone(), Permission, "ManageLists").await;
    expect(list(false), json!({}), none.clone(), Settings, "options.consent_to_track is missing").await;
    let mobile = json!([{"attribute": "mobile", "field": "Mobile Number", "if_null": "clear"}]);
    expect(list(false), yes, mobile, Settings, "mapping[0].if_null: the vendor documents no way to clear")
        .await;
    let bad_name =
        json!({"consent_to_track": "yes", "create_missing_fields": [{"name": "a/b", "type": "Text"}]});
    expect(list(false), bad_name, none, Settings, "field \"a/b\": a custom field may not have this name")
        .await;
}

#[tokio::test]
async fn what_is_no_id_never_becomes_part_of_an_address() {
    let server = MockServer::start().await;
    let export = export(&json!({"consent_to_track": "yes"}), &json!([]));
    for id in ["../clients", "a b", "", "a/b", "é"] {
        let error = with_key(&server)
            .prepare(&export, &WantedList::Existing(ListId(id.to_owned())), &context())
            .await
            .err()
            .unwrap();
        assert_eq!((error.kind, error.retry), (ListMissing, Retry::Never), "{id}");
    }
    assert_eq!(requests(&server).await.len(), 0);
}
