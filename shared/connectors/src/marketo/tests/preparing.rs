//! Options, mapping and fields, which are checked before the first push.

use super::*;
use crate::{Prepared, WantedList};
use relay_delivery::mapping::MatchKeyKind;
use relay_model::catalog::Export;

pub(super) const DESCRIBE: &str = "/rest/v1/leads/describe2.json";
pub(super) const USAGE: &str = "/rest/v1/stats/usage.json";
pub(super) const LIST: &str = "/rest/v1/lists/1027.json";
const PARTITIONS: &str = "/rest/v1/leads/partitions.json";

pub(super) fn description() -> Value {
    let field = |name: &str, label: &str, data_type: &str, length: Option<u32>, updateable: bool| {
        json!({
            "name": name,
            "displayName": label,
            "dataType": data_type,
            "length": length,
            "updateable": updateable,
            "crmManaged": false,
        })
    };
    json!([{
        "name": "API Lead",
        "searchableFields": [["id"], ["email"], ["customerNumber"], ["loyaltyCode"], ["born"], ["a", "b"]],
        "fields": [
            field("id", "Id", "integer", None, true),
            field("email", "Email Address", "email", Some(255), true),
            field("firstName", "First Name", "string", Some(255), true),
            field("phone", "Phone Number", "phone", None, true),
            field("notes", "Notes", "text", None, true),
            field("born", "Date of Birth", "date", None, true),
            field("seenAt", "Seen at", "datetime", None, true),
            field("score", "Score", "score", None, true),
            field("customerNumber", "Customer Number", "integer", None, true),
            field("loyaltyCode", "Loyalty Code", "string", Some(20), true),
            field("spent", "Spent", "currency", None, true),
            field("isVip", "VIP", "boolean", None, true),
            field("company", "Company Name", "string", Some(255), true),
            field("leadPartitionId", "Partition", "integer", None, false),
            field("account", "Account", "reference", None, true),
            field("createdAt", "Created", "datetime", None, true),
        ],
    }])
}

pub(super) async fn server() -> MockServer {
    let server = serve().await;
    mount(&server, "GET", DESCRIBE, success(&description())).await;
    mount(&server, "GET", LIST, success(&json!([{"id": 1027, "name": "News", "workspaceName": "Default"}])))
        .await;
    mount(&server, "GET", USAGE, success(&json!([{"date": "2026-11-22", "total": 5}]))).await;
    mount(
        &server,
        "GET",
        PARTITIONS,
        success(&json!([{"id": 1, "name": "Default"}, {"id": 2, "name": "EMEA"}])),
    )
    .await;
    server
}

pub(super) fn export(options: &Value, mapping: &Value) -> Export {
    let export = json!({
        "id": "news",
        "name": "News",
        "connection": "marketo",
        "match_key": "email",
        "mapping": mapping,
        "segments": [{"segment": "readers", "target_list": "1027"}],
        "options": options,
    });
    serde_json::from_value(export).unwrap()
}

pub(super) async fn prepare(
    server: &MockServer,
    options: Value,
    mapping: Value,
    list: &WantedList,
) -> Result<Prepared<MarketoTarget>, PushError> {
    connector(server).prepare(&export(&options, &mapping), list, &context()).await
}

pub(super) fn existing(id: &str) -> WantedList {
    WantedList::Existing(ListId(id.to_owned()))
}

#[tokio::test]
async fn an_existing_list_is_found_under_either_spelling_of_its_id() {
    let server = server().await;
    for id in ["1027", "ST1027A1"] {
        let prepared = prepare(&server, json!({}), json!([]), &existing(id)).await.unwrap();
        assert_eq!(prepared.list_id, ListId("1027".to_owned()));
        assert_eq!(prepared.match_key, MatchKeyKind::AsciiEmail);
        assert_eq!(prepared.terms, "lookup_field=email person_creation=create_missing partition=");
        assert_eq!(
            prepared.notices,
            [
                "the target list is \"News\" in workspace \"Default\"",
                "5 of the account's calls of today are used so far, by all integrations together",
            ]
        );
        let expected = MarketoTarget { has_attributes: false, ..target() };
        assert_eq!(prepared.target, expected);
    }
}

#[tokio::test]
async fn fields_that_can_be_filled_are_offered_with_what_they_hold() {
    let server = server().await;
    let prepared = prepare(&server, json!({}), json!([]), &existing("1027")).await.unwrap();
    insta::assert_json_snapshot!("prepared_fields", prepared.fields);
}

#[tokio::test]
async fn the_description_is_read_once_for_several_lists() {
    let server = server().await;
    let connector = connector(&server);
    for _ in 0..3 {
        let export = export(&json!({}), &json!([]));
        connector.prepare(&export, &existing("1027"), &context()).await.unwrap();
    }
    let all = calls(&server).await;
    assert_eq!(all.iter().filter(|call| call.ends_with("describe2.json")).count(), 1);
}

