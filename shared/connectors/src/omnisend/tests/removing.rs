//! Removals.

use super::*;

const OTHERS: &[&str] = &["vip", TAG, "source: shopify"];

fn leaver(email: &str, destination_id: Option<String>) -> Row {
    Row { operation: Operation::Remove, values: vec![], destination_id, ..row(email) }
}

async fn remove(connector: &Omnisend<MemoryStore>, frame: &Frame) -> Result<Pushed<OmnisendJob>, PushError> {
    connector.push(&target(), Kind::Remove, frame, &context()).await
}

#[tokio::test]
async fn leavers_lose_the_tag_and_nothing_else() {
    for make in [v2026, v5] {
        let fake = Fake::default();
        fake.put("jane@example.com", Person::new("subscribed", OTHERS));
        fake.put("john@example.com", Person::new("unsubscribed", OTHERS));
        fake.put("stays@example.com", Person::new("subscribed", OTHERS));
        let server = fake.serve().await;
        let rows = [
            leaver("jane@example.com", Some(fake::id("jane@example.com"))),
            leaver("john@example.com", None),
            leaver("nobody@example.com", None),
        ];
        let results = done(remove(&make(&server), &frame(rows)).await);
        assert_eq!(told(&results), [APPLIED; 3]);
        for (email, status) in [("jane@example.com", "subscribed"), ("john@example.com", "unsubscribed")] {
            assert_eq!(fake.person(email), Some(Person::new(status, &["vip", "source: shopify"])), "{email}");
        }
        assert_eq!(fake.carriers(TAG), ["stays@example.com"]);
        assert_eq!(fake.person("nobody@example.com"), None);
    }
}

#[tokio::test]
async fn one_call_takes_five_hundred_people() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let email = |number: usize| format!("person{number}@example.com");
    for number in 0..500 {
        fake.put(&email(number), Person::new("subscribed", &[TAG]));
    }
    let rows = (0..500).map(|number| leaver(&email(number), Some(fake::id(&email(number)))));
    let context = context();
    let results = v2026(&server).push(&target(), Kind::Remove, &frame(rows), &context).await;
    assert_eq!((done(results).len(), context.calls()), (500, 1));
    assert_eq!(fake.carriers(TAG), Vec::<String>::new());
}

#[tokio::test]
async fn an_id_that_is_no_more_gives_way_to_the_address() {
    let fake = Fake::default();
    fake.put("jane@example.com", Person::new("subscribed", OTHERS));
    let server = fake.serve().await;
    for make in [v2026, v5] {
        let frame = frame([leaver("jane@example.com", Some("gone".to_owned()))]);
        assert_eq!(told(&done(remove(&make(&server), &frame).await)), [APPLIED]);
        assert_eq!(fake.carriers(TAG), Vec::<String>::new());
    }
}

#[tokio::test]
async fn whether_a_tag_has_gone_is_looked_at() {
    let fake = Fake::default();
    fake.put("jane@example.com", Person::new("subscribed", OTHERS));
    fake.state().tags_join = true;
    let server = fake.serve().await;
    let results = done(remove(&v5(&server), &frame([leaver("jane@example.com", None)])).await);
    assert_eq!(told(&results), [(OutcomeKind::Deferred, "omnisend_tag_stays")]);
    assert_eq!(fake.person("jane@example.com"), Some(Person::new("subscribed", OTHERS)));
}

#[tokio::test]
async fn what_is_done_stays_done_when_the_rest_has_to_wait() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let rows = (0..600).map(|number| leaver(&format!("person{number}@example.com"), None));
    let full = ResponseTemplate::new(429).set_body_json(json!({"retryAfter": 20}));
    fake.fault("DELETE /api/contacts/tags", [ResponseTemplate::new(202), ResponseTemplate::new(202), full]);
    let Ok(Pushed::Partly(results, error)) = remove(&v2026(&server), &frame(rows)).await else {
        panic!("the first calls were taken");
    };
    assert_eq!(results.len(), 500);
    assert_eq!((error.kind, error.retry), (ErrorKind::RateLimited, Retry::Wait(Duration::from_secs(20))));
    assert!(results.iter().all(|result| result.standing == Standing::FollowsOutcome));
}

#[tokio::test]
async fn trouble_before_anybody_is_done_fails_the_batch() {
    let check = async |status: u16, kind: ErrorKind, retry: Retry| {
        let fake = Fake::default();
        fake.fault("DELETE /api/contacts/tags", vec![ResponseTemplate::new(status); 9]);
        let server = fake.serve().await;
        let error = remove(&v2026(&server), &frame([leaver("jane@example.com", None)])).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, retry), "{status}");
    };
    check(400, ErrorKind::InvalidRequest, Retry::Never).await;
    check(401, ErrorKind::Authentication, Retry::Never).await;
    check(429, ErrorKind::RateLimited, Retry::Wait(Duration::from_secs(15))).await;
    check(500, ErrorKind::Unavailable, Retry::Backoff).await;
}

#[tokio::test]
async fn without_time_nobody_is_begun() {
    let server = Fake::default().serve().await;
    let context = CallContext::until(Instant::now() + Duration::from_secs(1));
    let frame = frame([leaver("jane@example.com", None)]);
    let error = v2026(&server).push(&target(), Kind::Remove, &frame, &context).await.unwrap_err();
    assert_eq!((error.retry, context.calls()), (Retry::Wait(Duration::from_secs(1)), 0));
}
