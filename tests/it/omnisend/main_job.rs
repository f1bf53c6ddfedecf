//! The main job: people come, change and leave, their tag follows, and nothing else of them does.

use super::brand::{Brand, FOREIGN_TAG, address};
use crate::support::messages::dead_letters;
use crate::support::{Scene, emails, persons};
use jiff::Timestamp;
use relay_model::Counts;
use sandbox::omnisend::{Change, Endpoint, OnWrite, Status};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tag_follows_the_segment() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    tokio::join!(
        people_come_change_and_leave(&scene, "new_replace", "2026-03-15", OnWrite::Replace),
        people_come_change_and_leave(&scene, "new_merge", "2026-03-15", OnWrite::Merge),
        people_come_change_and_leave(&scene, "old_replace", "v5", OnWrite::Replace),
        people_come_change_and_leave(&scene, "old_merge", "v5", OnWrite::Merge),
        only_who_consented_is_subscribed(&scene, "new_consent", "2026-03-15"),
        only_who_consented_is_subscribed(&scene, "old_consent", "v5"),
        a_segment_is_made_once(&scene),
    );
    assert_eq!(dead_letters(&scene).await, 0);
}

async fn people_come_change_and_leave(scene: &Scene, name: &str, dialect: &str, tags: OnWrite) {
    let brand = Brand::open_as(scene, name, dialect, tags).await;
    let mut job = brand.job(name);
    job.segment["name"] = json!("Newsletter readers");
    job.export["options"]["tag"] = json!({ "prefix": "cdp: " });
    let tag = "cdp: Newsletter readers";
    let mut people = persons(120);
    // Half of them are there already, with statuses and tags of their own.
    brand.seed(people.iter().step_by(2));
    let known = |person: usize| brand.person(&address(&people[person]));
    let before: Vec<_> = (0..120).step_by(2).map(known).collect();
    job.ready(&people).await;

    let first = job.run().await;
    first.succeeded(Counts { added: 120, ..Counts::default() });
    assert_eq!(brand.tagged(tag).await, emails(&people));
    assert_eq!(brand.contact_count(), 120);
    for before in before {
        let after = brand.person(before.email.as_ref().unwrap());
        assert_eq!((after.status, &after.status_changed_at), (before.status, &before.status_changed_at));
        assert_eq!(after.tags[..2], [FOREIGN_TAG, "vip"]);
        assert_eq!(
            (&after.fields["lastName"], &after.custom_properties["shoes"]),
            (&"Kept".into(), &json!("red"))
        );
    }
    let new = brand.person("person2@mail.example.com");
    assert_eq!((new.status, &new.custom_properties["points"]), (Status::NonSubscribed, &json!(2)));
    assert_eq!((&new.fields["firstName"], &new.fields["city"]), (&"First2 Last2".into(), &"City 2".into()));
    assert_eq!(usize::try_from(first.report.calls).unwrap(), brand.all_calls());
    assert!(first.report.notices.iter().any(|notice| notice.contains(tag)), "{:?}", first.report.notices);

    // Nothing has changed: nobody is sent, and only the tag is looked for.
    brand.count_anew();
    let second = job.run().await;
    second.succeeded(Counts { unchanged: 120, ..Counts::default() });
    assert_eq!((second.report.batches, brand.calls(Endpoint::CreateBatch)), (0, 0));
    assert!(brand.all_calls() <= 2, "{:?}", brand.report().calls);

    // Some have moved, some leave; somebody unsubscribes and gets a tag meanwhile.
    brand.change("person1@mail.example.com", Change::Status(Status::Unsubscribed));
    brand.change("person1@mail.example.com", Change::AddTag("late".to_owned()));
    for moved in &mut people[..10] {
        "Elsewhere".clone_into(&mut moved.city);
    }
    for left in &mut people[100..] {
        left.newsletter = false;
    }
    job.upload(&people).await;
    let third = job.run().await;
    assert_eq!(brand.contact_count(), 120);
    if (dialect, tags) == ("v5", OnWrite::Merge) {
        // Where a write only adds tags, the older dialect has no way to take one away, and that is told.
        third.succeeded(Counts { changed: 10, deferred: 20, unchanged: 90, ..Counts::default() });
        assert_eq!(third.because("omnisend_tag_stays"), 20);
        return;
    }
    third.succeeded(Counts { changed: 10, removed: 20, unchanged: 90, ..Counts::default() });
    assert_eq!(brand.tagged(tag).await, emails(&people));
    let one = brand.person("person1@mail.example.com");
    assert_eq!((one.status, &one.fields["city"]), (Status::Unsubscribed, &"Elsewhere".into()));
    assert!(["vip", "late", tag].iter().all(|tag| one.tags.iter().any(|has| has == tag)), "{:?}", one.tags);
    let left = brand.person("person101@mail.example.com");
    assert_eq!(left.tags, [FOREIGN_TAG, "vip"]);

    // Some come back.
    brand.count_anew();
    for back in &mut people[100..105] {
        back.newsletter = true;
    }
    job.upload(&people).await;
    job.run().await.succeeded(Counts { added: 5, unchanged: 100, ..Counts::default() });
    assert_eq!(brand.tagged(tag).await, emails(&people));
    assert_eq!(brand.report().contacts.created, 0);
}

