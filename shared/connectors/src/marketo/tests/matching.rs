//! People who are only matched: their fields are not written, and no person is created.

use super::*;
use OutcomeKind::{Added, Rejected, Skipped};
use url::form_urlencoded;

fn form(request: &Request) -> Map<String, Value> {
    let pairs = form_urlencoded::parse(&request.body);
    pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
}

#[tokio::test]
async fn people_are_looked_up_by_form_and_added() {
    let server = serve().await;
    let leads = json!([
        {"id": 1, "email": "One@Example.com"},
        {"id": 2, "email": "two@example.com"},
        {"id": 3, "email": "two@example.com"},
    ]);
    mount(&server, "POST", LEADS, success(&leads)).await;
    mount(&server, "POST", MEMBERS, members("added")).await;
    let rows = ["one@example.com", "two@example.com", "nobody@example.com", "a,b@example.com"].map(row);
    let results = done(push(&connector(&server), &match_only(), rows).await.unwrap());
    let expected = [
        ours(Added, "", Some("1")),
        ours(Rejected, "marketo_1007", None),
        ours(Skipped, "marketo_1004", None),
        ours(Rejected, "key_has_comma", None),
    ];
    assert_eq!(told(&results), expected);
    let all = requests(&server).await;
    let look_up = all.iter().find(|request| request.url.path() == LEADS).unwrap();
    assert_eq!(look_up.url.query(), Some("_method=GET"));
    let values = "one@example.com,two@example.com,nobody@example.com";
    let expected = json!({"filterType": "email", "filterValues": values, "fields": "id,email"});
    assert_eq!(Value::Object(form(look_up)), expected);
    assert_eq!(calls(&server).await, [format!("POST {LEADS}"), format!("POST {MEMBERS}")]);
}

#[tokio::test]
async fn a_look_up_that_matches_too_many_is_made_in_halves() {
    let server = serve().await;
    let look_up = |request: &Request| {
        let form = form(request);
        let values: Vec<&str> = form["filterValues"].as_str().unwrap().split(',').collect();
        if values.contains(&"person2@example.com") {
            return refusal("1003");
        }
        let leads: Vec<Value> = values
            .iter()
            .map(|email| json!({"id": lead_id(&json!({"email": email})), "email": email}))
            .collect();
        success(&leads.into())
    };
    mount(&server, "POST", LEADS, look_up).await;
    mount(&server, "POST", MEMBERS, members("added")).await;
    let results = done(push(&connector(&server), &match_only(), people(4)).await.unwrap());
    let kinds: Vec<_> = told(&results).into_iter().map(|result| (result.0, result.1)).collect();
    assert_eq!(kinds, [(Added, ""), (Added, ""), (Rejected, "marketo_1007"), (Added, "")]);
}

#[tokio::test]
async fn a_look_up_may_have_several_pages() {
    let server = serve().await;
    let look_up = |request: &Request| {
        let (leads, page) = match form(request).get("nextPageToken") {
            None => (json!([{"id": 1, "email": "one@example.com"}]), json!("next")),
            Some(_) => (json!([{"id": 2, "email": "two@example.com"}]), json!(null)),
        };
        let body = json!({"success": true, "result": leads, "nextPageToken": page});
        ResponseTemplate::new(200).set_body_json(body)
    };
    mount(&server, "POST", LEADS, look_up).await;
    mount(&server, "POST", MEMBERS, members("added")).await;
    let rows = ["one@example.com", "two@example.com"].map(row);
    let results = done(push(&connector(&server), &match_only(), rows).await.unwrap());
    assert_eq!(told(&results), [ours(Added, "", Some("1")), ours(Added, "", Some("2"))]);
}

#[tokio::test]
async fn marketos_own_ids_need_no_look_up() {
    let server = serve().await;
    let reply = json!([
        {"id": 7, "status": "added"},
        {"id": 8, "status": "skipped", "reasons": [{"code": "1004", "message": "Lead not found"}]},
    ]);
    mount(&server, "POST", MEMBERS, success(&reply)).await;
    let target = MarketoTarget { lookup_field: "id".to_owned(), key_form: KeyForm::Number, ..match_only() };
    let results = done(push(&connector(&server), &target, ["7", "8"].map(row)).await.unwrap());
    assert_eq!(told(&results), [ours(Added, "", Some("7")), ours(Skipped, "marketo_1004", None)]);
    assert_eq!(calls(&server).await, [format!("POST {MEMBERS}")]);
}
