//! Killed push workers and doubled messages: the same result as without.

use super::brand::Brand;
use crate::doubled_messages::Delivered;
use crate::support::messages::{dead_letters, doubling};
use crate::support::{Definitions, FinishedRun, Scene, persons, wait_until};
use local::demo::Person;
use relay_model::{Counts, RunId};
use sandbox::faults::FaultKind;
use sandbox::omnisend::{Endpoint, Fault, ListedContact};
use serde_json::json;
use std::collections::BTreeMap;

/// Longer than any test waits: the worker never gets this response.
const NEVER_MS: u64 = 120_000;
/// The name of the segment, and therefore of the tag, in every brand.
const TAG: &str = "Readers";

/// A brand with every second person as a contact, and an export of all people to it.
async fn ready<'a>(scene: &'a Scene, name: &str, people: &[Person]) -> (Brand<'a>, Definitions<'a>) {
    let brand = Brand::open(scene, name).await;
    brand.seed(people.iter().step_by(2));
    let mut job = brand.job(name);
    job.segment["name"] = json!(TAG);
    job.ready(people).await;
    (brand, job)
}

/// All contacts by address, without ids and times, after all tagging has completed.
async fn known(brand: &Brand<'_>) -> BTreeMap<Option<String>, ListedContact> {
    brand.tagged(TAG).await;
    let contacts = brand.all_people();
    let count = contacts.len();
    let mut known = BTreeMap::new();
    for mut contact in contacts {
        contact.id.clear();
        contact.status_changed_at.clear();
        known.insert(contact.email.clone(), contact);
    }
    assert_eq!(known.len(), count, "each person is one contact");
    known
}

/// Kills the push worker as soon as Omnisend processes a call with a fault.
async fn kill_in_mid_call(brand: &Brand<'_>, endpoint: Endpoint) {
    brand.add_fault(Fault::once(endpoint, FaultKind::DelayAfter(NEVER_MS)));
    wait_until("a call is under way", async || brand.faults().is_empty()).await;
    brand.scene.kill("push-omnisend");
}

/// Runs an export whose worker is killed in each of the given calls.
async fn run_killed_at(brand: &Brand<'_>, job: &Definitions<'_>, endpoints: &[Endpoint]) -> FinishedRun {
    let run_id: RunId = job.start().await;
    for endpoint in endpoints {
        kill_in_mid_call(brand, *endpoint).await;
    }
    job.wait_for(run_id).await
}

pub(crate) async fn killed_workers(scene: &Scene) {
    let mut people = persons(500);
    people[7].email = Some("broken@".to_owned());
    let (brand, job) = ready(scene, "omnisend_killed", &people).await;
    let (calm_brand, calm) = ready(scene, "omnisend_calm", &people).await;
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 499, rejected: 1, ..Counts::default() });
    // The responses to the submission, to a poll and to the tagging are lost.
    let calls = [Endpoint::CreateBatch, Endpoint::BatchItems, Endpoint::AddTags];
    let finished = run_killed_at(&brand, &job, &calls).await;
    finished.is_as(&expected);
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
    let finished = run_killed_at(&brand, &job, &[Endpoint::RemoveTags]).await;
    finished.is_as(&expected);
    assert_eq!(known(&brand).await, known(&calm_brand).await);
    assert_eq!(brand.report().tags.removed, 80, "no tag is removed twice");
    assert_eq!(dead_letters(scene).await, 0);
}

pub(crate) async fn doubled_messages(scene: &Scene) -> Delivered<'_> {
    let mut people = persons(600);
    people[7].email = Some("broken@".to_owned());
    let (brand, job) = ready(scene, "omnisend_doubled", &people).await;
    let (calm_brand, calm) = ready(scene, "omnisend_calm", &people).await;
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 599, rejected: 1, ..Counts::default() });
    // The second message of each batch arrives while a worker processes the first one.
    brand.add_fault(Fault::once(Endpoint::CreateBatch, FaultKind::DelayAfter(700)).times(3));
    let finished = doubling(scene, Box::pin(job.run())).await;
    finished.is_as(&expected);
    assert_eq!(known(&brand).await, known(&calm_brand).await);

    people.truncate(550);
    "Elsewhere".clone_into(&mut people[0].city);
    for job in [&job, &calm] {
        job.upload(&people).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { changed: 1, removed: 50, unchanged: 548, rejected: 1, ..Counts::default() });
    let finished = doubling(scene, Box::pin(job.run())).await;
    finished.is_as(&expected);
    assert_eq!(known(&brand).await, known(&calm_brand).await);
    assert_eq!(brand.report().tags.removed, 50, "no tag is removed twice");

    Delivered { calls: Box::new(move || brand.all_calls() + calm_brand.all_calls()), last_run: finished }
}
