//! Snapshots of every request, byte by byte.

use super::super::batch::{Operation as BatchOperation, encode};
use super::super::{auth::entra, lookup, settings, wire};
use super::*;
use http::Method;
use url::Url;

fn pretty(body: &[u8]) -> String {
    serde_json::to_string_pretty(&serde_json::from_slice::<Value>(body).unwrap()).unwrap()
}

#[test]
fn members_in_one_call() {
    let contacts = [contact(1), contact(2)];
    let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
    insta::assert_snapshot!("members", pretty(&wire::encode_members(LIST, &contacts).unwrap()));
}

#[test]
fn rows_become_no_more_than_is_said() {
    let ids: Vec<String> = (0..100).map(contact).collect();
    let contacts: Vec<&str> = ids.iter().map(String::as_str).collect();
    let rows: u64 = ids.iter().map(|id| wire::row_bytes(&row(id, Operation::Add))).sum();
    let body = wire::encode_members(LIST, &contacts).unwrap().len();
    let empty = wire::encode_members(LIST, &[]).unwrap().len();
    // The last member has no comma after it.
    assert_eq!(u64::try_from(body - empty).unwrap() + 1, rows);
}

#[test]
fn look_ups_in_a_batch() {
    let url =
        |path: &str| Url::parse(&format!("https://contoso.crm.dynamics.com/api/data/v9.2/{path}")).unwrap();
    let (one, two) = (contact(1), contact(2));
    let query = |path: &str, ids: &[&str]| BatchOperation {
        method: Method::GET,
        url: lookup::query(url(path), ids),
        body: None,
    };
    let operations =
        [query("contacts", &[&one, &two]), query(&format!("lists({LIST})/listcontact_association"), &[&one])];
    insta::assert_snapshot!("look_ups", encode(&operations).replace('\r', "␍"));
}

#[test]
fn changes_one_by_one_in_a_batch() {
    let url = |action: &str| {
        let base = "https://contoso.crm.dynamics.com/api/data/v9.2";
        Url::parse(&format!("{base}/lists({LIST})/Microsoft.Dynamics.CRM.{action}")).unwrap()
    };
    let change = |action: &str, body: String| BatchOperation {
        method: Method::POST,
        url: url(action),
        body: Some(body),
    };
    let one = contact(1);
    let operations = [
        change("AddMemberList", wire::encode_addition(&one)),
        change("RemoveMemberList", wire::encode_removal(Removing::OneByOneAsListMember, &one)),
        change("RemoveMemberList", wire::encode_removal(Removing::OneByOneAsEntity, &one)),
    ];
    insta::assert_snapshot!("changes_one_by_one", encode(&operations).replace('\r', "␍"));
}

#[test]
fn a_token_is_asked_for_with_everything_escaped() {
    let settings = json!({
        "tenant": TENANT, "client_id": CLIENT, "organisation_url": "https://contoso.crm7.dynamics.com/",
    });
    let settings = settings::Settings::parse(settings.as_object().unwrap()).unwrap();
    insta::assert_snapshot!("token", entra::form(&settings, &"s3cr~t+/val&ue".into()));
}

#[tokio::test]
async fn headers_of_a_call() {
    let server = organisation(&Dataverse::with([1])).await;
    done(add(&sales(&server), [1]).await);
    let mut told = Vec::new();
    for request in server.received_requests().await.unwrap() {
        told.push(format!("{} {}", request.method, request.url.path()));
        let mut headers: Vec<String> = request
            .headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "host" | "user-agent" | "content-length"))
            .map(|(name, value)| format!("  {name}: {}", value.to_str().unwrap()))
            .collect();
        headers.sort();
        told.extend(headers);
    }
    insta::assert_snapshot!("headers", told.join("\n"));
}
