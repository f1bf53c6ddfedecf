//! Batches are polled until every row has a result.

use super::*;
use OutcomeKind::{Deferred, Rejected};

#[tokio::test]
async fn a_finished_batch_gives_ids_and_everybody_gets_the_tag() {
    let fake = Fake::default();
    fake.put("john@example.com", Person::new("unsubscribed", &["vip", "source: shopify"]));
    fake.state().looks_in_vain = 2;
    let server = fake.serve().await;
    let frame = of(&["jane@example.com", "john@example.com"]);
    let (results, looks) = carry_through(&v2026(&server), &frame).await;
    assert_eq!(told(&results), [APPLIED, APPLIED]);
    assert_eq!(looks, 3);
    assert_eq!(results[0].destination_id, Some(fake::id("jane@example.com")));
    let john = Person::new("unsubscribed", &["vip", "source: shopify", TAG]);
    assert_eq!(fake.person("john@example.com"), Some(john), "nothing of his has changed");
    assert_eq!(fake.person("jane@example.com"), Some(Person::new("nonSubscribed", &[TAG])));
    let tagging: Value = requests(&server, "POST", "/api/contacts/tags").await[0].body_json().unwrap();
    assert_eq!(tagging["contactIDs"].as_array().unwrap().len(), 2, "ids say whom exactly");
}

#[tokio::test]
async fn nobody_is_tagged_before_the_batch_has_ended() {
    let fake = Fake::default();
    fake.state().looks_in_vain = 1;
    let server = fake.serve().await;
    let (connector, frame) = (v2026(&server), people(3));
    let job = submit(&connector, &frame).await;
    let (job, look_after) = accepted(poll(&connector, job, &frame).await);
    assert_eq!(look_after, Duration::from_secs(5));
    assert_eq!(requests(&server, "POST", "/api/contacts/tags").await.len(), 0);
    done(poll(&connector, job, &frame).await);
    assert_eq!(fake.carriers(TAG).len(), 3);
}

#[tokio::test]
async fn a_batch_that_stopped_half_way_goes_on_where_it_stopped() {
    let fake = Fake::default();
    fake.state().stops = [40].into();
    let server = fake.serve().await;
    let (results, _) = carry_through(&v2026(&server), &people(100)).await;
    assert_eq!(told(&results), vec![APPLIED; 100]);
    let batches = requests(&server, "POST", "/api/batches").await;
    let second: Value = batches[1].body_json().unwrap();
    assert_eq!(second["items"].as_array().unwrap().len(), 60, "only who was not done goes again");
    assert_eq!(second["items"][0]["identifiers"][0]["id"], "person40@example.com");
    assert_eq!(fake.carriers(TAG).len(), 100);
}

#[tokio::test]
async fn items_that_met_a_busy_service_go_again_and_others_are_outcomes() {
    let fake = Fake::default();
    fake.fail("busy@example.com", &[429]);
    fake.fail("late@example.com", &[408, 503]);
    fake.fail("never@example.com", &[429, 429, 429, 429, 429]);
    fake.fail("wrong@example.com", &[400]);
    fake.fail("odd@example.com", &[500]);
    let server = fake.serve().await;
    let emails = ["fine", "busy", "late", "never", "wrong", "odd"].map(|name| format!("{name}@example.com"));
    let frame = frame(emails.iter().map(|email| row(email)));
    let (results, _) = carry_through(&v2026(&server), &frame).await;
    let expected = [
        APPLIED,
        APPLIED,
        APPLIED,
        (Deferred, "omnisend_429"),
        (Rejected, "omnisend_400"),
        (Deferred, "omnisend_500"),
    ];
    assert_eq!(told(&results), expected);
    assert_eq!(fake.carriers(TAG), ["busy@example.com", "fine@example.com", "late@example.com"]);
    assert_eq!(requests(&server, "POST", "/api/batches").await.len(), 4, "once and three times again");
}

#[tokio::test]
async fn rows_that_go_again_wait_longer_each_time() {
    let fake = Fake::default();
    fake.fail("never@example.com", &[429; 9]);
    let server = fake.serve().await;
    let (connector, frame) = (v2026(&server), of(&["never@example.com"]));
    let mut job = submit(&connector, &frame).await;
    let mut waits = Vec::new();
    while let Ok(Pushed::Accepted { job: next, look_after }) = poll(&connector, job, &frame).await {
        waits.push(look_after.as_secs());
        job = next;
    }
    assert_eq!(waits, [15, 5, 30, 5, 60, 5]);
}

#[tokio::test]
async fn items_without_what_was_sent_are_known_by_their_place() {
    let fake = Fake::default();
    fake.state().tells_no_requests = true;
    fake.fail("john@example.com", &[422]);
    let server = fake.serve().await;
    let frame = of(&["jane@example.com", "john@example.com", "ann@example.com"]);
    let (results, _) = carry_through(&v2026(&server), &frame).await;
    assert_eq!(told(&results), [APPLIED, (Rejected, "omnisend_422"), APPLIED]);
}

#[tokio::test]
async fn a_batch_that_is_forgotten_is_sent_again() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let (connector, frame) = (v2026(&server), people(2));
    let job = submit(&connector, &frame).await;
    fake.fault("GET /api/batches/", [ResponseTemplate::new(404)]);
    let (job, _) = accepted(poll(&connector, job, &frame).await);
    let (job, _) = accepted(poll(&connector, job, &frame).await);
    assert_eq!(told(&done(poll(&connector, job, &frame).await)), [APPLIED, APPLIED]);
}

#[tokio::test]
async fn a_batch_that_never_ends_is_given_up() {
    let fake = Fake::default();
    fake.state().looks_in_vain = 9;
    let server = fake.serve().await;
    let (connector, frame) = (v2026(&server), people(2));
    let mut job = submit(&connector, &frame).await;
    job.since_second -= 120 * 60;
    let results = done(poll(&connector, job, &frame).await);
    assert_eq!(told(&results), [(Deferred, "omnisend_too_late"); 2]);
    assert_eq!(requests(&server, "POST", "/api/contacts/tags").await.len(), 0);
}

#[tokio::test]
async fn answers_that_nobody_documents_settle_nothing() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let (connector, frame) = (v2026(&server), people(1));
    let job = submit(&connector, &frame).await;
    for body in ["<html>", "{}", r#"{"status": "archived"}"#] {
        fake.fault("GET /api/batches/", vec![ResponseTemplate::new(200).set_body_string(body); 3]);
        let error = poll(&connector, job.clone(), &frame).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Protocol, Retry::Backoff), "{body}");
        fake.state().faults.clear();
    }
    done(poll(&connector, job, &frame).await);
}

#[tokio::test]
async fn a_thousand_people_cost_two_calls_about_tags() {
    let fake = Fake::default();
    let server = fake.serve().await;
    // The tag calls name people by id if only the batch knows them, and the others by address.
    let (results, _) = carry_through(&v2026(&server), &people(1_000)).await;
    assert_eq!(told(&results), vec![APPLIED; 1_000]);
    assert_eq!(requests(&server, "POST", "/api/contacts/tags").await.len(), 2);
    assert_eq!(fake.carriers(TAG).len(), 1_000);
}
