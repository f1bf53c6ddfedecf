//! What a careless writer would destroy: other people's tags, and subscriptions.

use crate::client::{Fixture, person, quick, tagged};
use sandbox::omnisend::{
    AutomaticTags, Change, Dialect, MissingChannels, MissingWelcome, NewBrand, OlderStatuses, OnWrite,
    Options, SeedContact, Status, WelcomeMessages,
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_write_replaces_or_merges_tags() {
    for (tags_on_write, expected, lost) in
        [(OnWrite::Replace, vec!["ours"], 1), (OnWrite::Merge, vec!["theirs", "ours"], 0)]
    {
        for dialect in [Dialect::V2026, Dialect::V5] {
            let fixture = Fixture::with(dialect, Options { tags_on_write, ..quick() }).await;
            fixture.seed(SeedContact::new("a@example.com", Status::Subscribed).tagged(&["theirs"]));
            fixture.check("POST", "/contacts", person("a@example.com"), 200).await;
            assert_eq!(fixture.tags("a@example.com"), ["theirs"]);
            fixture.check("POST", "/contacts", tagged("a@example.com", &["ours", "ours"]), 200).await;
            assert_eq!(fixture.tags("a@example.com"), expected);
            let report = fixture.sandbox.report().tags;
            assert_eq!((report.foreign_lost_by_writes, report.foreign_lost.len()), (lost, lost));
        }
    }
}

#[tokio::test]
async fn tags_come_and_go_in_bulk() {
    let fixture = Fixture::new().await;
    for name in ["a", "b", "c"] {
        let email = format!("{name}@example.com");
        fixture.seed(SeedContact::new(email, Status::Subscribed).tagged(&["theirs"]));
    }
    let body =
        json!({ "emails": ["a@example.com", "b@example.com", "x@example.com"], "tags": ["ours", "Köln"] });
    // New tags are of plain characters, as everywhere.
    fixture.check("POST", "/contacts/tags", body, 400).await;
    let body = json!({ "emails": ["a@example.com", "b@example.com", "x@example.com"], "tags": ["ours"] });
    assert_eq!(fixture.call("POST", "/contacts/tags", body).await.body, "");
    fixture.settle().await;
    assert_eq!(fixture.tags("a@example.com"), ["theirs", "ours"]);
    assert_eq!(fixture.tags("c@example.com"), ["theirs"]);
    let body = json!({ "emails": ["a@example.com"], "tags": ["ours"] });
    fixture.check("DELETE", "/contacts/tags", body, 202).await;
    fixture.settle().await;
    assert_eq!(fixture.tags("a@example.com"), ["theirs"]);
    let report = fixture.sandbox.report().tags;
    assert_eq!((report.added, report.removed, report.unknown, report.most_selected), (2, 1, 1, 3));
    assert_eq!(report.foreign_lost_by_removals, 0);
    let body = json!({ "emails": ["c@example.com"], "tags": ["theirs"] });
    fixture.check("DELETE", "/contacts/tags", body, 202).await;
    fixture.settle().await;
    assert_eq!(fixture.sandbox.report().tags.foreign_lost_by_removals, 1);
    let many: Vec<String> = (0..251).map(|number| format!("{number}@example.com")).collect();
    for refused in [
        json!({ "emails": many, "tags": ["ours"] }),
        json!({ "emails": ["a@example.com"], "tags": [] }),
        json!({ "emails": ["a@example.com"] }),
        json!({ "emails": [], "tags": ["ours"] }),
        json!({ "emails": "a@example.com", "tags": ["ours"] }),
        json!({ "tags": ["ours"], "segmentID": "0" }),
    ] {
        fixture.check("DELETE", "/contacts/tags", refused, 400).await;
    }
}

#[tokio::test]
async fn accepted_tags_are_not_there_yet() {
    let fixture = Fixture::with(Dialect::V2026, Options { tagging_ms: 3_600_000, ..quick() }).await;
    fixture.seed(SeedContact::new("a@example.com", Status::Subscribed));
    let body = json!({ "emails": ["a@example.com"], "tags": ["ours"] });
    fixture.check("POST", "/contacts/tags", body, 202).await;
    assert_eq!(fixture.tags("a@example.com"), [""; 0]);
    assert_eq!(fixture.sandbox.counts(&fixture.brand.brand_id).unwrap().pending_taggings, 1);
}

#[tokio::test]
async fn new_contacts_get_a_source_unless_told_otherwise() {
    for (automatic_tags, expected) in
        [(AutomaticTags::Added, vec!["ours", "source: api"]), (AutomaticTags::NotAdded, vec!["ours"])]
    {
        let fixture = Fixture::with(Dialect::V2026, Options { automatic_tags, ..quick() }).await;
        fixture.check("POST", "/contacts", tagged("a@example.com", &["ours"]), 201).await;
        assert_eq!(fixture.tags("a@example.com"), expected);
        fixture.check("POST", "/contacts", tagged("b@example.com", &["source: us"]), 201).await;
        assert_eq!(fixture.tags("b@example.com"), ["source: us"]);
    }
}

fn with_status(dialect: Dialect, status: &str, date: Option<&str>) -> Value {
    let mut body = person("a@example.com");
    let mut channel = json!({ "status": status });
    if let Some(date) = date {
        let name = if dialect == Dialect::V2026 { "statusChangedAt" } else { "statusDate" };
        channel[name] = json!(date);
    }
    body["identifiers"][0]["channels"] = json!({ "email": channel });
    body
}

#[tokio::test]
async fn statuses_are_watched() {
    use Status::{NonSubscribed, Subscribed, Unsubscribed};
    let old = Some("2020-01-01T00:00:00Z");
    for (dialect, older_statuses, before, sent, date, after, expected) in [
        (Dialect::V2026, OlderStatuses::Applied, Unsubscribed, "subscribed", old, Subscribed, (1, 0, 0)),
        (Dialect::V2026, OlderStatuses::Ignored, Unsubscribed, "subscribed", old, Unsubscribed, (0, 0, 1)),
        (Dialect::V2026, OlderStatuses::Ignored, Unsubscribed, "subscribed", None, Subscribed, (1, 0, 0)),
        (Dialect::V5, OlderStatuses::Applied, Unsubscribed, "subscribed", old, Unsubscribed, (0, 0, 1)),
        (Dialect::V5, OlderStatuses::Applied, NonSubscribed, "subscribed", None, Subscribed, (1, 0, 0)),
        (Dialect::V2026, OlderStatuses::Applied, Subscribed, "nonSubscribed", None, NonSubscribed, (0, 1, 0)),
        (Dialect::V2026, OlderStatuses::Applied, Subscribed, "subscribed", None, Subscribed, (0, 0, 0)),
    ] {
        let fixture = Fixture::with(dialect, Options { older_statuses, ..quick() }).await;
        fixture.seed(SeedContact::new("a@example.com", before));
        fixture.check("POST", "/contacts", with_status(dialect, sent, date), 200).await;
        assert_eq!(fixture.status("a@example.com"), after, "{dialect:?} {before:?} {sent}");
        let report = fixture.sandbox.report().statuses;
        assert_eq!((report.raised, report.lowered, report.older_ignored), expected);
        assert_eq!((report.sent, report.changes.len()), (1, expected.0 + expected.1));
    }
    let fixture = Fixture::new().await;
    fixture.check("POST", "/contacts", with_status(Dialect::V2026, "subscribed", old), 201).await;
    let report = fixture.sandbox.report().statuses;
    assert_eq!((report.created_subscribed, report.raised), (1, 0));
    // Without channels nothing changes, and what happens without the API is not its doing.
    fixture.check("POST", "/contacts", person("a@example.com"), 200).await;
    let change = Change::Status(Unsubscribed);
    fixture.sandbox.change_contact(&fixture.brand.brand_id, "a@example.com", change).unwrap();
    fixture.check("POST", "/contacts", person("a@example.com"), 200).await;
    assert_eq!(fixture.status("a@example.com"), Unsubscribed);
    assert_eq!(fixture.sandbox.report().statuses, report);
}

#[tokio::test]
async fn v5_can_want_channels() {
    let fixture =
        Fixture::with(Dialect::V5, Options { missing_channels: MissingChannels::Refused, ..quick() }).await;
    let answer = fixture.check("POST", "/contacts", person("a@example.com"), 400).await;
    assert_eq!(answer["fields"], json!([["identifiers[0].channels: field required but not found in Json"]]));
    fixture.check("POST", "/contacts", with_status(Dialect::V5, "nonSubscribed", None), 200).await;
}

#[tokio::test]
async fn welcome_messages_are_counted() {
    let unsaid = json!({ "identifiers": [{ "type": "email", "id": "a@example.com" }] });
    let sent = |dialect: Dialect, options: Options, bodies: Vec<Value>| async move {
        let fixture = Fixture::with(dialect, options).await;
        for body in bodies {
            assert!(fixture.call("POST", "/contacts", body).await.status < 300);
        }
        fixture.sandbox.report().welcome_messages
    };
    let twice = vec![unsaid.clone(), unsaid.clone()];
    assert_eq!(sent(Dialect::V2026, quick(), vec![person("a@example.com")]).await, 0);
    assert_eq!(sent(Dialect::V2026, quick(), twice.clone()).await, 2);
    assert_eq!(sent(Dialect::V5, quick(), twice.clone()).await, 2);
    let options = Options { missing_welcome: MissingWelcome::NotSent, ..quick() };
    assert_eq!(sent(Dialect::V5, options.clone(), twice.clone()).await, 0);
    assert_eq!(sent(Dialect::V2026, options, twice.clone()).await, 2);
    let options = Options { welcome_messages: WelcomeMessages::NewContacts, ..quick() };
    assert_eq!(sent(Dialect::V2026, options, twice.clone()).await, 1);
    let options = Options { welcome_messages: WelcomeMessages::NewSubscribers, ..quick() };
    assert_eq!(sent(Dialect::V2026, options, twice).await, 0);
    // Without the workflow nobody is greeted.
    let fixture = Fixture::new().await;
    let brand = NewBrand { welcome_workflow: false, ..NewBrand::default() };
    let quiet = fixture.sandbox.create_brand(brand).api_key;
    assert_eq!(fixture.call_with(&quiet, "POST", "/contacts", unsaid).await.status, 201);
    assert_eq!(fixture.sandbox.report().welcome_messages, 0);
}
