//! Removals.

use super::*;
use OutcomeKind::{Added, Deferred, Rejected};

const NOT_OURS: (OutcomeKind, &str, Option<&str>, Standing) = (Added, "", None, Standing::NotOurs);

fn leaver(email: &str, id: Option<&str>) -> Row {
    Row { operation: Operation::Remove, destination_id: id.map(str::to_owned), values: vec![], ..row(email) }
}

async fn remove(
    connector: &Marketo<FixedStore>,
    rows: impl IntoIterator<Item = Row>,
) -> Result<Pushed<MarketoJob>, PushError> {
    connector.push(&target(), Kind::Remove, &frame(rows), &context()).await
}

#[tokio::test]
async fn known_leads_leave_the_list_without_a_look_up() {
    let server = serve().await;
    let reply = json!([
        {"id": 1, "status": "removed"},
        {"id": 2, "status": "skipped", "reasons": [{"code": "1015", "message": "Lead not in list"}]},
        {"id": 3, "status": "skipped", "reasons": [{"code": "1004", "message": "Lead not found"}]},
        {"id": 4, "status": "skipped", "reasons": [{"code": "1008", "message": "Partition"}]},
        {"id": 5, "status": "melted", "reasons": [{"code": "4711", "message": "?"}]},
    ]);
    mount(&server, "DELETE", MEMBERS, success(&reply)).await;
    let rows = (1..=6).map(|id| leaver(&format!("person{id}@example.com"), Some(&id.to_string())));
    let results = done(remove(&connector(&server), rows).await.unwrap());
    let expected = [
        ours(Added, "", None),
        NOT_OURS,
        NOT_OURS,
        ours(Rejected, "marketo_1008", None),
        ours(Deferred, "marketo_4711", None),
        ours(Deferred, "answer_incomplete", None),
    ];
    assert_eq!(told(&results), expected);
    assert_eq!(calls(&server).await, [format!("DELETE {MEMBERS}")]);
}

#[tokio::test]
async fn whoever_has_no_lead_id_is_looked_up() {
    let server = serve().await;
    let leads = json!([
        {"id": 11, "email": "imported@example.com"},
        {"id": 12, "email": "twice@example.com"},
        {"id": 13, "email": "twice@example.com"},
    ]);
    mount(&server, "POST", LEADS, success(&leads)).await;
    mount(&server, "DELETE", MEMBERS, |request: &Request| {
        let result: Vec<Value> = ids(request)
            .into_iter()
            .map(|id| match id {
                12 => json!({"id": id, "status": "skipped", "reasons": [{"code": "1015"}]}),
                _ => json!({"id": id, "status": "removed"}),
            })
            .collect();
        success(&result.into())
    })
    .await;
    let rows = [
        leaver("imported@example.com", None),
        leaver("known@example.com", Some("7")),
        leaver("twice@example.com", None),
        leaver("gone@example.com", None),
        leaver("a,b@example.com", None),
    ];
    let results = done(remove(&connector(&server), rows).await.unwrap());
    let applied = ours(Added, "", None);
    let expected = [applied, applied, applied, NOT_OURS, ours(Rejected, "key_has_comma", None)];
    assert_eq!(told(&results), expected);
    let all = requests(&server).await;
    let removal = all.iter().find(|request| request.method.as_str() == "DELETE").unwrap();
    assert_eq!(ids(removal), [7, 11, 12, 13]);
}

#[tokio::test]
async fn nobody_to_remove_is_no_call_about_the_list() {
    let server = serve().await;
    mount(&server, "POST", LEADS, success(&json!([]))).await;
    let results = done(remove(&connector(&server), [leaver("gone@example.com", None)]).await.unwrap());
    assert_eq!(told(&results), [NOT_OURS]);
    assert_eq!(calls(&server).await, [format!("POST {LEADS}")]);
}

#[tokio::test]
async fn removals_go_300_at_a_time_and_what_is_done_is_kept() {
    let server = serve().await;
    mount(&server, "DELETE", MEMBERS, |request: &Request| {
        if ids(request).contains(&301) { refusal("606") } else { members("removed")(request) }
    })
    .await;
    let rows = (1..=301).map(|id| leaver(&format!("person{id}@example.com"), Some(&id.to_string())));
    match remove(&connector(&server), rows).await.unwrap() {
        Pushed::Partly(results, error) => {
            assert_eq!(told(&results), vec![ours(Added, "", None); 300]);
            assert_eq!(
                (error.kind, error.retry),
                (ErrorKind::RateLimited, Retry::Wait(Duration::from_secs(5)))
            );
        }
        other => panic!("not partly: {other:?}"),
    }
    let all = requests(&server).await;
    let addresses = all.iter().map(|request| request.url.as_str().len());
    assert!(addresses.max().unwrap() < 8_000);
}
