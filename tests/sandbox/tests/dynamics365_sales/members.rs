//! Members added and removed, and all that makes a call fail as a whole.

use crate::client::{Fixture, members, numbered, sorted};
use sandbox::dynamics365_sales::{
    ContactChange, Endpoint, Guid, InactiveContacts, ListAction, ListChange, ListKind, MemberType,
    MissingContacts, NewList, Options, Origin, PendingChange, Poison, PoisonError, PoisonedCalls,
    RemoveMemberParameter, RemovedStrangers, RepeatedMembers,
};
use serde_json::{Value, json};

fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn members_come_and_go() {
    let fixture = Fixture::new().await;
    let reply = fixture.add(&numbered(0..3)).await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    assert_eq!(fixture.add(&numbered(2..5)).await.status, 204, "who is there already is no error");
    assert_eq!(fixture.on_list(), sorted(numbered(0..5)));
    fixture.sandbox.seed_members(fixture.list, &numbered(8..10)).unwrap();
    assert_eq!(fixture.remove(&numbered(0..2)).await.status, 204);
    assert_eq!(fixture.remove(&numbered(8..9)).await.status, 204);
    assert_eq!(fixture.remove(&numbered(0..3)).await.outcome(), code(400, "0x80048458"));
    assert_eq!(fixture.on_list(), sorted([numbered(2..5), numbered(9..10)].concat()));
    let report = fixture.sandbox.report().members;
    assert_eq!((report.added, report.already, report.removed, report.foreign_removed), (5, 1, 3, 1));
    assert_eq!((report.calls, report.most_in_one_call), (4, 3));
    let by_origin = |origin| {
        let members = fixture.sandbox.members(fixture.list).unwrap();
        members.iter().filter(|member| member.origin == origin).count()
    };
    assert_eq!((by_origin(Origin::Api), by_origin(Origin::Seeded)), (3, 1));
}

async fn check_body(fixture: &Fixture, body: Value, expected: (u16, &str)) {
    let reply = fixture.call("POST", "AddListMembersList", body.clone()).await;
    assert_eq!(reply.outcome(), code(expected.0, expected.1), "{body} {reply:?}");
    assert!(fixture.on_list().is_empty(), "{body}");
}

#[tokio::test]
async fn bodies_that_are_refused() {
    let fixture = Fixture::new().await;
    let good = members(fixture.list, &numbered(0..1));
    let with = |member: Value| {
        let mut body = good.clone();
        body["Members"] = json!([good["Members"][0], member]);
        body
    };
    let id = Guid::numbered(1);
    let contact = "Microsoft.Dynamics.CRM.contact";
    check_body(&fixture, with(json!({ "contactid": id })), (400, "0x80048d19")).await;
    check_body(&fixture, with(json!({ "@odata.type": contact })), (400, "0x80048d19")).await;
    check_body(&fixture, with(json!({ "@odata.type": contact, "contactid": "x" })), (400, "0x80048d19"))
        .await;
    let braces = format!("{{{id}}}");
    check_body(&fixture, with(json!({ "@odata.type": contact, "contactid": braces })), (400, "0x80048d19"))
        .await;
    let lead = json!({ "@odata.type": "Microsoft.Dynamics.CRM.lead", "leadid": id });
    check_body(&fixture, with(lead.clone()), (400, "0x80040301")).await;
    check_body(&fixture, json!({ "List": good["List"], "Members": [lead] }), (400, "0x80040301")).await;
    check_body(&fixture, json!({ "List": good["List"], "Members": [] }), (400, "0x80040203")).await;
    check_body(&fixture, json!({ "List": good["List"] }), (400, "0x80048d19")).await;
    check_body(&fixture, json!({ "List": {}, "Members": good["Members"] }), (400, "0x80048d19")).await;
    check_body(&fixture, members(Guid::random(), &numbered(0..1)), (404, "0x80040217")).await;
    let repeated = [Guid::numbered(0), Guid::numbered(0)];
    check_body(&fixture, members(fixture.list, &repeated), (412, "0x80040237")).await;
    check_body(&fixture, members(fixture.list, &numbered(0..1001)), (400, "0x80040203")).await;
    check_body(&fixture, Value::Null, (415, "")).await;
}

#[tokio::test]
async fn a_missing_contact_fails_the_whole_call_and_is_named_on_request_only() {
    let missing = Guid::numbered(100);
    for (missing_contacts, is_named) in [(MissingContacts::Unnamed, false), (MissingContacts::Named, true)] {
        let fixture = Fixture::with(Options { missing_contacts, ..Options::default() }).await;
        let reply = fixture.add(&[Guid::numbered(0), missing]).await;
        assert_eq!(reply.outcome(), code(404, "0x80040217"));
        assert_eq!(reply.body.contains(&missing.to_string()), is_named);
        assert!(fixture.on_list().is_empty());
    }
}

