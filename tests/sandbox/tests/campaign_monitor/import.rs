//! The import: its limits, its partial success, and what it does to people of each state.

use crate::client::{Fixture, row};
use sandbox::campaign_monitor::{SeedSubscriber, SubscriberState, UnsubscribeSetting};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[tokio::test]
async fn calls_that_are_refused_as_a_whole() {
    let fixture = Fixture::new().await;
    let rows =
        |count: usize| (0..count).map(|number| row(&format!("p{number}@example.com"))).collect::<Vec<_>>();
    let with = |name: &str, value: Value| {
        let mut bad = row("bad@example.com");
        bad[name] = value;
        json!({ "Subscribers": [row("good@example.com"), bad] })
    };
    let mut without_consent = row("bad@example.com");
    without_consent.as_object_mut().unwrap().remove("ConsentToTrack");
    for (body, code) in [
        (json!({ "Subscribers": [] }), 212),
        (json!({}), 212),
        (json!({ "Subscribers": rows(1001) }), 209),
        (json!({ "Subscribers": [row("good@example.com"), without_consent] }), 214),
        (with("ConsentToTrack", json!("")), 214),
        (with("ConsentToTrack", json!("Maybe")), 215),
        (with("EmailAddress", json!(5)), 400),
        (json!("Subscribers"), 400),
    ] {
        let reply = fixture.call("POST", "/subscribers/{list}/import.json", body).await;
        assert_eq!(reply.status_and_code(), (400, code), "{}", reply.body);
    }
    assert_eq!(fixture.sandbox.counts(&fixture.list).unwrap().total, 0, "nobody was imported");
    assert_eq!(fixture.import(rows(1000), false).await.status, 201);
    assert_eq!(fixture.sandbox.counts(&fixture.list).unwrap().total, 1000);
    assert_eq!(fixture.sandbox.report().import.most_rows, 1000);
}

#[tokio::test]
async fn a_clean_import() {
    let fixture = Fixture::new().await;
    fixture.seed("there@example.com", SubscriberState::Active);
    let reply = fixture.import(vec![row("There@Example.com"), row("a@example.com")], false).await;
    assert_eq!(reply.status, 201);
    assert_eq!(
        reply.json(),
        json!({
            "FailureDetails": [],
            "TotalUniqueEmailsSubmitted": 2,
            "TotalExistingSubscribers": 1,
            "TotalNewSubscribers": 1,
            "DuplicateEmailsInSubmission": [],
        })
    );
    let there = fixture.sandbox.subscriber(&fixture.list, "THERE@example.com").unwrap();
    assert_eq!((there.email.as_str(), there.name.as_str()), ("there@example.com", "Somebody"));
}

#[tokio::test]
async fn good_rows_are_imported_beside_bad_ones() {
    let fixture = Fixture::new().await;
    let with_mobile = |email: &str, mobile: &str| {
        let mut row = row(email);
        row["MobileNumber"] = json!(mobile);
        row
    };
    let rows = vec![
        row("good@example.com"),
        row("example+1@example"),
        with_mobile("m@example.com", "12"),
        with_mobile("bad", "12"),
        with_mobile("mobile@example.com", "+5012398752"),
    ];
    let reply = fixture.import(rows, false).await;
    assert_eq!(reply.status, 400);
    assert_eq!(
        reply.json(),
        json!({
            "ResultData": {
                "TotalUniqueEmailsSubmitted": 5,
                "TotalExistingSubscribers": 0,
                "TotalNewSubscribers": 2,
                "DuplicateEmailsInSubmission": [],
                "FailureDetails": [
                    { "EmailAddress": "example+1@example", "Code": 1, "Message": "Invalid Email Address" },
                    { "EmailAddress": "m@example.com", "Code": 220, "Message": "Invalid Mobile Number" },
                    { "EmailAddress": "bad", "Code": 221, "Message": "Invalid Email Address and Mobile Number" },
                ],
            },
            "Code": 210,
            "Message": "Subscriber Import had some failures",
        })
    );
    assert_eq!(fixture.state("good@example.com"), Some(SubscriberState::Active));
    let mobile = fixture.sandbox.subscriber(&fixture.list, "mobile@example.com").unwrap();
    assert_eq!(mobile.mobile.as_deref(), Some("+5012398752"));
    let report = fixture.sandbox.report().import;
    assert_eq!(report.failures, BTreeMap::from([(1, 1), (220, 1), (221, 1)]));
}

