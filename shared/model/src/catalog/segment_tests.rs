//! Valid and invalid segments.

use super::*;
use crate::catalog::UploadColumnType;
use serde_json::{Value, json};

fn parse(fields: &Value) -> Result<Segment, CatalogError> {
    let mut document = json!({ "id": "guests", "name": "Guests" });
    for (field, value) in fields.as_object().unwrap() {
        document[field] = value.clone();
    }
    Segment::parse(&document.to_string())
}

#[test]
fn both_kinds_come_back_in_the_form_that_people_write() {
    let check = |fields: Value, written: Value| {
        let mut expected = json!({ "id": "guests", "name": "Guests" });
        for (field, value) in written.as_object().unwrap() {
            expected[field] = value.clone();
        }
        assert_eq!(serde_json::to_value(parse(&fields).unwrap()).unwrap(), expected);
    };
    let query = json!({ "query": "SELECT id FROM profiles", "member_key": "id" });
    check(query.clone(), query);
    let labelled =
        json!({ "query": "SELECT id FROM profiles", "member_key": "id", "labels": ["Wien", "VIP"] });
    check(labelled.clone(), labelled);
    check(
        json!({ "upload": { "identity_column": "email" } }),
        json!({ "upload": { "identity_column": "email", "expires_after_days": 30 } }),
    );
    let inactive = json!({ "query": "SELECT id FROM profiles", "member_key": "id", "active": false });
    check(inactive.clone(), inactive);
    let full = json!({ "upload": {
        "identity_column": "email", "member_key_column": "id",
        "columns": { "born": "date", "points": "integer" }, "expires_after_days": 90,
    } });
    check(full.clone(), full);
}

#[test]
fn an_upload_knows_its_columns() {
    let segment = parse(&json!({ "upload": {
        "identity_column": "email", "columns": { "points": "decimal" }
    } }));
    let segment = segment.unwrap();
    let upload = segment.upload().unwrap();
    assert_eq!(upload.member_key_column(), "email");
    assert_eq!(upload.column_type("points"), UploadColumnType::Decimal);
    assert_eq!(upload.column_type("city"), UploadColumnType::Text);
}

#[track_caller]
fn check(fields: &Value, expected: &str) {
    let message = parse(fields).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn mistakes_name_the_field_and_the_mend() {
    check(&json!({}), "exactly one of `query`, `rules` and `upload`; this one has none");
    check(&json!({ "query": "SELECT 1" }), "missing field `member_key`");
    check(&json!({ "query": " ", "member_key": "id" }), "query: must not be empty");
    check(
        &json!({ "query": "SELECT 1", "member_key": "id", "labels": ["a", "a"] }),
        "labels[1]: is listed twice",
    );
    check(&json!({ "query": "SELECT 1", "member_key": "" }), "member_key: must not be empty");
    let upload = json!({ "identity_column": "email" });
    check(
        &json!({ "query": "SELECT 1", "member_key": "id", "upload": upload }),
        "exactly one of `query`, `rules` and `upload`; this one has more",
    );
    check(&json!({ "member_key": "id", "upload": upload }), "an upload has `upload.member_key_column`");
    check(&json!({ "query": "SELECT 1", "member_key": "id", "schedule": "off" }), "unknown field `schedule`");
    check(&json!({ "upload": {} }), "missing field `identity_column`");
    check(&json!({ "upload": upload, "uplaod": 1 }), "unknown field `uplaod`");
    let with = |field: &str, value: Value| {
        let mut upload = upload.clone();
        upload[field] = value;
        json!({ "upload": upload })
    };
    check(&with("identity_column", json!("")), "upload.identity_column: must not be empty");
    check(&with("identity_column", json!("E Mail")), "upload.identity_column: must not have a space");
    check(&with("member_key_column", json!("a-b")), "upload.member_key_column: must not have a dash");
    check(
        &with("columns", json!({ "a b": "text" })),
        "upload.columns: name of a column must not have a space",
    );
    check(&with("columns", json!({ "a": "uuid" })), "unknown variant `uuid`");
    check(&with("data_labels", json!({ "a": ["c2"] })), "data label \"c2\" must be one of C1");
    check(&with("data_labels", json!({ "a": [] })), "upload.data_labels: column \"a\" has no label");
    check(&with("data_labels", json!({ "a b": ["C2"] })), "upload.data_labels: name of a column must not");
    check(&with("expires_after_days", json!(0)), "upload.expires_after_days: must be 1 to 90");
    check(&with("expires_after_days", json!(91)), "upload.expires_after_days: must be 1 to 90");
    check(&with("separator", json!(";")), "unknown field `separator`");
    let columns: serde_json::Map<String, Value> =
        (0..25).map(|number| (format!("c{number}"), json!("text"))).collect();
    check(&with("columns", json!(columns)), "upload.columns: name 26 columns; a CSV may have at most 25");
}
