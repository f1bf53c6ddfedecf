//! What each call needs, and that the error names it.

use crate::client::{Fixture, members, numbered};
use sandbox::dynamics365_sales::{
    ApplicationChange, ApplicationUser, LEAST_PRIVILEGES, MemberPrivileges, NewApplication, Options,
};
use serde_json::{Value, json};

async fn check(fixture: &Fixture, without: &str, method: &str, call: &str, body: Value, expected: u16) {
    let privileges = LEAST_PRIVILEGES.iter().filter(|name| **name != without).map(|&name| name.to_owned());
    let user = ApplicationUser::WithPrivileges(privileges.collect());
    fixture.sandbox.change_application(fixture.application.client_id, ApplicationChange::User(user)).unwrap();
    let reply = fixture.call(method, call, body).await;
    assert_eq!(reply.status, expected, "{method} {call} without {without}: {reply:?}");
    if expected == 403 {
        assert_eq!(reply.outcome().1, "0x80040220");
        let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(&format!("missing {without} privilege")), "{message}");
    }
}

#[tokio::test]
async fn each_call_names_what_is_missing() {
    let fixture = Fixture::new().await;
    let add = || members(fixture.list, &numbered(0..1));
    let list = || json!({ "listname": "New", "createdfromcode": 2 });
    check(&fixture, "prvReadList", "GET", "WhoAmI", Value::Null, 200).await;
    check(&fixture, "prvReadList", "GET", "lists?$top=1", Value::Null, 403).await;
    check(&fixture, "prvReadList", "GET", "listmembers", Value::Null, 403).await;
    check(&fixture, "prvReadContact", "GET", "contacts?$top=1", Value::Null, 403).await;
    check(&fixture, "prvReadContact", "GET", "lists({list})/listcontact_association", Value::Null, 403).await;
    check(&fixture, "prvCreateList", "POST", "lists", list(), 403).await;
    check(&fixture, "prvWriteList", "PATCH", "lists({list})", json!({ "source": "x" }), 403).await;
    for privilege in ["prvReadList", "prvReadContact", "prvAppendToList", "prvAppendContact", "prvWriteList"]
    {
        check(&fixture, privilege, "POST", "AddListMembersList", add(), 403).await;
        check(&fixture, privilege, "POST", "RemoveListMembersList", add(), 403).await;
    }
    check(&fixture, "prvCreateList", "POST", "AddListMembersList", add(), 204).await;
    // The least privileges do not have these.
    check(&fixture, "prvDeleteList", "DELETE", "lists({list})", Value::Null, 403).await;
    check(&fixture, "prvCreateContact", "POST", "contacts", json!({}), 403).await;
}

#[tokio::test]
async fn documents_differ_about_writing_lists() {
    let member_privileges = MemberPrivileges::WithoutWriteList;
    let fixture = Fixture::with(Options { member_privileges, ..Options::default() }).await;
    let add = members(fixture.list, &numbered(0..1));
    check(&fixture, "prvWriteList", "POST", "AddListMembersList", add, 204).await;
}

#[tokio::test]
async fn a_user_can_ask_for_its_own_privileges() {
    let user = ApplicationUser::WithPrivileges(vec!["prvReadList".to_owned()]);
    let fixture =
        Fixture::of(Options::default(), NewApplication { user, ..NewApplication::default() }, 0).await;
    let me = fixture.call("GET", "WhoAmI", Value::Null).await.json();
    assert_eq!(me["UserId"], json!(fixture.application.user_id));
    assert!(me["OrganizationId"].is_string() && me["BusinessUnitId"].is_string());
    let call = format!(
        "systemusers({})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges",
        fixture.application.user_id.unwrap()
    );
    let privileges = fixture.call("GET", &call, Value::Null).await.json();
    assert_eq!(privileges["RolePrivileges"].as_array().unwrap().len(), 1);
    assert_eq!(privileges["RolePrivileges"][0]["PrivilegeName"], "prvReadList");
}
