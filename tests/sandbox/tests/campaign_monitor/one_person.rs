//! Adding and updating one subscriber.

use crate::client::{Fixture, row};
use crate::people::check;
use sandbox::campaign_monitor::{Options, SubscriberState};
use serde_json::json;

#[tokio::test]
async fn adding_one() {
    let fixture = Fixture::new().await;
    let add = "/subscribers/{list}.json";
    assert_eq!(check(&fixture, "POST", add, row("new@example.com"), (201, 0)).await, "new@example.com");
    assert_eq!(fixture.state("new@example.com"), Some(SubscriberState::Active));
    check(&fixture, "POST", add, row("nobody"), (400, 1)).await;
    check(&fixture, "POST", add, json!({ "EmailAddress": "x@example.com" }), (400, 214)).await;
    for (state, code) in [
        (SubscriberState::Deleted, 205),
        (SubscriberState::Unsubscribed, 206),
        (SubscriberState::Bounced, 207),
        (SubscriberState::Unconfirmed, 208),
    ] {
        fixture.seed("p@example.com", state);
        check(&fixture, "POST", add, row("p@example.com"), (400, code)).await;
    }
    fixture.seed("p@example.com", SubscriberState::Deleted);
    let mut back = row("p@example.com");
    back["Resubscribe"] = json!(true);
    check(&fixture, "POST", add, back, (201, 0)).await;
    assert_eq!(fixture.state("p@example.com"), Some(SubscriberState::Active));
}

#[tokio::test]
async fn somebody_who_is_added_waits_in_a_queue() {
    let fixture = Fixture::with(Options { single_add_queue_ms: 3_600_000, ..Options::default() }).await;
    check(&fixture, "POST", "/subscribers/{list}.json", row("new@example.com"), (201, 0)).await;
    assert_eq!(fixture.state("new@example.com"), None);
}

#[tokio::test]
async fn updating_one() {
    let fixture = Fixture::new().await;
    fixture.seed("old@example.com", SubscriberState::Active);
    fixture.seed("taken@example.com", SubscriberState::Active);
    let update = "/subscribers/{list}.json?email=old%40example.com";
    check(
        &fixture,
        "PUT",
        "/subscribers/{list}.json?email=x%40example.com",
        row("y@example.com"),
        (400, 203),
    )
    .await;
    check(&fixture, "PUT", update, row("nobody"), (400, 211)).await;
    check(&fixture, "PUT", update, row("TAKEN@example.com"), (400, 201)).await;
    check(&fixture, "PUT", update, json!({ "EmailAddress": "new@example.com" }), (400, 214)).await;
    check(&fixture, "PUT", update, row("New@example.com"), (200, 0)).await;
    assert_eq!(fixture.state("old@example.com"), None);
    assert_eq!(
        fixture.sandbox.subscriber(&fixture.list, "new@example.com").unwrap().email,
        "New@example.com"
    );
}
