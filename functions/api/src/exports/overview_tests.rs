use super::*;
use relay_model::catalog::Document;
use serde_json::{Value, json};

fn export(change: &Value) -> Export {
    let mut export = json!({
        "id": "news", "name": "Newsletter", "connection": "account", "match_key": "email",
        "segments": [{ "segment": "all" }], "schedule": { "every_minutes": 60 },
    });
    for (name, value) in change.as_object().unwrap() {
        export[name] = value.clone();
    }
    Export::parse(&export.to_string()).unwrap()
}

fn connection(use_by: &str) -> Connection {
    let connection = json!({
        "id": "account", "name": "Ours", "destination": "omnisend", "secret": "s", "use_by": use_by,
    });
    Connection::parse(&connection.to_string()).unwrap()
}

#[track_caller]
fn check_permission(role: Role, connection: Option<&Connection>, change: &Value, expected: Permission) {
    let found = Permission::of(role, &export(change), connection);
    assert_eq!(found, expected, "{role:?} {connection:?} {change}");
}

#[test]
fn who_may_edit() {
    let (shared, kept) = (connection("contributors"), connection("administrators"));
    let (attached, detached) = (json!({}), json!({ "connection": null }));
    for (role, expected) in [
        (Role::Viewer, [Permission::View; 4]),
        (Role::Contributor, [Permission::Edit, Permission::View, Permission::Edit, Permission::View]),
        (Role::Administrator, [Permission::Edit; 4]),
    ] {
        check_permission(role, Some(&shared), &attached, expected[0]);
        check_permission(role, Some(&kept), &attached, expected[1]);
        check_permission(role, None, &detached, expected[2]);
        // A connection that does not exist.
        check_permission(role, None, &attached, expected[3]);
    }
}

#[track_caller]
fn check_next(change: &Value, expected: Option<&str>) {
    let now = "2026-11-22T10:30:00Z".parse().unwrap();
    let connection = connection("contributors");
    let overview = Overview::of(Role::Viewer, &export(change), Some(&connection), LatestRun::default(), now);
    assert_eq!(overview.next_run_at, expected.map(|at| at.parse().unwrap()), "{change}");
}

#[test]
fn only_what_runs_by_itself_has_a_next_run() {
    check_next(&json!({}), Some("2026-11-22T11:00:00Z"));
    check_next(&json!({ "enabled": false }), None);
    check_next(&json!({ "connection": null }), None);
    check_next(&json!({ "schedule": "off" }), None);
    check_next(&json!({ "schedule": "every_refresh" }), None);
}
