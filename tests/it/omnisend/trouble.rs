//! Omnisend in trouble: nobody is lost, nobody is doubled, and nothing is changed that is not ours.

use super::brand::{ALWAYS, Brand};
use crate::support::messages::dead_letters;
use crate::support::{Scene, emails, persons, wait_until};
use local::demo::Person;
use relay_model::Counts;
use sandbox::faults::FaultKind;
use sandbox::omnisend::{Endpoint, FailItems, Fault, ItemWork, ListedContact, OnWrite, StopBatches};
use std::collections::{BTreeMap, BTreeSet};

const PEOPLE: u64 = 300;
/// The items that a batch which stops half-way still does.
const DONE_ITEMS: usize = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stumbles_are_got_over() {
    let scene = Scene::open().await;
    tokio::join!(
        a_batch_stops_and_items_fail(&scene, "items", "2026-03-15", 100),
        a_batch_stops_and_items_fail(&scene, "items_old", "v5", 300),
        everything_is_refused_for_a_minute(&scene, "refused", "2026-03-15"),
        everything_is_refused_for_a_minute(&scene, "refused_old", "v5"),
        a_run_begins_while_everything_is_refused(&scene),
    );
    assert_eq!(dead_letters(&scene).await, 0);
}

/// The item of a person fails so many times with a status, done or not.
fn fail(brand: &Brand<'_>, number: usize, code: u16, times: usize, work: ItemWork) {
    let email = Some(format!("person{number}@mail.example.com"));
    brand.fail_items(FailItems { response_code: code, times, every: 1, email, work });
}

/// Nobody is there twice, and whoever was there before has the status and the tags that they had.
#[track_caller]
fn is_whole(brand: &Brand<'_>, tag: &str, before: &[ListedContact], expected: usize) {
    let everybody = brand.everybody();
    let found: BTreeSet<_> = everybody.iter().filter_map(|contact| contact.email.clone()).collect();
    assert_eq!((found.len(), everybody.len()), (expected, expected), "nobody is there twice");
    for before in before {
        let after = brand.person(before.email.as_ref().unwrap());
        assert_eq!((after.status, &after.status_changed_at), (before.status, &before.status_changed_at));
        let mut tags = after.tags;
        tags.retain(|has| has != tag);
        assert_eq!(tags, before.tags);
    }
}

async fn a_batch_stops_and_items_fail(scene: &Scene, name: &str, dialect: &str, batch_items: usize) {
    let brand = Brand::open_as(scene, name, dialect, OnWrite::Replace).await.lanes(1);
    let job = brand.job(name);
    let mut people = persons(PEOPLE);
    // It passes for an address with us and does not with Omnisend.
    people[17].email = Some("pérson18@mail.example.com".to_owned());
    brand.seed(people.iter().step_by(2));
    let before = brand.everybody();
    job.ready(&people).await;
    brand.stop_batches(StopBatches { times: 1, after_items: DONE_ITEMS });
    // These go again within the run, and one of them was done all the same.
    fail(&brand, 11, 429, 1, ItemWork::NotDone);
    fail(&brand, 122, 503, 1, ItemWork::Done);
    fail(&brand, 213, 408, 1, ItemWork::NotDone);
    // This one as often as it may within a run.
    fail(&brand, 24, 503, ALWAYS, ItemWork::NotDone);
    // This one is left to the next run, and this one is refused for good.
    fail(&brand, 115, 500, 1, ItemWork::NotDone);
    fail(&brand, 226, 422, 1, ItemWork::NotDone);

    let first = job.run().await;
    first.succeeded(Counts { added: PEOPLE - 4, rejected: 2, deferred: 2, ..Counts::default() });
    for code in ["omnisend_503", "omnisend_500", "omnisend_422", "omnisend_400"] {
        assert_eq!(first.because(code), 1, "{code}: {:?}", first.report.reasons);
    }
    let left_out = |numbers: &[usize]| -> Vec<Person> {
        let is_in = |(number, _): &(usize, &Person)| !numbers.contains(&(number + 1));
        people.iter().enumerate().filter(is_in).map(|(_, person)| person.clone()).collect()
    };
    assert_eq!(brand.tagged(name).await, emails(&left_out(&[18, 24, 115, 226])));
    let report = brand.report();
    // The stop leaves items that nobody looked at. Each of them goes once more, and so does what failed in passing.
    let unprocessed = batch_items - DONE_ITEMS;
    assert_eq!((report.batches.stopped, report.batches.unprocessed), (1, unprocessed));
    assert_eq!(
        report.batches.failed,
        BTreeMap::from([(400, 1), (408, 1), (422, 1), (429, 1), (500, 1), (503, 5)])
    );
    assert_eq!(report.batches.items, people.len() + unprocessed + 6);
    // Half of the people were there, and three of the others are not even now.
    assert_eq!(report.contacts.created, 147);
    is_whole(&brand, name, &before, 297);

    brand.count_anew();
    brand.clear_orders();
    let second = job.run().await;
    second.succeeded(Counts { added: 3, unchanged: PEOPLE - 4, rejected: 1, ..Counts::default() });
    assert_eq!((second.because("omnisend_400"), brand.report().batches.items), (1, 4));
    assert_eq!(brand.tagged(name).await, emails(&left_out(&[18])));
    is_whole(&brand, name, &before, 299);
}

