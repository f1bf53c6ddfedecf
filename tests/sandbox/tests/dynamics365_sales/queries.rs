//! `$select`, `$filter`, `In`, and what a query may not ask for.

use crate::client::{Fixture, numbered, sorted};
use sandbox::dynamics365_sales::{ContactChange, Guid, NewApplication, Options};
use serde_json::{Value, json};

fn ids(body: &Value) -> Vec<Guid> {
    let rows = body["value"].as_array().unwrap_or_else(|| panic!("no rows: {body}"));
    rows.iter().map(|row| Guid::parse(row["contactid"].as_str().unwrap()).unwrap()).collect()
}

async fn check(fixture: &Fixture, query: &str, expected: Vec<Guid>) {
    let reply = fixture.call("GET", &format!("contacts?{query}"), Value::Null).await;
    assert_eq!(reply.status, 200, "{query} {reply:?}");
    assert_eq!(ids(&reply.json()), sorted(expected), "{query}");
}

async fn check_refused(fixture: &Fixture, query: &str, expected: (u16, &str)) {
    let reply = fixture.call("GET", &format!("contacts?{query}"), Value::Null).await;
    assert_eq!(reply.outcome(), (expected.0, expected.1.to_owned()), "{query}");
}

fn quoted(ids: &[Guid]) -> String {
    let values: Vec<String> = ids.iter().map(|id| format!("%22{id}%22")).collect();
    format!("[{}]", values.join(","))
}

#[tokio::test]
async fn filters_find_their_rows() {
    let fixture = Fixture::new().await;
    fixture.sandbox.change_contact(Guid::numbered(1), ContactChange::Deactivate).unwrap();
    let first = Guid::numbered(0);
    check(&fixture, "$select=contactid", numbered(0..10)).await;
    check(&fixture, "$filter=statecode eq 1", numbered(1..2)).await;
    check(&fixture, "%24filter=statecode+eq+1&%24count=true", numbered(1..2)).await;
    check(&fixture, &format!("$filter=contactid eq {first}"), numbered(0..1)).await;
    check(&fixture, &format!("$filter=contactid eq '{first}'"), numbered(0..1)).await;
    check(&fixture, &format!("$filter=contactid eq {first} and statecode eq 1"), vec![]).await;
    check(&fixture, &format!("$filter=contactid eq {first} or statecode eq 1"), numbered(0..2)).await;
    check(
        &fixture,
        "$filter=not (statecode eq 1) and emailaddress1 eq null",
        [numbered(0..1), numbered(2..10)].concat(),
    )
    .await;
    let call = "Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)";
    let wanted = [numbered(0..3), numbered(50..51)].concat();
    let aliases = format!("@p1='contactid'&@p2={}", quoted(&wanted));
    check(&fixture, &format!("$filter={call}&{aliases}"), numbered(0..3)).await;
    check(
        &fixture,
        &format!("$filter={call} and statecode eq 0&{aliases}"),
        [numbered(0..1), numbered(2..3)].concat(),
    )
    .await;
    let inline =
        format!("$filter=Microsoft.Dynamics.CRM.In(PropertyName='contactid',PropertyValues=['{{{first}}}'])");
    check(&fixture, &inline, numbered(0..1)).await;
    let not_in = "$filter=Microsoft.Dynamics.CRM.NotIn(PropertyName='statecode',PropertyValues=[\"0\"])";
    check(&fixture, &not_in.replace('"', "%22"), numbered(1..2)).await;
}

#[tokio::test]
async fn rows_have_what_was_selected() {
    let fixture = Fixture::new().await;
    let one = format!("contacts({})?$select=statecode", Guid::numbered(0));
    let row = fixture.call("GET", &one, Value::Null).await.json();
    assert_eq!((&row["statecode"], &row["contactid"]), (&json!(0), &json!(Guid::numbered(0))));
    assert!(row.get("statuscode").is_none() && row["@odata.etag"].as_str().unwrap().starts_with("W/\""));
    let missing = format!("contacts({})", Guid::random());
    assert_eq!(fixture.call("GET", &missing, Value::Null).await.outcome(), (404, "0x80040217".to_owned()));
}

#[tokio::test]
async fn queries_that_are_refused() {
    let fixture = Fixture::with(Options { most_in_values: 3, ..Options::default() }).await;
    let bad = (400, "0x80060888");
    check_refused(&fixture, "$select=contactid,nickname", bad).await;
    check_refused(&fixture, "$filter=nickname eq 'x'", bad).await;
    check_refused(&fixture, "$filter=statecode eq 'x'", bad).await;
    check_refused(&fixture, "$filter=statecode eq", bad).await;
    check_refused(&fixture, "$filter=(statecode eq 0", bad).await;
    check_refused(&fixture, "$filter=contactid eq 12", bad).await;
    check_refused(&fixture, &format!("$filter=contactid in ({})", Guid::numbered(0)), bad).await;
    check_refused(&fixture, "$skip=1", bad).await;
    check_refused(&fixture, "$selct=contactid", bad).await;
    check_refused(&fixture, "$top=x", bad).await;
    check_refused(&fixture, "$select=contactid&$select=statecode", bad).await;
    check_refused(&fixture, "$expand=parentcustomerid", (501, "")).await;
    let call = "Microsoft.Dynamics.CRM.In(PropertyName='contactid',PropertyValues=@p)";
    check_refused(&fixture, &format!("$filter={call}"), bad).await;
    check_refused(&fixture, &format!("$filter=not {call}&@p={}", quoted(&numbered(0..1))), bad).await;
    check_refused(&fixture, &format!("$filter={call}&@p=[]"), (400, "0x80040203")).await;
    check_refused(&fixture, &format!("$filter={call}&@p=[%22x%22]"), (400, "0x80040203")).await;
    check_refused(&fixture, &format!("$filter={call}&@p={}", quoted(&numbered(0..4))), (400, "0x8004430e"))
        .await;
    let many = vec!["statecode eq 0"; 501].join(" or ");
    check_refused(&fixture, &format!("$filter={many}"), (400, "0x8004430e")).await;
    for (bytes, status) in [(32_000, 400), (33_000, 414)] {
        let reply = fixture.call("GET", &format!("contacts?$x={}", "y".repeat(bytes)), Value::Null).await;
        assert_eq!(reply.status, status, "{bytes}");
    }
    assert!(fixture.sandbox.report().longest_address_bytes > 33_000);
}

#[tokio::test]
async fn two_hundred_ids_in_a_hundred_thousand_contacts() {
    let fixture = Fixture::of(Options::default(), NewApplication::default(), 100_001).await;
    let wanted = numbered(99_801..100_001);
    let query = format!(
        "$select=contactid,statecode&$filter=Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)\
         &@p1='contactid'&@p2={}",
        quoted(&wanted)
    );
    check(&fixture, &query, wanted).await;
}
