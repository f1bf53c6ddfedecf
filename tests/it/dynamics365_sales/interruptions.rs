//! Killed workers and doubled messages: the same list with the same members as without.

use super::organisation::{Organisation, guids, rows, upload};
use crate::doubled_messages::Delivered;
use crate::support::messages::{dead_letters, doubling};
use crate::support::{Definitions, Scene, wait_until};
use relay_model::Counts;
use sandbox::dynamics365_sales::{ContactChange, Endpoint, Fault, Guid};
use sandbox::faults::FaultKind;
use serde_json::json;
use std::collections::BTreeSet;

/// Longer than any test waits: the worker never gets this response.
const NEVER_MS: u64 = 120_000;
/// The name of the segment, and therefore of the list, in every organisation.
const LIST: &str = "Readers";

/// Contacts, one of them with an id that is not a GUID.
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

/// Kills a function as soon as Dynamics processes a call with this fault.
async fn kill_in_mid_call(organisation: &Organisation<'_>, function: &str, fault: Fault) {
    organisation.add_fault(fault);
    wait_until("a call is under way", async || organisation.faults().is_empty()).await;
    organisation.scene.kill(function);
}

pub(crate) async fn killed_workers(scene: &Scene) {
    let (organisation, job) = ready(scene, "dynamics_killed").await;
    let (calm_organisation, calm) = ready(scene, "dynamics_calm").await;
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 498, rejected: 1, skipped: 1, ..Counts::default() });
    let run_id = job.start().await;
    // Members are added but the response is lost: for the first hundred, and again in the next attempt.
    for every in [1, 3] {
        let fault = Fault::once(Endpoint::AddListMembers, FaultKind::DelayAfter(NEVER_MS)).every(every);
        kill_in_mid_call(&organisation, "push-dynamics365-sales", fault).await;
    }
    let finished = job.wait_for(run_id).await;
    finished.is_as(&expected);
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
    let finished = job.wait_for(run_id).await;
    finished.is_as(&expected);
    assert_eq!(members(&organisation), members(&calm_organisation));
    assert_eq!(organisation.report().members.removed, 90, "no member is removed twice");
    assert_eq!(dead_letters(scene).await, 0);
}

pub(crate) async fn doubled_messages(scene: &Scene) -> Delivered<'_> {
    let (organisation, job) = ready(scene, "dynamics_doubled").await;
    let (calm_organisation, calm) = ready(scene, "dynamics_calm").await;
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 498, rejected: 1, skipped: 1, ..Counts::default() });
    // The second message of each batch arrives while a worker processes the first one.
    let fault = Fault::once(Endpoint::AddListMembers, FaultKind::DelayAfter(700)).times(3);
    organisation.add_fault(fault);
    let finished = doubling(scene, Box::pin(job.run())).await;
    finished.is_as(&expected);
    assert_eq!(members(&organisation), members(&calm_organisation));

    for job in [&job, &calm] {
        upload(job, contacts(30..520)).await;
    }
    let expected = calm.run().await;
    expected.succeeded(Counts { added: 20, removed: 29, unchanged: 469, rejected: 1, ..Counts::default() });
    let finished = doubling(scene, Box::pin(job.run())).await;
    finished.is_as(&expected);
    assert_eq!(members(&organisation), members(&calm_organisation));
    let report = organisation.report().members;
    assert_eq!((report.added, report.already, report.removed), (518, 0, 29), "nothing is done twice");

    Delivered {
        calls: Box::new(move || organisation.all_calls() + calm_organisation.all_calls()),
        last_run: finished,
    }
}

pub(crate) async fn a_chunk_killed_while_it_creates_a_list(scene: &Scene) {
    let organisation = Organisation::open(scene, "made", 60).await;
    let mut job = organisation.job("newsletter");
    job.segment["id"] = json!("vip");
    job.segment["name"] = json!(LIST);
    job.export["segments"] = json!([{ "segment": "vip" }]);
    job.save().await;
    upload(&job, rows(0..60)).await;
    let run_id = job.start().await;
    // The first chunk is killed before Dynamics carries out its call, which happens later. The second chunk
    // creates the list meanwhile, and the response is lost.
    let making = |kind| Fault::once(Endpoint::CreateList, kind);
    kill_in_mid_call(&organisation, "chunk", making(FaultKind::DelayBefore(10_000))).await;
    kill_in_mid_call(&organisation, "chunk", making(FaultKind::DelayAfter(NEVER_MS))).await;
    let finished = job.wait_for(run_id).await;
    finished.succeeded(Counts { added: 60, ..Counts::default() });
    wait_until("the first call is carried out", async || organisation.calls(Endpoint::CreateList) > 0).await;
    assert_eq!((organisation.lists().len(), organisation.report().lists_created), (1, 1));
    let report = organisation.report();
    assert_eq!(report.calls[&Endpoint::CreateList].by_status, [(412, 1)].into());

    // The id of the list is derived from the ids of the export and the segment.
    let list = organisation.list_named(LIST);
    assert_eq!(list.list_id, Guid::parse("b7d5d32b-5575-8987-bae9-d73af557554f").unwrap());
    assert_eq!(organisation.on(list.list_id), guids(0..60));
    assert_eq!(dead_letters(scene).await, 0);
}
