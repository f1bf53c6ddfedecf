//! Additions and changes by individual calls.

use super::*;
use OutcomeKind::{Added, Deferred, Rejected, Skipped};

#[tokio::test]
async fn people_are_written_and_added_300_at_a_time() {
    let server = serve().await;
    mount(&server, "POST", LEADS, created).await;
    mount(&server, "POST", MEMBERS, members("added")).await;
    let context = context();
    let pushed = connector(&server).push(&target(), Kind::Upsert, &frame(people(601)), &context).await;
    let results = done(pushed.unwrap());
    assert_eq!(results.len(), 601);
    for (number, result) in told(&results).into_iter().enumerate() {
        let id = (1_000 + number).to_string();
        assert_eq!(result, ours(Added, "", Some(&id)));
    }
    assert_eq!(context.calls(), 6, "tokens are not counted");
    let all = requests(&server).await;
    let sizes = |at: &str| -> Vec<usize> {
        all.iter().filter(|request| request.url.path() == at).map(|request| sent(request).len()).collect()
    };
    assert_eq!((sizes(LEADS), sizes(MEMBERS)), (vec![300, 300, 1], vec![300, 300, 1]));
    assert_eq!(all.iter().filter(|request| request.url.path() == TOKEN).count(), 1);
}

#[tokio::test]
async fn of_300_people_each_has_an_outcome_of_their_own() {
    let server = serve().await;
    let write = |request: &Request| {
        let refuse = |code: &str, message: &str| json!({"status": "skipped", "reasons": [{"code": code, "message": message}]});
        let result: Vec<Value> = sent(request)
            .iter()
            .map(|lead| match lead["email"].as_str().unwrap() {
                "person10@example.com" => refuse("1004", "Lead not found"),
                "person20@example.com" => refuse("1007", "Multiple lead match lookup criteria"),
                "person30@example.com" => {
                    refuse("1003", "Invalid value for field 'birthday' and value 'jane@example.com'")
                }
                _ => json!({"id": lead_id(lead), "status": "updated"}),
            })
            .collect();
        success(&result.into())
    };
    mount(&server, "POST", LEADS, write).await;
    mount(&server, "POST", MEMBERS, members("added")).await;
    let mut rows = people(300);
    rows[40].values = vec![(1, FieldValue::Text("Acme, \"Sons\"\nand daughters".to_owned()))];
    let frame = Frame { field_keys: vec!["birthday".to_owned(), "unit".to_owned()], rows };
    let target = MarketoTarget { person_creation: PersonCreation::MatchOnly, ..target() };
    let results = done(connector(&server).push(&target, Kind::Upsert, &frame, &context()).await.unwrap());
    let told = told(&results);
    assert_eq!(told.iter().filter(|result| result.0 == Added).count(), 297);
    assert_eq!(told[10], ours(Skipped, "marketo_1004", None));
    assert_eq!(told[20], ours(Rejected, "marketo_1007", None));
    assert_eq!(told[30], ours(Rejected, "marketo_1003", None));
    assert_eq!(told[40], ours(Added, "", Some("1040")));
    let reason = results[30].outcome.reason().unwrap();
    assert_eq!(reason.text, "Marketo does not take the value of field birthday");
    let all = requests(&server).await;
    let written = all.iter().find(|request| request.url.path() == LEADS).unwrap();
    assert_eq!(sent(written)[40]["unit"], "Acme, \"Sons\"\nand daughters");
    let added = all.iter().find(|request| request.url.path() == MEMBERS).unwrap();
    assert_eq!(ids(added).len(), 297);
}

#[tokio::test]
async fn what_an_answer_leaves_open_is_deferred() {
    let server = serve().await;
    let result = json!([
        {"id": 1001, "status": "created"},
        {"status": "created"},
        {"id": 1003, "status": "queued"},
        {"status": "skipped"},
        {"id": 1005, "status": "updated"},
        {"id": 1006, "status": "updated"},
        {"id": 1007, "status": "updated"},
    ]);
    mount(&server, "POST", LEADS, success(&result)).await;
    let members = json!([
        {"id": 1001, "status": "added"},
        {"id": 1005, "status": "skipped"},
        {"id": 1006, "status": "skipped", "reasons": [{"code": "1004", "message": "Lead not found"}]},
    ]);
    mount(&server, "POST", MEMBERS, success(&members)).await;
    let results = done(push(&connector(&server), &target(), people(7)).await.unwrap());
    let expected = [
        ours(Added, "", Some("1001")),
        ours(Deferred, "answer_incomplete", None),
        ours(Deferred, "answer_incomplete", None),
        ours(Deferred, "answer_incomplete", None),
        ours(Added, "", Some("1005")),
        ours(Skipped, "marketo_1004", None),
        ours(Deferred, "answer_incomplete", None),
    ];
    assert_eq!(told(&results), expected);
}