#[tokio::test]
async fn inactive_contacts() {
    for (inactive_contacts, status, on_list) in [
        (InactiveContacts::Refused, 400, 0..0),
        (InactiveContacts::LeftOut, 204, 0..1),
        (InactiveContacts::Added, 204, 0..2),
    ] {
        let fixture = Fixture::with(Options { inactive_contacts, ..Options::default() }).await;
        fixture.sandbox.change_contact(Guid::numbered(1), ContactChange::Deactivate).unwrap();
        assert_eq!(fixture.add(&numbered(0..2)).await.status, status, "{inactive_contacts:?}");
        assert_eq!(fixture.on_list(), sorted(numbered(on_list)), "{inactive_contacts:?}");
    }
}

#[tokio::test]
async fn contacts_change_behind_the_back() {
    let fixture = Fixture::new().await;
    fixture.add(&numbered(0..3)).await;
    fixture.sandbox.change_contact(Guid::numbered(0), ContactChange::Delete).unwrap();
    fixture.sandbox.change_contact(Guid::numbered(1), ContactChange::Deactivate).unwrap();
    assert_eq!(fixture.on_list(), sorted(numbered(1..3)), "who is inactive stays");
    assert_eq!(fixture.remove(&numbered(0..3)).await.outcome(), code(400, "0x80048458"));
    assert_eq!(fixture.remove(&numbered(1..3)).await.status, 204);
}

#[tokio::test]
async fn lenient_readings() {
    let options = Options {
        repeated_members: RepeatedMembers::Ignored,
        removed_strangers: RemovedStrangers::Ignored,
        most_members: None,
        ..Options::default()
    };
    let fixture = Fixture::of(options, sandbox::dynamics365_sales::NewApplication::default(), 2_000).await;
    assert_eq!(fixture.add(&[Guid::numbered(0), Guid::numbered(0)]).await.status, 204);
    assert_eq!(fixture.add(&numbered(0..1_500)).await.status, 204);
    assert_eq!(fixture.remove(&numbered(1_000..2_000)).await.status, 204);
    assert_eq!(fixture.on_list().len(), 1_000);
}

#[tokio::test]
async fn lists_that_take_nobody() {
    let fixture = Fixture::new().await;
    let new = |kind, member_type| {
        let list = NewList { name: "x".to_owned(), kind, member_type, ..NewList::default() };
        fixture.sandbox.create_list(list).unwrap()
    };
    let changed = |change| {
        let list = new(ListKind::Static, MemberType::Contact);
        fixture.sandbox.change_list(list, PendingChange { change, after_calls: 0 }).unwrap();
        list
    };
    for (list, expected) in [
        (new(ListKind::Dynamic, MemberType::Contact), code(400, "0x8004f701")),
        (new(ListKind::Static, MemberType::Lead), code(400, "0x80040301")),
        (changed(ListChange::Lock), code(400, "0x80040302")),
        (changed(ListChange::Deactivate), code(400, "0x8004033a")),
        (changed(ListChange::Delete), code(404, "0x80040217")),
    ] {
        for action in ["AddListMembersList", "RemoveListMembersList"] {
            let body = members(list, &numbered(0..1));
            assert_eq!(fixture.call("POST", action, body).await.outcome(), expected, "{action}");
        }
    }
}

#[tokio::test]
async fn a_list_is_locked_in_mid_run() {
    let fixture = Fixture::new().await;
    let pending = |change, after_calls| {
        fixture.sandbox.change_list(fixture.list, PendingChange { change, after_calls }).unwrap();
    };
    pending(ListChange::Lock, 2);
    let mut outcomes = Vec::new();
    for number in 0..4 {
        outcomes.push(fixture.add(&numbered(number..number + 1)).await.status);
    }
    assert_eq!(outcomes, [204, 204, 400, 400]);
    pending(ListChange::Unlock, 0);
    pending(ListChange::Delete, 1);
    assert_eq!(fixture.add(&numbered(2..3)).await.status, 204);
    assert_eq!(fixture.add(&numbered(3..4)).await.outcome(), code(404, "0x80040217"));
}

#[tokio::test]
async fn one_contact_poisons_the_calls_that_it_is_in() {
    for (error, expected) in [
        (PoisonError::PlugIn, code(400, "0x80040265")),
        (PoisonError::Missing, code(404, "0x80040217")),
        (PoisonError::Timeout, code(500, "0x80044151")),
    ] {
        let fixture = Fixture::new().await;
        let poisonous = Guid::numbered(3);
        fixture.sandbox.poison(poisonous, Poison { error, calls: PoisonedCalls::Adding });
        let reply = fixture.add(&numbered(0..5)).await;
        assert_eq!(reply.outcome(), expected);
        assert!(!reply.body.contains(&poisonous.to_string()) && fixture.on_list().is_empty());
        assert_eq!(fixture.add(&numbered(0..3)).await.status, 204);
        fixture.sandbox.clear_poisons();
        assert_eq!(fixture.add(&numbered(0..5)).await.status, 204);
        fixture.sandbox.poison(poisonous, Poison { error, calls: PoisonedCalls::Removing });
        assert_eq!(fixture.remove(&numbered(0..5)).await.outcome(), expected);
    }
}

