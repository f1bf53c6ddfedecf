//! Workers that die and messages that come twice: the same list with the same members as without.

use super::organisation::{Organisation, guids, rows, upload};
use crate::support::messages::{Sent, dead_letters, doubling, queues_are_empty};
use crate::support::{Definitions, Over, Scene, wait_until};
use relay_model::Counts;
use sandbox::dynamics365_sales::{ContactChange, Endpoint, Fault, Guid};
use sandbox::faults::FaultKind;
use serde_json::json;
use std::collections::BTreeSet;

/// Longer than any test waits for it: the worker never sees this answer.
const NEVER_MS: u64 = 120_000;
/// The segment's name in every organisation, and so the list's.
const LIST: &str = "Readers";

/// Contacts of whom one is not a GUID.
fn contacts(numbers: std::ops::Range<u64>) -> Vec<(u64, String)> {
    let mut rows = rows(numbers);
    "no GUID".clone_into(&mut rows[7].1);
    rows
}

/// An organisation, one of whose contacts is inactive, and an export to it.
async fn ready<'a>(scene: &'a Scene, name: &str) -> (Organisation<'a>, Definitions<'a>) {
    let organisation = Organisation::open(scene, name, 600).await.members_a_call(100);
    organisation.change_contact(Guid::numbered(20), ContactChange::Deactivate).unwrap();
    let mut job = organisation.job(name);
    job.segment["name"] = json!(LIST);
    job.save().await;
    upload(&job, contacts(0..500)).await;
    (organisation, job)
}

fn members(organisation: &Organisation<'_>) -> BTreeSet<Guid> {
    let list = organisation.list_named(LIST);
    let members = organisation.on(list.list_id);
    assert_eq!((members.len(), list.members_by_api), (list.members, list.members));
    members
}

/// Ends a function as nothing can prevent, as soon as Dynamics has begun with a call that goes wrong.
async fn kill_in_mid_call(organisation: &Organisation<'_>, function: &str, fault: Fault) {
    organisation.add_fault(fault);
    wait_until("a call is under way", async || organisation.faults().is_empty()).await;
    organisation.scene.kill(function);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_changes_nothing() {
    // A world in which the message of a dead worker is delivered again soon.
    let scene = Scene::open_with(|options| options.timeouts("Push", 40, 4)).await;
    let (organisation, job) = ready(&scene, "killed").await;
    let (calm_organisation, calm) = ready(&scene, "calm").await;
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 498, rejected: 1, skipped: 1, ..Counts::default() });
    let run_id = job.start().await;
    // Members are added, and nobody hears of it: of the first hundred, and of others when it is tried again.
    for every in [1, 3] {
        let fault = Fault::once(Endpoint::AddListMembers, FaultKind::DelayAfter(NEVER_MS)).every(every);
        kill_in_mid_call(&organisation, "push-dynamics365-sales", fault).await;
    }
    let over = job.over(run_id).await;
    over.is_as(&expected);
    assert_eq!(members(&organisation), members(&calm_organisation));
    assert_eq!(organisation.report().members.added, 498);

    for job in [&job, &calm] {
        upload(job, contacts(0..410)).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { removed: 90, unchanged: 408, rejected: 1, skipped: 1, ..Counts::default() });
    let run_id = job.start().await;
    let fault = Fault::once(Endpoint::RemoveListMembers, FaultKind::DelayAfter(NEVER_MS));
    kill_in_mid_call(&organisation, "push-dynamics365-sales", fault).await;
    let over = job.over(run_id).await;
    over.is_as(&expected);
    assert_eq!(members(&organisation), members(&calm_organisation));
    assert_eq!(organisation.report().members.removed, 90, "nobody is taken off twice");
    assert_eq!(dead_letters(&scene).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_come_twice_change_nothing() {
    let scene = Scene::open().await;
    let (organisation, job) = ready(&scene, "doubled").await;
    let (calm_organisation, calm) = ready(&scene, "calm").await;
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 498, rejected: 1, skipped: 1, ..Counts::default() });
    // So that the second message of each batch comes while the first one is being worked on.
    let fault = Fault::once(Endpoint::AddListMembers, FaultKind::DelayAfter(700)).times(3);
    organisation.add_fault(fault);
    let over = doubling(&scene, Box::pin(job.run())).await;
    over.is_as(&expected);
    assert_eq!(members(&organisation), members(&calm_organisation));

    for job in [&job, &calm] {
        upload(job, contacts(30..520)).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 20, removed: 29, unchanged: 469, rejected: 1, ..Counts::default() });
    let over = doubling(&scene, Box::pin(job.run())).await;
    over.is_as(&expected);
    assert_eq!(members(&organisation), members(&calm_organisation));
    let report = organisation.report().members;
    assert_eq!((report.added, report.already, report.removed), (518, 0, 29), "nothing is done twice");

    // Long after, all of them once more: runs that are over stay as they are.
    let calls = organisation.all_calls() + calm_organisation.all_calls();
    for sent in Sent::all(&scene) {
        sent.again(&scene, "late").await;
    }
    wait_until("all messages are handled", async || queues_are_empty(&scene).await).await;
    assert_eq!(organisation.all_calls() + calm_organisation.all_calls(), calls);
    let again = Over::of(&scene, scene.run(over.run.run_id).await.unwrap()).await;
    assert_eq!((again.run, again.report), (over.run, over.report));
    assert_eq!(dead_letters(&scene).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segments_own_list_is_one_however_often_it_is_made() {
    // A world in which the message of a dead chunk is delivered again soon.
    let scene = Scene::open_with(|options| options.timeouts("Chunk", 40, 4)).await;
    let organisation = Organisation::open(&scene, "made", 60).await;
    let mut job = organisation.job("newsletter");
    job.segment["id"] = json!("vip");
    job.segment["name"] = json!(LIST);
    job.export["segments"] = json!([{ "segment": "vip" }]);
    job.save().await;
    upload(&job, rows(0..60)).await;
    let run_id = job.start().await;
    // The first chunk dies before its call does anything: Dynamics makes the list later all the same. The second one
    // makes it meanwhile, and nobody hears of it.
    let making = |kind| Fault::once(Endpoint::CreateList, kind);
    kill_in_mid_call(&organisation, "chunk", making(FaultKind::DelayBefore(10_000))).await;
    kill_in_mid_call(&organisation, "chunk", making(FaultKind::DelayAfter(NEVER_MS))).await;
    let over = job.over(run_id).await;
    over.succeeded(Counts { added: 60, ..Counts::default() });
    wait_until("the first call is carried out", async || organisation.calls(Endpoint::CreateList) > 0).await;
    assert_eq!((organisation.lists().len(), organisation.report().lists_created), (1, 1));
    let report = organisation.report();
    assert_eq!(report.calls[&Endpoint::CreateList].by_status, [(412, 1)].into());

    // The id is the export's and the segment's, and that of no other installation's run alone.
    let list = organisation.list_named(LIST);
    assert_eq!(list.list_id, Guid::parse("b7d5d32b-5575-8987-bae9-d73af557554f").unwrap());
    assert_eq!(organisation.on(list.list_id), guids(0..60));
    assert_eq!(dead_letters(&scene).await, 0);
}
