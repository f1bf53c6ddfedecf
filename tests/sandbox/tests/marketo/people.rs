//! Looking people up, and lists' members.

use crate::client::{Fixture, Sent, escaped};
use sandbox::marketo::{ExistingMembers, LeadId, Options, SeedLead};
use serde_json::{Value, json};

fn ids(rows: &[Value]) -> Vec<u64> {
    rows.iter().filter_map(|row| row["id"].as_u64()).collect()
}

#[tokio::test]
async fn find_by_email() {
    let fixture = Fixture::new().await;
    for name in ["a", "b", "a"] {
        fixture.sandbox.seed_leads(vec![SeedLead::new(&format!("{name}@example.com"))]).unwrap();
    }
    let form = "filterType=email&filterValues=a%40example.com,B%40example.com,c%40example.com&fields=email,firstName";
    let path = format!("/rest/v1/leads.json?{form}");
    let expected: Vec<Value> = [(1, "a"), (2, "b"), (3, "a")]
        .map(|(id, name)| json!({ "id": id, "email": format!("{name}@example.com"), "firstName": null }))
        .into();
    assert_eq!(fixture.get(&path).await.rows(), expected);
    let in_url = fixture.call("POST", "/rest/v1/leads.json?_method=GET", Sent::form(form)).await;
    assert_eq!(in_url.rows(), expected);
    let in_form =
        fixture.call("POST", "/rest/v1/leads.json", Sent::form(&format!("{form}&_method=GET"))).await;
    assert_eq!(in_form.rows(), expected);
    let none = fixture.get("/rest/v1/leads.json?filterType=email&filterValues=c%40example.com").await;
    assert_eq!(none.json()["result"], json!([]));
    let usual = fixture.get("/rest/v1/leads.json?filterType=id&filterValues=2").await.rows();
    let names: Vec<&str> = usual[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["createdAt", "email", "firstName", "id", "lastName", "updatedAt"]);
}

#[tokio::test]
async fn find_refuses() {
    let fixture = Fixture::new().await;
    let twins = vec![SeedLead::new("twin@example.com"); 1001];
    fixture.sandbox.seed_leads(twins).unwrap();
    let many = vec!["x"; 301].join(",");
    for (query, expected) in [
        ("filterValues=a", 1002),
        ("filterType=email", 1002),
        ("filterType=nothing&filterValues=a", 1006),
        ("filterType=firstName&filterValues=a", 1011),
        ("filterType=id&filterValues=1&fields=nothing", 1006),
        ("filterType=id&filterValues=1&batchSize=301", 1003),
        ("filterType=id&filterValues=1&nextPageToken=abc", 1003),
        ("filterType=email&filterValues=twin%40example.com", 1003),
        (&format!("filterType=email&filterValues={many}"), 1003),
        (&format!("filterType=email&filterValues={}", "x".repeat(8192)), 414),
    ] {
        assert_eq!(fixture.get(&format!("/rest/v1/leads.json?{query}")).await.code(), expected, "{query}");
    }
}

