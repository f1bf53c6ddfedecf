//! What an import does with consent and custom fields, and with a body beyond the limit.

use crate::client::{Fixture, row};
use sandbox::campaign_monitor::{CustomField, DataType, NewField, Options, UnsubscribeSetting};
use serde_json::{Value, json};

#[tokio::test]
async fn consent_is_the_clients_and_assumed_for_new_people() {
    let mut fixture = Fixture::new().await;
    let consent = |email: &str, consent: &str| json!({ "EmailAddress": email, "ConsentToTrack": consent });
    fixture
        .import(vec![consent("no@example.com", "No"), consent("new@example.com", "Unchanged")], false)
        .await;
    fixture.import(vec![consent("no@example.com", "Unchanged")], false).await;
    let consents = |fixture: &Fixture| {
        let people = fixture.sandbox.dump(&fixture.list).unwrap();
        people.into_iter().map(|person| person.consent_to_track).collect::<Vec<_>>()
    };
    assert_eq!(consents(&fixture), ["No", "Yes"]);
    assert_eq!(fixture.sandbox.report().import.consents_assumed, 1);
    fixture.list = fixture.other_list(false, UnsubscribeSetting::OnlyThisList);
    fixture.import(vec![consent("NO@example.com", "Unchanged")], false).await;
    assert_eq!(consents(&fixture), ["No"], "the refusal holds on the client's other lists");
    fixture.import(vec![consent("NO@example.com", "Yes")], false).await;
    assert_eq!(consents(&fixture), ["Yes"]);
}

#[tokio::test]
async fn custom_fields() {
    let fixture = Fixture::new().await;
    for (name, data_type) in [("City", DataType::Text), ("Born", DataType::Date)] {
        let field = NewField { name: name.to_owned(), data_type, options: Vec::new() };
        fixture.sandbox.add_custom_field(&fixture.list, field).unwrap();
    }
    let import = async |fields: Value| {
        let mut row = row("p@example.com");
        row["CustomFields"] = fields;
        assert_eq!(fixture.import(vec![row], false).await.status, 201);
        let person = fixture.sandbox.subscriber(&fixture.list, "p@example.com").unwrap();
        person.custom_fields.into_iter().map(|CustomField { key, value }| (key, value)).collect::<Vec<_>>()
    };
    let value = |key: &str, value: &str| json!({ "Key": key, "Value": value });
    let city = || ("[city]".to_owned(), "Oslo".to_owned());
    let born = || ("[born]".to_owned(), "1970-01-31".to_owned());
    let all = json!([value("[city]", "Oslo"), value("[born]", "1970/01/31"), value("[shoes]", "42")]);
    assert_eq!(import(all).await, [city(), born()]);
    assert_eq!(import(json!([value("[city]", "")])).await, [city(), born()], "empty is not cleared");
    assert_eq!(import(json!([value("[born]", "31/01/1971")])).await, [city(), born()], "ignored");
    assert_eq!(import(json!([{ "Key": "[born]", "Value": "", "Clear": true }])).await, [city()]);
    assert_eq!(import(json!([])).await, [city()], "what is not sent stays");
    let long = import(json!([value("[city]", &"x".repeat(251))])).await;
    assert_eq!(long[0].1.len(), 250);
    let report = fixture.sandbox.report().values;
    let counts = [report.unknown_field, report.empty, report.ignored, report.cleared, report.too_long];
    assert_eq!(counts, [1, 1, 1, 1, 1]);
}

#[tokio::test]
async fn a_body_that_is_too_large() {
    let fixture = Fixture::with(Options { largest_body_bytes: 1000, ..Options::default() }).await;
    let many = (0..20).map(|number| row(&format!("p{number}@example.com"))).collect();
    assert_eq!(fixture.import(many, false).await.status, 413);
    assert_eq!(fixture.import(vec![row("p@example.com")], false).await.status, 201);
}
