//! The older dialect cannot tag many people in one call: each contact is read and written with all of its
//! tags.

use super::*;

#[tokio::test]
async fn a_contact_is_written_with_all_of_its_tags() {
    let fake = Fake::default();
    fake.put("jane@example.com", Person::new("subscribed", &["vip", "source: shopify"]));
    fake.put("tagged@example.com", Person::new("subscribed", &[TAG]));
    let server = fake.serve().await;
    let frame = of(&["jane@example.com", "new@example.com", "tagged@example.com"]);
    let (results, _) = carry_through(&v5(&server), &frame).await;
    assert_eq!(told(&results), [APPLIED; 3]);
    assert_eq!(results[1].destination_id, Some(fake::id("new@example.com")));
    let jane = Person::new("subscribed", &["vip", "source: shopify", TAG]);
    assert_eq!(fake.person("jane@example.com"), Some(jane));
    assert_eq!(fake.carriers(TAG).len(), 3);
    let all = server.received_requests().await.unwrap();
    let patched: Vec<&Request> = all.iter().filter(|request| request.method.as_str() == "PATCH").collect();
    assert_eq!(patched.len(), 2, "who has the tag is not written");
    let body: Value = patched[0].body_json().unwrap();
    assert_eq!(body, json!({"tags": ["vip", "source: shopify", TAG]}), "and nothing else is");
}

#[tokio::test]
async fn it_does_not_matter_whether_tags_replace_or_join() {
    for tags_join in [false, true] {
        let fake = Fake::default();
        fake.put("jane@example.com", Person::new("subscribed", &["vip"]));
        fake.state().tags_join = tags_join;
        let server = fake.serve().await;
        carry_through(&v5(&server), &of(&["jane@example.com"])).await;
        assert_eq!(fake.person("jane@example.com"), Some(Person::new("subscribed", &["vip", TAG])));
    }
}

#[tokio::test]
async fn nobodys_tag_is_given_up_for_ours() {
    let fake = Fake::default();
    let many: Vec<String> = (0..100).map(|number| format!("tag {number}")).collect();
    let person = Person { tags: many, ..Person::new("subscribed", &[]) };
    fake.put("jane@example.com", person.clone());
    let server = fake.serve().await;
    let (results, _) = carry_through(&v5(&server), &of(&["jane@example.com", "john@example.com"])).await;
    assert_eq!(told(&results), [(OutcomeKind::Rejected, "omnisend_too_many_tags"), APPLIED]);
    assert_eq!(fake.person("jane@example.com"), Some(person));
}

#[tokio::test]
async fn tagging_goes_on_where_it_had_to_wait() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let (connector, frame) = (v5(&server), people(4));
    let job = submit(&connector, &frame).await;
    let ok = |email: &str| {
        ResponseTemplate::new(200).set_body_json(json!({"contactID": fake::id(email), "tags": [TAG]}))
    };
    let full = ResponseTemplate::new(429).insert_header("X-Rate-Limit-Reset", "7");
    fake.fault("GET /v5/contacts/", [ok("person0@example.com"), ok("person1@example.com"), full]);
    let (job, look_after) = accepted(poll(&connector, job, &frame).await);
    assert_eq!((look_after, job.tagged_rows), (Duration::from_secs(7), 2));
    assert_eq!(told(&done(poll(&connector, job, &frame).await)), [APPLIED; 4]);
    assert_eq!(fake.carriers(TAG), ["person2@example.com", "person3@example.com"]);
}

#[tokio::test]
async fn a_refused_call_about_tags_leaves_nobody_applied() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let (connector, frame) = (v2026(&server), people(2));
    let job = submit(&connector, &frame).await;
    fake.fault("POST /api/contacts/tags", [ResponseTemplate::new(403)]);
    let error = poll(&connector, job, &frame).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Permission, Retry::Never));
    assert!(error.message.contains("contacts.write"), "{error}");
}

#[tokio::test]
async fn an_id_that_is_no_more_gives_way_to_the_address() {
    let fake = Fake::default();
    let server = fake.serve().await;
    let (connector, frame) = (v2026(&server), people(2));
    let job = submit(&connector, &frame).await;
    fake.fault("POST /api/contacts/tags", [ResponseTemplate::new(400)]);
    assert_eq!(told(&done(poll(&connector, job, &frame).await)), [APPLIED; 2]);
    assert_eq!(fake.carriers(TAG).len(), 2);
}
