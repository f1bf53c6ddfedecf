//! Pages, their links, and counts.

use crate::client::{Fixture, members, numbered, sorted};
use sandbox::dynamics365_sales::{Guid, NewApplication, NewList, Options};
use serde_json::{Value, json};

/// All rows behind a call, page by page, and how many pages they were.
async fn all(fixture: &Fixture, call: &str, prefer: &str) -> (Vec<Value>, usize) {
    let (mut rows, mut pages) = (Vec::new(), 0);
    let mut next = call.to_owned();
    loop {
        let reply = fixture.call_with("GET", &next, &[("Prefer", prefer)], Value::Null).await;
        assert_eq!(reply.status, 200, "{next} {reply:?}");
        let body = reply.json();
        rows.extend(body["value"].as_array().unwrap().clone());
        pages += 1;
        match body["@odata.nextLink"].as_str() {
            Some(link) => next = link.strip_prefix(&fixture.sandbox.base_url()).unwrap().to_owned(),
            None => return (rows, pages),
        }
    }
}

fn ids(rows: &[Value], column: &str) -> Vec<Guid> {
    rows.iter().map(|row| Guid::parse(row[column].as_str().unwrap()).unwrap()).collect()
}

async fn check(fixture: &Fixture, call: &str, column: &str, size: usize, pages: usize, expected: Vec<Guid>) {
    let (rows, found) = all(fixture, call, &format!("odata.maxpagesize={size}")).await;
    assert_eq!(sorted(ids(&rows, column)), sorted(expected), "{call}");
    assert_eq!(found, pages, "{call}");
}

#[tokio::test]
async fn all_pages_together_are_the_members() {
    let fixture = Fixture::new().await;
    fixture.add(&numbered(0..7)).await;
    let other = NewList { name: "Other".to_owned(), ..NewList::default() };
    let other = fixture.sandbox.create_list(other).unwrap();
    fixture.call("POST", "AddListMembersList", members(other, &numbered(5..10))).await;
    let of_list = format!("listmembers?$select=_entityid_value&$filter=_listid_value eq {}", fixture.list);
    check(&fixture, &of_list, "_entityid_value", 3, 3, numbered(0..7)).await;
    check(&fixture, &of_list, "_entityid_value", 7, 1, numbered(0..7)).await;
    let quoted = of_list.replace(&fixture.list.to_string(), &format!("'{}'", fixture.list));
    check(&fixture, &quoted, "_entityid_value", 3, 3, numbered(0..7)).await;
    let both = [numbered(0..7), numbered(5..10)].concat();
    check(&fixture, "listmembers", "_entityid_value", 5, 3, both).await;
    let of_contact = format!("listmembers?$filter=_entityid_value eq {}", Guid::numbered(6));
    check(&fixture, &of_contact, "_listid_value", 1, 2, vec![fixture.list, other]).await;
    let count = fixture.call("GET", "lists({list})/listcontact_association/$count", Value::Null).await;
    assert_eq!(count.body, "\u{feff}7");
    let contacts = "lists({list})/listcontact_association?$select=contactid";
    check(&fixture, contacts, "contactid", 2, 4, numbered(0..7)).await;
    check(&fixture, "contacts?$select=contactid&$filter=statecode eq 0", "contactid", 4, 3, numbered(0..10))
        .await;
}

#[tokio::test]
async fn a_page_has_five_thousand_rows_at_most() {
    let fixture = Fixture::of(Options::default(), NewApplication::default(), 100_001).await;
    fixture.sandbox.seed_members(fixture.list, &numbered(0..100_001)).unwrap();
    let call = format!("listmembers?$select=_entityid_value&$filter=_listid_value eq {}", fixture.list);
    let (rows, pages) = all(&fixture, &call, "odata.maxpagesize=9999").await;
    assert_eq!((rows.len(), pages), (100_001, 21));
    assert_eq!(sorted(ids(&rows, "_entityid_value")), sorted(numbered(0..100_001)));
    let (rows, pages) = all(&fixture, "lists({list})/listcontact_association?$select=contactid", "x").await;
    assert_eq!((rows.len(), pages), (100_001, 21));
    let counted =
        fixture.call("GET", "contacts?$select=contactid&$top=1&$count=true", Value::Null).await.json();
    assert_eq!(counted["@odata.count"], 5_000, "and no more");
    assert!(counted.get("@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded").is_none());
    let prefer = [("Prefer", "odata.maxpagesize=1,odata.include-annotations=\"*\"")];
    let counted = fixture.call_with("GET", "contacts?$count=true", &prefer, Value::Null).await.json();
    assert_eq!(counted["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"], true);
    assert_eq!(counted["value"].as_array().unwrap().len(), 1);
    let bare = fixture.call("GET", "contacts/$count", Value::Null).await;
    assert_eq!(bare.body, "\u{feff}5000");
    let few = fixture.call("GET", "contacts/$count?$filter=statecode eq 1", Value::Null).await;
    assert_eq!(few.body, "\u{feff}0");
}

