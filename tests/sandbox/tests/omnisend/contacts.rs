//! Single contacts and lists of them.

use crate::client::{Fixture, person, quick, tagged};
use sandbox::omnisend::{Dialect, EmailCase, OnWrite, Options, OtherFields, SeedContact, Status};
use serde_json::{Value, json};

/// The fields that a refused contact is told.
async fn check_refused(fixture: &Fixture, body: Value, expected: &[&str]) {
    let answer = fixture.check("POST", "/contacts", body, 400).await;
    let fields: Vec<&str> =
        answer["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, expected);
    assert_eq!(answer["type"], "https://problems.omnisend.com/validation-failed");
}

#[tokio::test]
async fn an_upsert_makes_and_then_changes() {
    let fixture = Fixture::new().await;
    let mut body = tagged("a+b@example.com", &["ci: one", "source: test"]);
    body["firstName"] = json!("Ann");
    body["country"] = json!("norway");
    body["customProperties"] = json!({ "tier": "gold", "points": 1.5, "pets": ["dog"] });
    body["createdAt"] = json!("2020-01-01");
    let made = fixture.check("POST", "/contacts", body, 201).await;
    assert_eq!(made["status"], "nonSubscribed");
    assert_eq!(made["tags"], json!(["ci: one", "source: test"]));
    assert_eq!((&made["country"], &made["countryCode"]), (&json!("norway"), &json!("NO")));
    let properties =
        json!({ "tier": "gold", "points": 1.5, "pets": ["dog"], "externalCreated": "2020-01-01" });
    assert_eq!(made["customProperties"], properties);
    let mut body = person("a+b@example.com");
    body["city"] = json!("Oslo");
    body["country"] = json!("Norway");
    body["countryCode"] = json!("se");
    let changed = fixture.check("POST", "/contacts", body, 200).await;
    assert_eq!((&changed["id"], &changed["firstName"]), (&made["id"], &json!("Ann")));
    assert_eq!((&changed["country"], &changed["countryCode"]), (&json!("Sweden"), &json!("SE")));
    assert_eq!(changed["tags"], made["tags"]);
    let path = format!("/contacts/{}", made["id"].as_str().unwrap());
    assert_eq!(fixture.check("GET", &path, Value::Null, 200).await["city"], "Oslo");
    fixture.check("PATCH", &path, json!({ "lastName": "" }), 200).await;
    let found = fixture.check("GET", "/contacts?email=a%2Bb%40example.com", Value::Null, 200).await;
    assert_eq!(found["contacts"][0]["lastName"], "");
    let contacts = fixture.sandbox.report().contacts;
    assert_eq!((contacts.created, contacts.updated), (1, 2));
}

#[tokio::test]
async fn all_mistakes_are_told_at_once() {
    let fixture = Fixture::new().await;
    check_refused(&fixture, json!({}), &["identifiers"]).await;
    let bad = json!({
        "identifiers": [
            { "type": "email", "id": "nobody", "channels": { "email": { "status": "keen" } } },
            { "type": "fax", "id": "1" },
            { "type": "phone", "id": "0123" },
        ],
        "countryCode": "NOR", "birthdate": "1.2.1990", "gender": "x", "city": 1, "shoeSize": 41,
        "tags": ["", 1], "customProperties": { "a b": 1, "deep": {} },
    });
    let expected = [
        "shoeSize",
        "identifiers.0.id",
        "identifiers.0.channels.email.status",
        "identifiers.1.type",
        "identifiers.2.id",
        "city",
        "countryCode",
        "birthdate",
        "gender",
        "tags.0",
        "tags.1",
        "customProperties.a b",
        "customProperties.deep",
    ];
    check_refused(&fixture, bad, &expected).await;
    check_refused(&fixture, tagged("a@example.com", &["tag"; 101]), &["tags"]).await;
    check_refused(&fixture, tagged("a@example.com", &["Köln"]), &["tags.0"]).await;
    let mut dated = person("a@example.com");
    dated["identifiers"][0]["channels"] =
        json!({ "email": { "status": "subscribed", "statusDate": "2020-01-01T00:00:00Z" } });
    check_refused(&fixture, dated, &["identifiers.0.channels.email.statusDate"]).await;
    assert_eq!(fixture.check("POST", "/contacts", "text", 400).await["status"], 400);
    assert_eq!(fixture.sandbox.report().contacts.created, 0);
    let lenient =
        Fixture::with(Dialect::V2026, Options { other_fields: OtherFields::Ignored, ..quick() }).await;
    let mut body = person("a@example.com");
    body["shoeSize"] = json!(41);
    lenient.check("POST", "/contacts", body, 201).await;
}

#[tokio::test]
async fn patches() {
    let fixture = Fixture::new().await;
    fixture.seed(SeedContact::new("a@example.com", Status::Subscribed));
    fixture.seed(SeedContact::new("b@example.com", Status::Subscribed));
    let (a, b) = ("/contacts?email=a%40example.com", "/contacts?email=b%40example.com");
    assert_eq!(fixture.check("PATCH", a, json!({ "city": "Oslo" }), 200).await["city"], "Oslo");
    fixture.check("PATCH", "/contacts?email=c%40example.com", json!({}), 404).await;
    fixture.check("PATCH", "/contacts", json!({}), 400).await;
    fixture.check("PATCH", "/contacts/0", json!({}), 404).await;
    fixture.check("PATCH", a, person("b@example.com"), 409).await;
    fixture.check("PATCH", a, person("new@example.com"), 400).await;
    let phone = json!({ "identifiers": [{ "type": "phone", "id": "+4712345678" }] });
    fixture.check("PATCH", a, phone.clone(), 200).await;
    fixture.check("PATCH", b, phone.clone(), 409).await;
    // An upsert ignores an identifier that somebody else has; with no other one it makes nobody.
    let mut body = person("b@example.com");
    body["identifiers"].as_array_mut().unwrap().push(phone["identifiers"][0].clone());
    assert_eq!(fixture.check("POST", "/contacts", body, 200).await["phone"], json!([]));
    assert_eq!(fixture.sandbox.report().contacts.identifiers_ignored, 1);
    fixture.check("POST", "/contacts", phone, 400).await;
    fixture.check("DELETE", "/contacts/0", Value::Null, 404).await;
}

#[tokio::test]
async fn addresses_have_a_case_unless_told_otherwise() {
    for (email_case, status, contacts) in [(EmailCase::Sensitive, 201, 2), (EmailCase::Insensitive, 200, 1)] {
        let fixture = Fixture::with(Dialect::V2026, Options { email_case, ..quick() }).await;
        fixture.check("POST", "/contacts", person("Ann@example.com"), 201).await;
        fixture.check("POST", "/contacts", person("ann@example.com"), status).await;
        assert_eq!(fixture.sandbox.counts(&fixture.brand.brand_id).unwrap().contacts, contacts);
    }
}

#[tokio::test]
async fn lists_have_filters_and_pages() {
    let fixture = Fixture::new().await;
    for number in 0..7 {
        let status = if number % 2 == 0 { Status::Subscribed } else { Status::Unsubscribed };
        let tags: &[&str] = if number < 5 { &["few"] } else { &[] };
        fixture.seed(SeedContact::new(format!("p{number}@example.com"), status).tagged(tags));
    }
    let emails = async |path: &str| {
        let page = fixture.check("GET", path, Value::Null, 200).await;
        let contacts = page["contacts"].as_array().unwrap().iter();
        let emails: Vec<String> = contacts
            .map(|contact| contact["email"].as_str().unwrap().get(1..2).unwrap().to_owned())
            .collect();
        (emails.concat(), page["paging"].clone())
    };
    assert_eq!(emails("/contacts").await.0, "6543210");
    assert_eq!(emails("/contacts?status=unsubscribed&direction=asc").await.0, "135");
    assert_eq!(emails("/contacts?tag=none").await.0, "");
    assert_eq!(emails("/contacts?email=p3%40example.com&tag=few").await.0, "3");
    assert_eq!(emails("/contacts?email=p3%40example.com&status=subscribed").await.0, "");
    assert_eq!(emails("/contacts?updatedAtFrom=2020-01-01T00:00:00Z").await.0.len(), 7);
    let (first, paging) = emails("/contacts?tag=few&limit=3").await;
    assert_eq!((first.as_str(), &paging["hasMore"], &paging["limit"]), ("432", &json!(true), &json!(3)));
    let after = paging["cursors"]["after"].as_str().unwrap();
    let (second, paging) = emails(&format!("/contacts?tag=few&limit=3&after={after}")).await;
    assert_eq!(
        (second.as_str(), &paging["hasMore"], &paging["cursors"]["after"]),
        ("10", &json!(false), &Value::Null)
    );
    let before = paging["cursors"]["before"].as_str().unwrap();
    assert_eq!(emails(&format!("/contacts?tag=few&limit=3&before={before}")).await.0, "432");
    fixture.check("PATCH", "/contacts?email=p2%40example.com", json!({ "city": "Oslo" }), 200).await;
    assert_eq!(emails("/contacts?sort=updatedAt&limit=1").await.0, "2");
    for refused in [
        "tag=few&status=subscribed",
        "updatedAtFrom=2020-01-01T00:00:00Z&tag=few",
        "updatedAtFrom=yesterday",
        "limit=251",
        "limit=0",
        "status=keen",
        "page=2",
        "tag=a&tag=b",
        "segmentID=0",
    ] {
        fixture.check("GET", &format!("/contacts?{refused}"), Value::Null, 400).await;
    }
    fixture.check("GET", &format!("/contacts?after={after}"), Value::Null, 400).await;
}

#[tokio::test]
async fn v5_says_things_its_own_way() {
    let fixture = Fixture::with(Dialect::V5, quick()).await;
    let mut body = person("a@example.com");
    body["identifiers"][0]["channels"] =
        json!({ "email": { "status": "subscribed", "statusDate": "2020-01-01T00:00:00Z" } });
    let made = fixture.check("POST", "/contacts", body, 200).await;
    assert_eq!(made, json!({ "contactID": made["contactID"], "email": "a@example.com" }));
    fixture.check("POST", "/contacts", person("b@example.com"), 200).await;
    let page = fixture.check("GET", "/contacts?limit=1&direction=asc", Value::Null, 200).await;
    assert_eq!(page["contacts"][0]["contactID"], made["contactID"]);
    let channel = &page["contacts"][0]["identifiers"][0]["channels"]["email"];
    assert_eq!(channel, &json!({ "status": "subscribed", "statusDate": "2020-01-01T00:00:00Z" }));
    let next = page["paging"]["next"].as_str().unwrap();
    let path = next.strip_prefix(&format!("{}/v5", fixture.sandbox.base_url())).unwrap();
    let page = fixture.check("GET", path, Value::Null, 200).await;
    assert_eq!(page["contacts"][0]["identifiers"][0]["id"], "b@example.com");
    assert_eq!((&page["paging"]["next"], page["paging"]["previous"].is_string()), (&Value::Null, true));
    assert_eq!(
        fixture.check("POST", "/contacts", json!({ "identifiers": [{ "type": "email" }] }), 400).await,
        json!({
            "error": "1 error(s) found. Check 'fields' array for details.",
            "fields": [["identifiers[0].id: field required but not found in Json"]],
        })
    );
    assert_eq!(
        fixture.check("GET", "/contacts/0", Value::Null, 404).await,
        json!({ "error": "Contact not found" })
    );
    for (method, path) in [("POST", "/contacts/tags"), ("DELETE", "/contacts/tags"), ("GET", "/segments")] {
        fixture.check(method, path, json!({}), 404).await;
    }
}

#[tokio::test]
async fn properties_merge_unless_told_otherwise() {
    for (properties_on_write, lost) in [(OnWrite::Merge, 0), (OnWrite::Replace, 1)] {
        let fixture = Fixture::with(Dialect::V2026, Options { properties_on_write, ..quick() }).await;
        let mut seed = SeedContact::new("a@example.com", Status::Subscribed);
        seed.custom_properties.insert("theirs".to_owned(), json!(1));
        seed.custom_properties.insert("ours".to_owned(), json!(1));
        fixture.seed(seed);
        let mut body = person("a@example.com");
        body["customProperties"] = json!({ "ours": 2 });
        fixture.check("POST", "/contacts", body, 200).await;
        let properties =
            fixture.sandbox.contact(&fixture.brand.brand_id, "a@example.com").unwrap().custom_properties;
        assert_eq!((properties.len(), &properties["ours"]), (2 - lost, &json!(2)));
        assert_eq!(fixture.sandbox.report().foreign_properties_lost, lost);
    }
}
