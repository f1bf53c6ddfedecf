//! Subscriptions are sent only if the profile has the consent and its date, and never for a person who has
//! unsubscribed.

use super::*;

const DAY: &str = "2026-01-01T00:00:00Z";

fn consenting(email: &str, consent: Option<bool>, day: Option<&str>) -> Row {
    let mut values = Vec::new();
    values.extend(consent.map(|consent| (0, FieldValue::Boolean(consent))));
    values.extend(day.map(|day| (1, FieldValue::Text(day.to_owned()))));
    Row { values, ..row(email) }
}

fn frame_of(rows: impl IntoIterator<Item = Row>) -> Frame {
    let field_keys = ["consent.email", "consent.email.date"].map(str::to_owned).to_vec();
    Frame { field_keys, rows: rows.into_iter().collect() }
}

/// Returns the status after a push of a person who had the status `before`.
async fn status(
    make: fn(&MockServer) -> Omnisend<MemoryStore>,
    before: Option<&str>,
    consent: Option<bool>,
    day: Option<&str>,
) -> String {
    let fake = Fake::default();
    if let Some(before) = before {
        fake.put("jane@example.com", Person::new(before, &["vip"]));
    }
    let server = fake.serve().await;
    let frame = frame_of([consenting("jane@example.com", consent, day)]);
    let (results, _) = carry_through(&make(&server), &frame).await;
    assert_eq!(told(&results), [APPLIED]);
    fake.person("jane@example.com").unwrap().status
}

#[tokio::test]
async fn only_consent_with_its_day_subscribes_and_nobody_is_subscribed_again() {
    for make in [v2026, v5] {
        let check = async |before, consent, day, expected: &str| {
            assert_eq!(status(make, before, consent, day).await, expected, "{before:?} {consent:?} {day:?}");
        };
        check(None, Some(true), Some(DAY), "subscribed").await;
        check(None, Some(false), Some(DAY), "nonSubscribed").await;
        check(None, Some(true), None, "nonSubscribed").await;
        check(None, Some(true), Some(""), "nonSubscribed").await;
        check(None, None, Some(DAY), "nonSubscribed").await;
        check(None, None, None, "nonSubscribed").await;
        check(Some("nonSubscribed"), Some(true), Some(DAY), "subscribed").await;
        check(Some("nonSubscribed"), Some(true), Some("2025-05-31T00:00:00Z"), "nonSubscribed").await;
        check(Some("unsubscribed"), Some(true), Some(DAY), "unsubscribed").await;
        check(Some("subscribed"), Some(true), Some(DAY), "subscribed").await;
        check(Some("subscribed"), Some(false), Some(DAY), "subscribed").await;
        check(Some("unsubscribed"), None, None, "unsubscribed").await;
    }
}

#[tokio::test]
async fn only_who_has_consented_is_looked_up() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let rows = [
        consenting("a+b@example.com", Some(true), Some(DAY)),
        consenting("no@example.com", Some(false), Some(DAY)),
    ];
    submit(&v2026(&server), &frame_of(rows)).await;
    let looked_up = requests(&server, "GET", "/api/contacts").await;
    assert_eq!(looked_up.len(), 1);
    assert_eq!(looked_up[0].url.query(), Some("email=a%2Bb%40example.com"));
    let body: Value = requests(&server, "POST", "/api/batches").await[0].body_json().unwrap();
    let channels = json!({"email": {"status": "subscribed", "statusChangedAt": DAY}});
    assert_eq!(body["items"][0]["identifiers"][0]["channels"], channels);
    assert!(body["items"][1]["identifiers"][0].get("channels").is_none());
}

#[tokio::test]
async fn look_ups_go_with_a_hundred_people_at_a_time() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let rows = (0..150).map(|number| consenting(&format!("p{number}@example.com"), Some(true), Some(DAY)));
    submit(&v5(&server), &frame_of(rows)).await;
    assert_eq!(requests(&server, "POST", "/v5/batches").await.len(), 2);
}