#[tokio::test]
async fn totals_are_of_whole_tables_and_a_day_old() {
    let fixture = Fixture::new().await;
    fixture.add(&numbered(0..2)).await;
    let call = "RetrieveTotalRecordCount(EntityNames=['contact','listmember'])";
    let totals = async || {
        let body = fixture.call("GET", call, Value::Null).await.json();
        body["EntityRecordCountCollection"]["Values"].clone()
    };
    assert_eq!(totals().await, json!([10, 2]));
    fixture.add(&numbered(2..4)).await;
    assert_eq!(totals().await, json!([10, 2]), "a snapshot");
    let alias = "RetrieveTotalRecordCount(EntityNames=@p)?@p=['list']";
    let body = fixture.call("GET", alias, Value::Null).await.json();
    assert_eq!(body["EntityRecordCountCollection"]["Keys"], json!(["list"]));
    let unknown = "RetrieveTotalRecordCount(EntityNames=['nothing'])";
    assert_eq!(fixture.call("GET", unknown, Value::Null).await.status, 400);
    let list = fixture.call("GET", "lists({list})?$select=membercount", Value::Null).await.json();
    assert_eq!(list["membercount"], 0, "it is not kept up");
}

#[tokio::test]
async fn a_next_link_is_used_as_it_is() {
    let fixture = Fixture::new().await;
    let prefer = [("Prefer", "odata.maxpagesize=4")];
    let body = fixture.call_with("GET", "contacts?$select=contactid", &prefer, Value::Null).await.json();
    let link = body["@odata.nextLink"].as_str().unwrap().strip_prefix(&fixture.sandbox.base_url()).unwrap();
    for (changed, status) in [
        (link.to_owned(), 200),
        (format!("{link}&$top=1"), 400),
        (link.replace("%25", "%"), 400),
        (link.replace("$select=contactid", "$select=statecode"), 400),
        (link.replace("$select=contactid", "$select=contactid&$count=true"), 400),
    ] {
        assert_eq!(
            fixture.call_with("GET", &changed, &prefer, Value::Null).await.status,
            status,
            "{changed}"
        );
    }
    // A page of the rest: the answer to a caller who does not say again how large pages are to be.
    let rest = fixture.call("GET", link, Value::Null).await.json();
    assert_eq!(rest["value"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn top_is_the_end_and_yields_to_a_page_size() {
    let fixture = Fixture::new().await;
    let (rows, pages) = all(&fixture, "contacts?$top=3", "x").await;
    assert_eq!((rows.len(), pages), (3, 1));
    let reply = fixture.call_with("GET", "contacts", &[("Prefer", "odata.maxpagesize=5")], Value::Null).await;
    assert_eq!(reply.header("preference-applied"), Some("odata.maxpagesize=5"));
    let (rows, pages) = all(&fixture, "contacts?$top=3", "odata.maxpagesize=5").await;
    assert_eq!((rows.len(), pages), (10, 2));
}

#[tokio::test]
async fn links_can_lead_astray() {
    let next_link_origin = Some("https://elsewhere.example".to_owned());
    let fixture = Fixture::with(Options { next_link_origin, ..Options::default() }).await;
    let prefer = [("Prefer", "odata.maxpagesize=4")];
    let body = fixture.call_with("GET", "contacts", &prefer, Value::Null).await.json();
    assert!(
        body["@odata.nextLink"]
            .as_str()
            .unwrap()
            .starts_with("https://elsewhere.example/api/data/v9.2/contacts?")
    );
}