async fn only_who_consented_is_subscribed(scene: &Scene, name: &str, dialect: &str) {
    let brand = Brand::open_as(scene, name, dialect, OnWrite::Replace).await;
    let mut job = brand.job(name);
    // Of every three people one has consented with a date, one without one, and one has not consented.
    job.segment["query"] = json!(format!(
        "SELECT customer_id, email, name, points < 2 AS consented, \
         CASE WHEN points <> 1 THEN '2026-01-02T00:00:00Z' END AS consented_at FROM {name} WHERE newsletter"
    ));
    job.export["mapping"] = json!([
        { "attribute": "name", "field": "firstName" },
        { "attribute": "consented", "field": "consent.email" },
        { "attribute": "consented_at", "field": "consent.email.date" },
    ]);
    job.export["options"] = json!({});
    let mut people = persons(30);
    for (number, person) in people.iter_mut().enumerate() {
        person.points = i64::try_from(number % 3).ok();
    }
    // Of those who have consented (the first, the fourth, …) some are there already.
    let seed = |email: &str, status, at: &str| {
        let mut seed = sandbox::omnisend::SeedContact::new(email, status).tagged(&[FOREIGN_TAG]);
        seed.status_changed_at = Some(at.to_owned());
        seed
    };
    let (long_ago, lately) = ("2025-01-01T00:00:00Z", Timestamp::now().to_string());
    let known = [
        ("person1@mail.example.com", Status::Unsubscribed, long_ago, Status::Unsubscribed),
        ("person4@mail.example.com", Status::Subscribed, long_ago, Status::Subscribed),
        ("person7@mail.example.com", Status::NonSubscribed, long_ago, Status::Subscribed),
        ("person10@mail.example.com", Status::NonSubscribed, &lately, Status::NonSubscribed),
        ("person2@mail.example.com", Status::NonSubscribed, long_ago, Status::NonSubscribed),
        ("person3@mail.example.com", Status::Unsubscribed, long_ago, Status::Unsubscribed),
    ];
    let seeds = known.iter().map(|(email, status, at, _)| seed(email, *status, at)).collect();
    brand.seed_contacts(&brand.key.brand_id, seeds).unwrap();
    job.ready(&people).await;
    let over = job.run().await;
    over.succeeded(Counts { added: 30, ..Counts::default() });
    assert!(over.report.notices.iter().any(|notice| notice.contains("consent is mapped")));
    for (email, _, _, expected) in known {
        assert_eq!(brand.person(email).status, expected, "{email}");
    }
    for number in 11..=30 {
        let expected = if number % 3 == 1 { Status::Subscribed } else { Status::NonSubscribed };
        assert_eq!(brand.person(&format!("person{number}@mail.example.com")).status, expected, "{number}");
    }
    assert_eq!(brand.tagged(name).await, emails(&people));
    // Ten have consented with a date: four of them were there, and one of those is told of.
    brand.settle(6, 1);
}

async fn a_segment_is_made_once(scene: &Scene) {
    let brand = Brand::open(scene, "segment").await;
    let mut job = brand.job("segment");
    job.export["options"]["make_segment"] = json!(true);
    let people = persons(20);
    job.ready(&people).await;
    let over = job.run().await;
    over.succeeded(Counts { added: 20, ..Counts::default() });
    let segments = brand.segments(&brand.key.brand_id).unwrap();
    assert_eq!(segments.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["segment"]);
    assert!(
        over.report.notices.iter().any(|notice| notice.contains("was made")),
        "{:?}",
        over.report.notices
    );
    job.run().await.succeeded(Counts { unchanged: 20, ..Counts::default() });
    assert_eq!(brand.segments(&brand.key.brand_id).unwrap(), segments);
    // The older dialect has no calls for segments: that is said before anything is written.
    let mut old = brand.job("segment_old");
    old.connection["settings"]["dialect"] = json!("v5");
    old.export["options"]["make_segment"] = json!(true);
    old.ready(&people).await;
    let written = brand.calls(Endpoint::CreateBatch);
    old.run().await.failed("settings_invalid", &["make_segment", "v5"]);
    assert_eq!(brand.calls(Endpoint::CreateBatch), written);
}
