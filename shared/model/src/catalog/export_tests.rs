//! Valid and invalid exports.

use super::*;
use serde_json::json;

fn valid() -> Value {
    json!({
        "id": "newsletter",
        "name": "Newsletter",
        "connection": "campaign-monitor",
        "match_key": "email",
        "mapping": [
            { "attribute": "name", "field": "Name" },
            { "attribute": "email", "field": "[address]", "if_null": "clear", "if_invalid": "truncate" }
        ],
        "segments": [
            { "segment": "everybody", "target_list": "list-1" },
            { "segment": "spenders", "target_list": "list-2" },
            { "segment": "friends", "target_list": "list-1" }
        ],
        "schedule": { "every_minutes": 60 }
    })
}

#[test]
fn a_whole_export_is_read() {
    let export = Export::parse(&valid().to_string()).unwrap();
    assert_eq!(export.attributes(), ["email", "name"]);
    assert_eq!(export.target_lists(), [ListId("list-1".to_owned()), ListId("list-2".to_owned())]);
    assert!(export.enabled);
    assert_eq!(export.guard, Guard { removed_percent: 30, removed_rows: 100 });
}

#[track_caller]
fn check(pointer: &str, value: Value, expected: &str) {
    let mut document = valid();
    if let Some((parent, field)) = pointer.rsplit_once('/') {
        match document.pointer_mut(parent).unwrap() {
            Value::Object(fields) => drop(fields.insert(field.to_owned(), value)),
            Value::Array(items) => items[field.parse::<usize>().unwrap()] = value,
            _ => unreachable!("the table names fields and items only"),
        }
    }
    let message = Export::parse(&document.to_string()).unwrap_err().to_string();
    assert!(message.contains(expected), "{pointer}: {message}");
}

#[test]
fn mistakes_name_the_field_and_the_mend() {
    check("/match_key", json!(" "), "match_key: must name the attribute");
    check("/segments", json!([]), "segments: must have at least one segment");
    check(
        "/segments/2",
        json!({ "segment": "everybody", "target_list": "list-1" }),
        "segments[2]: segment \"everybody\" is listed twice",
    );
    check("/segments/0/target_list", json!(""), "segments[0].target_list: must not be empty");
    check("/segments/0/starts_at", json!("tomorrow"), "failed to parse");
    check(
        "/segments/0",
        json!({ "segment": "everybody", "starts_at": "2026-12-01T00:00:00Z", "ends_at": "2026-12-01T00:00:00Z" }),
        "segments[0].ends_at: must be after starts_at",
    );
    check("/mapping/1/field", json!("Name"), "mapping[1].field: field \"Name\" is mapped twice");
    check("/mapping/0/attribute", json!(""), "mapping[0]: attribute and field must not be empty");
    check(
        "/mapping/0/if_null",
        json!("sometimes"),
        "unknown variant `sometimes`, expected one of `omit`, `clear`, `reject`",
    );
    check("/labels", json!(["a", " "]), "labels[1]: must not be empty");
    check("/cap", json!({ "rows": 0 }), "cap.rows: must be at least 1");
    check("/guard", json!({ "removed_percent": 101 }), "guard.removed_percent: must be 0 to 100");
    check("/schedule", json!({ "every_minutes": 0 }), "schedule: every_minutes must be 1 to 44640");
    check("/shedule", json!("off"), "unknown field `shedule`");
    check("/id", json!("News Letter"), "export id \"News Letter\" must be");
}