#[tokio::test]
async fn a_changed_person_who_is_on_the_list_by_our_doing_is_not_added_again() {
    let server = serve().await;
    mount(&server, "POST", LEADS, created).await;
    mount(&server, "POST", MEMBERS, members("added")).await;
    let change = |number: u64, id: &str| Row {
        operation: Operation::Change,
        destination_id: Some(id.to_owned()),
        ..row(&format!("person{number}@example.com"))
    };
    let unknown = Row { operation: Operation::Change, ..row("person3@example.com") };
    let rows = [change(1, "1001"), change(2, "999"), unknown];
    let results = done(push(&connector(&server), &target(), rows).await.unwrap());
    let lead_ids: Vec<_> = results.iter().map(|result| result.destination_id.as_deref().unwrap()).collect();
    assert_eq!(lead_ids, ["1001", "1002", "1003"]);
    let all = requests(&server).await;
    let added = all.iter().find(|request| request.url.path() == MEMBERS).unwrap();
    assert_eq!(ids(added), [1_002, 1_003]);
}

#[tokio::test]
async fn what_is_done_before_trouble_is_kept() {
    let server = serve().await;
    let broken = |request: &Request| {
        let is_second = sent(request).iter().any(|lead| lead["email"] == "person300@example.com");
        if is_second { refusal("611") } else { created(request) }
    };
    mount(&server, "POST", LEADS, broken).await;
    mount(&server, "POST", MEMBERS, members("added")).await;
    match push(&connector(&server), &target(), people(700)).await.unwrap() {
        Pushed::Partly(results, error) => {
            assert_eq!(results.len(), 300);
            assert_eq!((error.kind, error.retry), (ErrorKind::Unavailable, Retry::Backoff));
        }
        other => panic!("not partly: {other:?}"),
    }
    let error = push(&connector(&server), &target(), people(301).into_iter().skip(300)).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Unavailable, Some(611)));
}

#[tokio::test]
async fn what_is_too_large_is_sent_in_halves() {
    let server = serve().await;
    let write = |request: &Request| {
        let leads = sent(request);
        let is_poison = leads.iter().any(|lead| lead["email"] == "person5@example.com");
        if leads.len() > 3 || is_poison {
            ResponseTemplate::new(413).set_body_string("<html>too large</html>")
        } else {
            created(request)
        }
    };
    mount(&server, "POST", LEADS, write).await;
    mount(&server, "POST", MEMBERS, members("added")).await;
    let results = done(push(&connector(&server), &target(), people(10)).await.unwrap());
    let kinds: Vec<_> = told(&results).into_iter().map(|result| (result.0, result.1)).collect();
    let mut expected = vec![(Added, ""); 10];
    expected[5] = (Rejected, "row_too_large");
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn bodies_stay_below_a_megabyte() {
    let server = serve().await;
    mount(&server, "POST", LEADS, created).await;
    mount(&server, "POST", MEMBERS, members("added")).await;
    let mut rows = people(101);
    for row in &mut rows {
        row.values = vec![(0, FieldValue::Text("\"".repeat(14_000)))];
    }
    rows[100].values = vec![(0, FieldValue::Text("x".repeat(1_000_000)))];
    let results = done(push(&connector(&server), &target(), rows).await.unwrap());
    assert_eq!(told(&results)[100], ours(Rejected, "row_too_large", None));
    assert_eq!(told(&results).iter().filter(|result| result.0 == Added).count(), 100);
    let all = requests(&server).await;
    let sizes = all.iter().filter(|request| request.url.path() == LEADS).map(|request| request.body.len());
    let sizes: Vec<usize> = sizes.collect();
    assert_eq!(sizes.len(), 3);
    assert!(sizes.iter().all(|bytes| *bytes <= 1_000_000), "{sizes:?}");
}