/// All pages of a path that has a `?` already.
async fn pages(fixture: &Fixture, path: &str) -> Vec<Vec<u64>> {
    let mut pages = Vec::new();
    let mut token = String::new();
    loop {
        let reply = fixture.get(&format!("{path}{token}")).await;
        pages.push(ids(&reply.rows()));
        match reply.json()["nextPageToken"].as_str() {
            Some(next) => token = format!("&nextPageToken={}", escaped(next)),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn pages_of_a_search_and_of_a_list() {
    let fixture = Fixture::new().await;
    let seeds = (0..5).map(|_| SeedLead { lists: vec![fixture.list], ..SeedLead::new("p@example.com") });
    fixture.sandbox.seed_leads(seeds.collect()).unwrap();
    let find = "/rest/v1/leads.json?filterType=email&filterValues=p%40example.com&batchSize=2";
    let members = "/rest/v1/lists/{list}/leads.json?batchSize=2";
    let expected: [&[u64]; 3] = [&[1, 2], &[3, 4], &[5]];
    assert_eq!(pages(&fixture, find).await, expected);
    assert_eq!(pages(&fixture, members).await, expected);
    // A page that is exactly full is the last one.
    fixture.sandbox.delete_lead(LeadId::from(5)).unwrap();
    assert_eq!(pages(&fixture, members).await, expected[..2]);
}

#[tokio::test]
async fn members_come_and_go() {
    let fixture = Fixture::new().await;
    let seeds = (0..4).map(|number| SeedLead::new(&format!("p{number}@example.com")));
    fixture.sandbox.seed_leads(seeds.collect()).unwrap();
    let path = "/rest/v1/lists/{list}/leads.json";
    fixture.sandbox.seed_members(fixture.list, &[LeadId::from(4)]).unwrap();
    let add =
        fixture.post(path, json!({ "input": [{ "id": 1 }, { "id": 2 }, { "id": 99 }, { "id": 4 }] })).await;
    assert_eq!(add.statuses(), ["added", "added", "skipped 1004", "skipped"]);
    let asked = fixture.get("/rest/v1/lists/{list}/leads/ismember.json?id=1&id=3,99").await;
    assert_eq!(asked.statuses(), ["memberof", "notmemberof", "skipped 1004"]);
    let removed = fixture.call("DELETE", &format!("{path}?id=1&id=3&id=99,4"), Sent::default()).await;
    assert_eq!(removed.statuses(), ["removed", "skipped 1015", "skipped 1004", "removed"]);
    assert_eq!(removed.rows()[1]["reasons"][0]["message"], "Lead not in list");
    assert_eq!(fixture.sandbox.member_emails(fixture.list).unwrap(), ["p1@example.com"]);
    let lists = fixture.get("/rest/v1/leads/2/listMembership.json").await.rows();
    assert_eq!(lists[0]["listId"], json!(fixture.list));
    let report = fixture.sandbox.report();
    assert_eq!((report.members_added, report.members_removed, report.removals_of_seeded), (2, 2, 1));
}

#[tokio::test]
async fn membership_refuses() {
    let fixture = Fixture::new().await;
    let many: Vec<Value> = (1..302).map(|id| json!({ "id": id })).collect();
    for (path, body, expected) in [
        ("/rest/v1/lists/7/leads.json", json!({ "input": [{ "id": 1 }] }), 1013),
        ("/rest/v1/lists/{list}/leads.json", json!({ "input": many }), 1003),
        ("/rest/v1/lists/{list}/leads.json", json!({ "input": [] }), 1002),
        ("/rest/v1/lists/{list}/leads.json", json!({ "input": [{ "id": "1" }] }), 1001),
        ("/rest/v1/lists/{list}/leads.json", json!({ "leads": [1] }), 1002),
    ] {
        assert_eq!(fixture.post(path, body).await.code(), expected, "{path}");
    }
}

#[tokio::test]
async fn a_member_that_is_added_again_can_be_called_added() {
    let options = Options { existing_members: ExistingMembers::Added, ..Options::default() };
    let fixture = Fixture::with(options).await;
    fixture.sandbox.seed_leads(vec![SeedLead { lists: vec![fixture.list], ..SeedLead::default() }]).unwrap();
    let add = fixture.post("/rest/v1/lists/{list}/leads.json?id=1", Value::Null).await;
    assert_eq!(add.code(), 1002, "JSON without input");
    let add = fixture.call("POST", "/rest/v1/lists/{list}/leads.json?id=1", Sent::default()).await;
    assert_eq!(add.statuses(), ["added"]);
}

#[tokio::test]
async fn deleted_leads_are_gone_from_lists_and_counted() {
    let fixture = Fixture::new().await;
    let seed = SeedLead { lists: vec![fixture.list], ..SeedLead::new("p@example.com") };
    fixture.sandbox.seed_leads(vec![seed]).unwrap();
    let reply =
        fixture.post("/rest/v1/leads/delete.json", json!({ "input": [{ "id": 1 }, { "id": 2 }] })).await;
    assert_eq!(reply.statuses(), ["deleted", "skipped 1004"]);
    assert_eq!(fixture.sandbox.member_emails(fixture.list).unwrap(), Vec::<String>::new());
    assert_eq!((fixture.sandbox.report().leads_deleted, fixture.sandbox.lead_count()), (1, 0));
}