#[tokio::test]
async fn duplicates_are_found_without_case_and_the_last_counts() {
    let fixture = Fixture::new().await;
    let named =
        |email: &str, name: &str| json!({ "EmailAddress": email, "Name": name, "ConsentToTrack": "Yes" });
    let rows = vec![
        named("a@example.com", "First"),
        named("b@example.com", "B"),
        named("A@Example.com", "Second"),
        named("a@EXAMPLE.com", "Third"),
    ];
    let result = fixture.import(rows, false).await.json();
    assert_eq!(result["TotalUniqueEmailsSubmitted"], 2);
    assert_eq!(result["TotalNewSubscribers"], 2);
    assert_eq!(result["DuplicateEmailsInSubmission"], json!(["A@Example.com"]));
    assert_eq!(fixture.sandbox.subscriber(&fixture.list, "a@example.com").unwrap().name, "Third");
    assert_eq!(fixture.sandbox.report().import.duplicates, 2);
}

/// Imports somebody who was in this state and looks at the row's code and the state afterwards.
async fn check_state(
    before: SubscriberState,
    suppressed: bool,
    resubscribe: bool,
    code: Option<u64>,
    after: SubscriberState,
) {
    let fixture = Fixture::new().await;
    let seed = SeedSubscriber { suppressed, ..SeedSubscriber::new("p@example.com", before) };
    fixture.sandbox.seed_subscriber(&fixture.list, seed).unwrap();
    let reply = fixture.import(vec![row("P@example.com")], resubscribe).await;
    let failures = &reply.json()["ResultData"]["FailureDetails"];
    let told = format!("{before:?}, suppressed {suppressed}, resubscribe {resubscribe}");
    assert_eq!(failures[0]["Code"].as_u64(), code, "{told}");
    let person = fixture.sandbox.subscriber(&fixture.list, "p@example.com").unwrap();
    assert_eq!(person.state, after, "{told}");
    assert_eq!(person.name.is_empty(), code.is_some(), "{told}: whoever is refused is not updated");
    assert_eq!(person.suppressed, suppressed && code.is_some(), "{told}");
    let rows = fixture.sandbox.report().import.resubscribe_rows;
    assert_eq!(rows.len(), usize::from(resubscribe));
}

#[tokio::test]
async fn what_an_import_does_to_each_state() {
    use SubscriberState::{Active, Bounced, Deleted, Unconfirmed, Unsubscribed};
    check_state(Active, false, false, None, Active).await;
    check_state(Unconfirmed, false, false, Some(208), Unconfirmed).await;
    check_state(Unsubscribed, false, false, Some(206), Unsubscribed).await;
    check_state(Bounced, false, false, Some(207), Bounced).await;
    check_state(Deleted, false, false, Some(205), Deleted).await;
    check_state(Unsubscribed, true, false, Some(204), Unsubscribed).await;
    check_state(Deleted, true, false, Some(204), Deleted).await;

    check_state(Active, false, true, None, Active).await;
    check_state(Unconfirmed, false, true, Some(208), Unconfirmed).await;
    check_state(Unsubscribed, false, true, None, Active).await;
    check_state(Bounced, false, true, Some(207), Bounced).await;
    check_state(Bounced, true, true, Some(207), Bounced).await;
    check_state(Deleted, false, true, None, Active).await;
    check_state(Unsubscribed, true, true, None, Active).await;
}

#[tokio::test]
async fn a_list_that_wants_confirmation_gets_unconfirmed_people() {
    let mut fixture = Fixture::new().await;
    fixture.list = fixture.other_list(true, UnsubscribeSetting::OnlyThisList);
    fixture.seed("back@example.com", SubscriberState::Deleted);
    let reply = fixture.import(vec![row("new@example.com"), row("back@example.com")], true).await;
    assert_eq!(reply.status, 201);
    assert_eq!(fixture.state("new@example.com"), Some(SubscriberState::Unconfirmed));
    assert_eq!(fixture.state("back@example.com"), Some(SubscriberState::Unconfirmed));
    assert_eq!(fixture.sandbox.report().import.verification_mails, 2);
}
