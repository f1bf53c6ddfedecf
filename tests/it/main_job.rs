//! The main job: people come, change, leave and come back, and the list follows.

use crate::support::messages::{announced, dead_letters};
use crate::support::{Job, Scene, emails, person, persons, wait_until};
use relay_delivery::delta::DeliveredReader;
use relay_model::{Counts, ListId};
use sandbox::campaign_monitor::{Endpoint, SeedSubscriber, SubscriberState};
use serde_json::Value;
use std::collections::BTreeSet;

/// Of the people, these cannot be delivered: no address, a broken one, the address of another, a second copy.
const LEFT_OUT: Counts =
    Counts { added: 0, changed: 0, removed: 0, unchanged: 0, skipped: 3, rejected: 1, deferred: 0 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_follows_the_segment() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    let job = Job::new(&scene, "main");
    let strangers = ["stranger@elsewhere.example.org", "other@elsewhere.example.org"];
    for stranger in strangers {
        let stranger = SeedSubscriber::new(stranger, SubscriberState::Active);
        scene.sandbox.seed_subscriber(&job.list, stranger).unwrap();
    }
    job.save().await;
    let mut people = persons(300);
    people[0].email = None;
    people[1].email = Some("not an address".to_owned());
    people[2].email = Some(" PERSON4@mail.example.com".to_owned());
    people[10].copies = 2;
    people[20].points = None;
    job.upload(&people).await;

    // Everybody comes.
    let first = job.run().await;
    first.succeeded(Counts { added: 297, ..LEFT_OUT });
    assert_eq!((first.report.rows_in, first.because("duplicate_member_row")), (301, 1));
    let present = |mut expected: BTreeSet<String>| {
        for gone in [" PERSON4@mail.example.com", "not an address"] {
            expected.remove(gone);
        }
        expected.extend(strangers.map(str::to_owned));
        let found: BTreeSet<String> = job.active().iter().map(|email| email.to_lowercase()).collect();
        assert_eq!(found, expected);
    };
    present(emails(&people));
    delivered(&scene, &job, 297).await;
    let first_states = scene.delivered_states("main").await;
    finished_once(&scene, &first.run.run_id.to_string());

    // Nothing has changed, so nothing is sent.
    scene.sandbox.reset_report();
    let second = job.run().await;
    second.succeeded(Counts { unchanged: 297, ..LEFT_OUT });
    assert_eq!((scene.calls(Endpoint::Import), scene.calls(Endpoint::Remove)), (0, 0));
    // What was delivered is known from the second run now, and nothing is left of the first one's knowledge.
    wait_until("the old state is gone", async || scene.delivered_states("main").await.len() == 1).await;
    assert_ne!(scene.delivered_states("main").await, first_states);
    delivered(&scene, &job, 297).await;

    // Five change, seven leave, three come; one has another address.
    for changed in &mut people[100..105] {
        changed.city = "Elsewhere".to_owned();
    }
    for left in &mut people[200..207] {
        left.newsletter = false;
    }
    people.extend((301..=303).map(person));
    people[50].email = Some("moved@mail.example.com".to_owned());
    job.upload(&people).await;
    let third = job.run().await;
    // Another address is somebody else to the destination: one goes and one comes.
    third.succeeded(Counts { added: 4, changed: 5, removed: 8, unchanged: 284, ..LEFT_OUT });
    present(emails(&people));
    assert_eq!(job.listed()["person101@mail.example.com"].custom_fields[0].value, "Elsewhere");

    // Three of those who left come back: only these are resubscribed.
    for back in &mut people[200..203] {
        back.newsletter = true;
    }
    job.upload(&people).await;
    let fourth = job.run().await;
    fourth.succeeded(Counts { added: 3, unchanged: 293, ..LEFT_OUT });
    present(emails(&people));
    assert_eq!(scene.sandbox.report().import.resubscribe_rows.len(), 3);
    let report = scene.sandbox.report();
    assert_eq!((report.foreign_deletes, report.deletes_of_seeded), (0, 0));
    assert_eq!(dead_letters(&scene).await, 0);
}

/// The delivered state has so many people, and its pointer says the same.
async fn delivered(scene: &Scene, job: &Job<'_>, expected: u64) {
    let list = ListId(job.list.to_string());
    let pointer = scene.ledger().delivered(&job.id(), &list).await.unwrap().unwrap();
    assert_eq!(pointer.delivered, expected);
    let file = scene.data().download(&pointer.object_key).await.unwrap();
    let records = DeliveredReader::open(file).unwrap().map(Result::unwrap);
    assert_eq!(u64::try_from(records.count()).unwrap(), expected);
}

/// The end of the run was announced once, with ids and counts.
fn finished_once(scene: &Scene, run_id: &str) {
    let all = announced(scene, "Run Finished");
    let details: Vec<Value> = all.into_iter().filter(|detail| detail["run_id"] == run_id).collect();
    assert_eq!(details.len(), 1);
    assert_eq!((&details[0]["state"], &details[0]["rows_in"]), (&"succeeded".into(), &301.into()));
}
