//! Lists made, read, changed and deleted.

use crate::client::Fixture;
use sandbox::dynamics365_sales::{
    ApplicationChange, ApplicationUser, Endpoint, FixedColumns, Guid, LEAST_PRIVILEGES, ListChange, ListKind,
    NewList, Options, PendingChange,
};
use serde_json::{Value, json};

const ID: &str = "9b1c0000-0000-4000-8000-000000000001";

fn new_list() -> Value {
    json!({ "listid": ID, "listname": "Segment", "type": false, "createdfromcode": 2, "source": "export" })
}

async fn outcome(
    fixture: &Fixture,
    method: &str,
    call: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> (u16, String) {
    fixture.call_with(method, call, headers, body).await.outcome()
}

#[tokio::test]
async fn making_a_list_twice_makes_one() {
    let fixture = Fixture::new().await;
    let reply = fixture.call("POST", "lists", new_list()).await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    let address = format!("{}/api/data/v9.2/lists({ID})", fixture.sandbox.base_url());
    assert_eq!(reply.header("odata-entityid"), Some(address.as_str()));
    assert_eq!(outcome(&fixture, "POST", "lists", &[], new_list()).await, (412, "0x80040237".to_owned()));
    let list = fixture.call("GET", &format!("lists({ID})"), Value::Null).await.json();
    for (column, value) in [
        ("listname", json!("Segment")),
        ("type", json!(false)),
        ("createdfromcode", json!(2)),
        ("membertype", json!(2)),
        ("lockstatus", json!(false)),
        ("statecode", json!(0)),
        ("membercount", json!(0)),
        ("source", json!("export")),
        ("description", json!(null)),
    ] {
        assert_eq!(list[column], value, "{column}");
    }
    assert_eq!(fixture.sandbox.report().lists_created, 1);
}

#[tokio::test]
async fn an_upsert_does_as_its_conditions_say() {
    let fixture = Fixture::new().await;
    let path = format!("lists({ID})");
    let new = json!({ "listname": "Segment", "createdfromcode": 2 });
    let change = json!({ "description": "changed" });
    let (only_new, only_known) = ([("If-None-Match", "*")], [("If-Match", "*")]);
    let code = |status, code: &str| (status, code.to_owned());
    assert_eq!(outcome(&fixture, "PATCH", &path, &only_known, change.clone()).await, code(404, "0x80040217"));
    assert_eq!(outcome(&fixture, "PATCH", &path, &only_new, new.clone()).await, code(204, ""));
    // The documented answer has no code.
    assert_eq!(outcome(&fixture, "PATCH", &path, &only_new, new.clone()).await, code(412, ""));
    assert_eq!(outcome(&fixture, "PATCH", &path, &only_known, change.clone()).await, code(204, ""));
    assert_eq!(outcome(&fixture, "PATCH", &path, &[("If-None-Match", "null")], change).await, code(204, ""));
    assert_eq!(outcome(&fixture, "PATCH", &path, &[], new.clone()).await, code(400, "0x80040203"));
    let stale = [("If-Match", "W/\"1\"")];
    assert_eq!(outcome(&fixture, "PATCH", &path, &stale, json!({})).await, code(412, "0x80060882"));
    assert_eq!(outcome(&fixture, "PUT", &path, &[], new).await, code(405, "0x80040800"));
    let value = json!({ "value": "one" });
    assert_eq!(outcome(&fixture, "PUT", &format!("{path}/purpose"), &[], value).await, code(204, ""));
    let list = fixture.call("GET", &path, Value::Null).await.json();
    assert_eq!((&list["description"], &list["purpose"]), (&json!("changed"), &json!("one")));
    let etag = list["@odata.etag"].as_str().unwrap();
    assert_eq!(fixture.call_with("GET", &path, &[("If-None-Match", etag)], Value::Null).await.status, 304);
}

#[tokio::test]
async fn representations_on_request() {
    let fixture = Fixture::new().await;
    let prefer = [("Prefer", "return=representation")];
    let reply = fixture.call_with("POST", "lists", &prefer, new_list()).await;
    assert_eq!((reply.status, &reply.json()["listid"]), (201, &json!(ID)));
    let change = json!({ "purpose": "p" });
    let reply = fixture.call_with("PATCH", &format!("lists({ID})"), &prefer, change).await;
    assert_eq!((reply.status, &reply.json()["purpose"]), (200, &json!("p")));
}

async fn check_create(fixture: &Fixture, column: &str, value: Value, expected: (u16, &str)) {
    let mut body = new_list();
    body["listid"] = json!(Guid::random());
    if value == json!("MISSING") {
        body.as_object_mut().unwrap().remove(column);
    } else {
        body[column] = value.clone();
    }
    let found = outcome(fixture, "POST", "lists", &[], body).await;
    assert_eq!(found, (expected.0, expected.1.to_owned()), "{column} {value}");
}

#[tokio::test]
async fn columns_that_cannot_be() {
    let fixture = Fixture::new().await;
    let missing = || json!("MISSING");
    check_create(&fixture, "listname", json!("é".repeat(128)), (204, "")).await;
    check_create(&fixture, "listname", json!("é".repeat(129)), (400, "0x80044331")).await;
    check_create(&fixture, "source", json!("x".repeat(129)), (400, "0x80044331")).await;
    check_create(&fixture, "purpose", json!("x".repeat(513)), (400, "0x80044331")).await;
    check_create(&fixture, "description", json!("x".repeat(2001)), (400, "0x80044331")).await;
    check_create(&fixture, "listname", missing(), (400, "0x80040203")).await;
    check_create(&fixture, "createdfromcode", missing(), (400, "0x80040203")).await;
    check_create(&fixture, "type", missing(), (204, "")).await;
    check_create(&fixture, "createdfromcode", json!(3), (400, "0x80048d19")).await;
    check_create(&fixture, "createdfromcode", json!("2"), (400, "0x80048d19")).await;
    check_create(&fixture, "type", json!(0), (400, "0x80048d19")).await;
    check_create(&fixture, "statecode", json!(0), (400, "0x80040203")).await;
    check_create(&fixture, "membercount", json!(1), (400, "0x80040203")).await;
    check_create(&fixture, "query", json!("<fetch/>"), (400, "0x8004f702")).await;
    check_create(&fixture, "listnam", json!("x"), (400, "0x80048d19")).await;
    check_create(&fixture, "listid", json!("x"), (400, "0x80048d19")).await;
}

#[tokio::test]
async fn fixed_columns_can_be_ignored() {
    let fixed_columns = FixedColumns::Ignored;
    let fixture = Fixture::with(Options { fixed_columns, ..Options::default() }).await;
    let change = json!({ "type": true, "createdfromcode": 1, "listname": "Renamed" });
    assert_eq!(fixture.call("PATCH", "lists({list})", change).await.status, 204);
    let list = fixture.sandbox.list(fixture.list).unwrap();
    assert_eq!((list.kind, list.name.as_str()), (ListKind::Static, "Renamed"));
}

#[tokio::test]
async fn an_inactive_list_is_read_only_but_for_its_state() {
    let fixture = Fixture::new().await;
    let patch = async |body| outcome(&fixture, "PATCH", "lists({list})", &[], body).await;
    assert_eq!(patch(json!({ "statecode": 1 })).await.0, 204);
    assert_eq!(patch(json!({ "source": "x" })).await, (400, "0x8004033a".to_owned()));
    assert_eq!(patch(json!({ "statecode": 0 })).await.0, 204);
    assert_eq!(patch(json!({ "source": "x", "lockstatus": true })).await.0, 204);
    assert!(fixture.sandbox.list(fixture.list).unwrap().is_locked);
}

#[tokio::test]
async fn deleting() {
    let fixture = Fixture::new().await;
    let mut privileges: Vec<String> = LEAST_PRIVILEGES.iter().map(|&name| name.to_owned()).collect();
    privileges.push("prvDeleteList".to_owned());
    let user = ApplicationChange::User(ApplicationUser::WithPrivileges(privileges));
    fixture.sandbox.change_application(fixture.application.client_id, user).unwrap();
    assert_eq!(outcome(&fixture, "DELETE", "lists({list})", &[], Value::Null).await.0, 204);
    let gone = (404, "0x80040217".to_owned());
    assert_eq!(outcome(&fixture, "DELETE", "lists({list})", &[], Value::Null).await, gone);
    assert_eq!(outcome(&fixture, "GET", "lists({list})", &[], Value::Null).await, gone);
    let report = fixture.sandbox.report();
    assert_eq!((report.lists_deleted, report.calls[&Endpoint::DeleteList].by_code["0x80040217"]), (1, 1));
}

#[tokio::test]
async fn lists_are_found_by_what_they_are() {
    let fixture = Fixture::new().await;
    let dynamic = NewList { name: "O'Neil's".to_owned(), kind: ListKind::Dynamic, ..NewList::default() };
    let dynamic = fixture.sandbox.create_list(dynamic).unwrap();
    let find = async |filter: &str| {
        let call = format!("lists?$select=listname,type&$filter={filter}");
        let rows = fixture.call("GET", &call, Value::Null).await.json()["value"].clone();
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row["listid"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(find("listname eq 'o''neil''s'").await, [dynamic.to_string()]);
    assert_eq!(find("type eq false and createdfromcode eq 2").await, [fixture.list.to_string()]);
    assert_eq!(find("not (type eq false)").await, [dynamic.to_string()]);
    assert_eq!(find("lockstatus eq true").await, Vec::<String>::new());
    let change = PendingChange { change: ListChange::Lock, after_calls: 0 };
    fixture.sandbox.change_list(fixture.list, change).unwrap();
    assert_eq!(find("lockstatus eq true or statecode ne 0").await, [fixture.list.to_string()]);
    assert_eq!(find(&format!("listid eq {dynamic}")).await, [dynamic.to_string()]);
}