#[tokio::test]
async fn one_by_one() {
    let fixture = Fixture::new().await;
    let add = "lists({list})/Microsoft.Dynamics.CRM.AddMemberList";
    let remove = "lists({list})/Microsoft.Dynamics.CRM.RemoveMemberList";
    let contact = json!({ "EntityId": Guid::numbered(0) });
    let first = fixture.call("POST", add, contact.clone()).await;
    assert_eq!(first.status, 200);
    let again = fixture.call("POST", add, contact.clone()).await;
    assert_eq!(again.json()["Id"], first.json()["Id"]);
    assert_eq!(fixture.call("POST", remove, contact.clone()).await.outcome(), code(400, "0x80048d19"));
    let member = json!({ "ListMember": { "listmemberid": Guid::numbered(0) } });
    assert_eq!(fixture.call("POST", remove, member.clone()).await.status, 204);
    assert_eq!(fixture.call("POST", remove, member.clone()).await.outcome(), code(400, "0x80048458"));
    let remove_member_parameter = RemoveMemberParameter::EntityId;
    let other = Fixture::with(Options { remove_member_parameter, ..Options::default() }).await;
    other.add(&numbered(0..1)).await;
    assert_eq!(other.call("POST", remove, member).await.outcome(), code(400, "0x80048d19"));
    assert_eq!(other.call("POST", remove, contact).await.status, 204);
}

#[tokio::test]
async fn actions_can_be_missing() {
    let missing_actions = vec![ListAction::RemoveListMembersList, ListAction::RemoveMemberList];
    let fixture = Fixture::with(Options { missing_actions, ..Options::default() }).await;
    let document = fixture.call("GET", "$metadata", Value::Null).await;
    assert_eq!(document.header("content-type"), Some("application/xml"));
    for (action, is_there) in [
        ("AddListMembersList", true),
        ("RemoveListMembersList", false),
        ("AddMemberList", true),
        ("RemoveMemberList", false),
    ] {
        assert_eq!(document.body.contains(&format!("<Action Name=\"{action}\"")), is_there, "{action}");
        let filter = format!(
            "sdkmessagefilters?$select=sdkmessagefilterid&$filter=sdkmessageid/name eq @message and \
             primaryobjecttypecode eq @table&@message='{action}'&@table='list'"
        );
        let rows = fixture.call("GET", &filter, Value::Null).await.json();
        assert_eq!(rows["value"].as_array().unwrap().len(), usize::from(is_there), "{action}");
    }
    fixture.sandbox.seed_members(fixture.list, &numbered(0..1)).unwrap();
    assert_eq!(fixture.remove(&numbered(0..1)).await.outcome(), code(404, "0x8006088a"));
}

#[tokio::test]
async fn list_members_cannot_be_made_as_rows() {
    let fixture = Fixture::new().await;
    for path in ["listmembers", "lists({list})/listcontact_association/$ref"] {
        assert_eq!(fixture.call("POST", path, json!({})).await.status, 400);
    }
    assert_eq!(fixture.sandbox.report().calls[&Endpoint::CreateListMember].calls, 2);
}

#[tokio::test]
async fn contacts_that_the_api_makes_are_counted() {
    use sandbox::dynamics365_sales::{ApplicationUser, NewApplication};
    let privileges = ["prvCreateContact", "prvWriteContact", "prvReadContact"].map(str::to_owned).to_vec();
    let user = ApplicationUser::WithPrivileges(privileges);
    let fixture =
        Fixture::of(Options::default(), NewApplication { user, ..NewApplication::default() }, 1).await;
    let path = |id: Guid| format!("contacts({id})");
    let body = || json!({ "emailaddress1": "a@example.com" });
    assert_eq!(fixture.call("POST", "contacts", body()).await.status, 204);
    assert_eq!(fixture.call("PATCH", &path(Guid::random()), body()).await.status, 204);
    assert_eq!(fixture.call("PATCH", &path(Guid::numbered(0)), body()).await.status, 204);
    let guarded = fixture.call_with("PATCH", &path(Guid::random()), &[("If-Match", "*")], body()).await;
    assert_eq!(guarded.status, 404);
    let report = fixture.sandbox.report();
    assert_eq!((report.contacts_created, report.contacts_changed), (2, 1));
    assert_eq!(fixture.sandbox.contacts(), 3);
}
