//! Push workers that die and messages that come twice: the same end as without.

use super::brand::Brand;
use crate::support::messages::{Sent, dead_letters, doubling, queues_are_empty};
use crate::support::{Definitions, Over, Scene, persons, wait_until};
use local::demo::Person;
use relay_model::{Counts, RunId};
use sandbox::faults::FaultKind;
use sandbox::omnisend::{Endpoint, Fault, ListedContact};
use serde_json::json;
use std::collections::BTreeMap;

/// Longer than any test waits for it: the worker never sees this answer.
const NEVER_MS: u64 = 120_000;
/// The segment's name in every brand, and so the tag.
const TAG: &str = "Readers";

/// A brand and an export to it, of people half of whom are there already.
async fn ready<'a>(scene: &'a Scene, name: &str, people: &[Person]) -> (Brand<'a>, Definitions<'a>) {
    let brand = Brand::open(scene, name).await;
    brand.seed(people.iter().step_by(2));
    let mut job = brand.job(name);
    job.segment["name"] = json!(TAG);
    job.ready(people).await;
    (brand, job)
}

/// Everybody by address, without ids and moments, when all taggings are done.
async fn known(brand: &Brand<'_>) -> BTreeMap<Option<String>, ListedContact> {
    brand.tagged(TAG).await;
    let everybody = brand.everybody();
    let count = everybody.len();
    let mut known = BTreeMap::new();
    for mut contact in everybody {
        contact.id.clear();
        contact.status_changed_at.clear();
        known.insert(contact.email.clone(), contact);
    }
    assert_eq!(known.len(), count, "nobody is there twice");
    known
}

/// Ends the push worker as nothing can prevent, as soon as Omnisend has begun with a call that goes wrong.
async fn kill_in_mid_call(brand: &Brand<'_>, endpoint: Endpoint) {
    brand.add_fault(Fault::once(endpoint, FaultKind::DelayAfter(NEVER_MS)));
    wait_until("a call is under way", async || brand.faults().is_empty()).await;
    brand.scene.kill("push-omnisend");
}

/// A run whose worker dies in the given calls, one after the other.
async fn run_killed_at(brand: &Brand<'_>, job: &Definitions<'_>, endpoints: &[Endpoint]) -> Over {
    let run_id: RunId = job.start().await;
    for endpoint in endpoints {
        kill_in_mid_call(brand, *endpoint).await;
    }
    job.over(run_id).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_changes_nothing() {
    // A world in which the message of a dead worker is delivered again soon.
    let scene = Scene::open_with(|options| options.timeouts("Push", 40, 4)).await;
    let mut people = persons(500);
    people[7].email = Some("broken@".to_owned());
    let (brand, job) = ready(&scene, "killed", &people).await;
    let (calm_brand, calm) = ready(&scene, "calm", &people).await;
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 499, rejected: 1, ..Counts::default() });
    // People are submitted, looked after and tagged, each time to no one's knowledge.
    let calls = [Endpoint::CreateBatch, Endpoint::BatchItems, Endpoint::AddTags];
    let over = run_killed_at(&brand, &job, &calls).await;
    over.is_as(&expected);
    assert_eq!(known(&brand).await, known(&calm_brand).await);
    assert_eq!(brand.report().contacts.created, 249);

    for left in &mut people[100..180] {
        left.newsletter = false;
    }
    for job in [&job, &calm] {
        job.upload(&people).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { removed: 80, unchanged: 419, rejected: 1, ..Counts::default() });
    let over = run_killed_at(&brand, &job, &[Endpoint::RemoveTags]).await;
    over.is_as(&expected);
    assert_eq!(known(&brand).await, known(&calm_brand).await);
    assert_eq!(brand.report().tags.removed, 80, "nobody's tag is taken twice");
    assert_eq!(dead_letters(&scene).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_come_twice_change_nothing() {
    let scene = Scene::open().await;
    let mut people = persons(600);
    people[7].email = Some("broken@".to_owned());
    let (brand, job) = ready(&scene, "doubled", &people).await;
    let (calm_brand, calm) = ready(&scene, "calm", &people).await;
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 599, rejected: 1, ..Counts::default() });
    // So that the second message of each batch comes while the first one is being worked on.
    brand.add_fault(Fault::once(Endpoint::CreateBatch, FaultKind::DelayAfter(700)).times(3));
    let over = doubling(&scene, Box::pin(job.run())).await;
    over.is_as(&expected);
    assert_eq!(known(&brand).await, known(&calm_brand).await);

    people.truncate(550);
    people[0].city = "Elsewhere".to_owned();
    for job in [&job, &calm] {
        job.upload(&people).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { changed: 1, removed: 50, unchanged: 548, rejected: 1, ..Counts::default() });
    let over = doubling(&scene, Box::pin(job.run())).await;
    over.is_as(&expected);
    assert_eq!(known(&brand).await, known(&calm_brand).await);
    assert_eq!(brand.report().tags.removed, 50, "nobody's tag is taken twice");

    // Long after, all of them once more: runs that are over stay as they are.
    let calls = brand.all_calls() + calm_brand.all_calls();
    for sent in Sent::all(&scene) {
        sent.again(&scene, "late").await;
    }
    wait_until("all messages are handled", async || queues_are_empty(&scene).await).await;
    assert_eq!(brand.all_calls() + calm_brand.all_calls(), calls);
    let again = Over::of(&scene, scene.run(over.run.run_id).await.unwrap()).await;
    assert_eq!((again.run, again.report), (over.run, over.report));
    assert_eq!(dead_letters(&scene).await, 0);
}