#[tokio::test]
async fn each_kind_of_lookup_field_has_its_kind_of_match_key() {
    let server = server().await;
    let check = async |options: Value, expected: MatchKeyKind, form: KeyForm| {
        let prepared = prepare(&server, options.clone(), json!([]), &existing("1027")).await.unwrap();
        assert_eq!((prepared.match_key, prepared.target.key_form), (expected, form), "{options}");
    };
    let match_only = json!({"lookup_field": "id", "person_creation": "match_only"});
    check(match_only, MatchKeyKind::Number, KeyForm::Number).await;
    check(json!({"lookup_field": "customerNumber"}), MatchKeyKind::Number, KeyForm::Number).await;
    let text = MatchKeyKind::Text { max_characters: 20 };
    check(json!({"lookup_field": "loyaltyCode"}), text, KeyForm::Text).await;
}

#[tokio::test]
async fn what_cannot_work_is_refused_by_name_before_anything_is_sent() {
    let server = server().await;
    let check = async |options: Value, mapping: Value, part: &str| {
        let error = prepare(&server, options, mapping, &existing("1027")).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Settings, Retry::Never));
        assert!(error.message.contains(part), "{error}");
    };
    let map = |field: &str| json!([{"attribute": "x", "field": field}]);
    check(json!({}), map("company"), "mapping[0].field: field \"company\" belongs to the person's company")
        .await;
    check(json!({}), map("Created"), "field \"createdAt\" is set by Marketo itself").await;
    check(json!({}), map("leadPartitionId"), "cannot be updated").await;
    check(json!({}), map("account"), "of type reference").await;
    check(json!({}), map("shoeSize"), "the target list has no field \"shoeSize\"").await;
    check(json!({}), map("Email Address"), "is filled with the match key already").await;
    check(json!({"lookup_field": "nick"}), json!([]), "the account has no field \"nick\"").await;
    check(json!({"lookup_field": "phone"}), json!([]), "cannot be looked up by field \"phone\"").await;
    check(json!({"lookup_field": "born"}), json!([]), "is of type date").await;
    check(json!({"lookup_field": "ecids"}), json!([]), "cannot look people up by their ECIDs").await;
    check(json!({"partition": "APAC"}), json!([]), "there are: Default, EMEA").await;
    let clearing = json!([{"attribute": "x", "field": "phone", "if_null": "clear"}]);
    check(json!({"push": "bulk_import"}), clearing, "mapping[0].if_null: Marketo documents no way").await;
}

#[tokio::test]
async fn the_export_decides_whether_files_may_be_used() {
    let server = server().await;
    let check = async |options: Value, if_null: &str, expected: Imports| {
        let mapping = json!([{"attribute": "x", "field": "phone", "if_null": if_null}]);
        let prepared = prepare(&server, options.clone(), mapping, &existing("1027")).await.unwrap();
        assert_eq!(prepared.target.imports, expected, "{options} {if_null}");
    };
    check(json!({}), "omit", Imports::WhereFaster).await;
    check(json!({}), "clear", Imports::Never).await;
    check(json!({"push": "sync"}), "omit", Imports::Never).await;
    check(json!({"push": "bulk_import"}), "reject", Imports::Always).await;
    check(json!({"person_creation": "match_only"}), "omit", Imports::Never).await;
}

#[tokio::test]
async fn a_partition_is_part_of_what_is_sent() {
    let server = server().await;
    let prepared =
        prepare(&server, json!({"partition": "EMEA"}), json!([]), &existing("1027")).await.unwrap();
    assert_eq!(prepared.target.partition.as_deref(), Some("EMEA"));
    assert!(prepared.terms.ends_with("partition=EMEA"));
}

#[tokio::test]
async fn a_list_that_is_not_there_is_named() {
    let server = server().await;
    mount(&server, "GET", "/rest/v1/lists/1.json", success(&json!([]))).await;
    mount(&server, "GET", "/rest/v1/lists/2.json", refusal("1013")).await;
    for id in ["1", "2", "News", ""] {
        let error = prepare(&server, json!({}), json!([]), &existing(id)).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::ListMissing, Retry::Never), "{id}");
    }
}

#[tokio::test]
async fn usage_that_cannot_be_read_stops_nothing() {
    let server = serve().await;
    mount(&server, "GET", DESCRIBE, success(&description())).await;
    mount(&server, "GET", LIST, success(&json!([{"id": 1027, "name": "News"}]))).await;
    mount(&server, "GET", USAGE, refusal("603")).await;
    let prepared = prepare(&server, json!({}), json!([]), &existing("1027")).await.unwrap();
    assert_eq!(prepared.notices, ["the target list is \"News\""]);
}