async fn everything_is_refused_for_a_minute(scene: &Scene, name: &str, dialect: &str) {
    let brand = Brand::open_as(scene, name, dialect, OnWrite::Replace).await;
    let job = brand.job(name);
    let mut people = persons(PEOPLE);
    brand.seed(people.iter().step_by(2));
    let before = brand.everybody();
    job.ready(&people).await;
    let run_id = job.start().await;
    wait_until("a batch is submitted", async || brand.calls(Endpoint::CreateBatch) > 0).await;
    brand.refuse_for(1).await;
    let refused = brand.report().faults;
    let first = job.over(run_id).await;
    first.succeeded(Counts { added: PEOPLE, ..Counts::default() });
    // Each of the four pieces of work asks about once in a quarter of the minute, and the run says that it was refused.
    assert!((1..=24).contains(&refused), "{refused} calls");
    assert_eq!(usize::try_from(first.report.throttled).unwrap(), refused);
    assert_eq!(brand.tagged(name).await, emails(&people));
    assert_eq!(brand.report().contacts.created, 150);
    is_whole(&brand, name, &before, 300);

    // Leavers are refused in mid-run too, some of them after others are done.
    for left in &mut people[200..] {
        left.newsletter = false;
    }
    job.upload(&people).await;
    let removing = if dialect == "v5" { Endpoint::UpdateContact } else { Endpoint::RemoveTags };
    brand.add_fault(Fault::once(removing, FaultKind::TooManyRequests).every(2).times(3));
    job.run().await.succeeded(Counts { removed: 100, unchanged: 200, ..Counts::default() });
    assert_eq!(brand.tagged(name).await, emails(&people));
    assert!(brand.faults().is_empty());
    is_whole(&brand, name, &before, 300);
}

async fn a_run_begins_while_everything_is_refused(scene: &Scene) {
    let brand = Brand::open(scene, "refused_first").await;
    let job = brand.job("refused_first");
    let people = persons(40);
    brand.seed(people.iter().step_by(2));
    let before = brand.everybody();
    job.ready(&people).await;
    let run_id = job.start().await;
    // Longer than a step is tried that fails.
    brand.refuse_for(6).await;
    let refused = brand.report().faults;
    let over = job.over(run_id).await;
    over.succeeded(Counts { added: 40, ..Counts::default() });
    // It has asked about once in a quarter of a minute.
    assert!((10..=24).contains(&refused), "{refused} calls");
    assert_eq!(brand.tagged("refused_first").await, emails(&people));
    is_whole(&brand, "refused_first", &before, 40);
}
