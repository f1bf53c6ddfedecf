//! Push workers that die and messages that come twice: the same end as without.

use super::account::Account;
use crate::canceling::cancel;
use crate::support::messages::{Sent, dead_letters, doubling, queues_are_empty};
use crate::support::{Definitions, Over, Scene, emails, persons, wait_until};
use relay_model::Counts;
use sandbox::faults::FaultKind;
use sandbox::marketo::{Endpoint, Fault, ImportTrouble};
use serde_json::json;

/// Longer than any test waits for it, at any scale: the worker never sees this answer.
const NEVER_MS: u64 = 10_000_000;

/// A world in which the message of a dead worker is delivered again soon.
async fn open() -> Scene {
    Scene::open_with(|options| options.timeouts("Push", 40, 4)).await
}

/// Ends the push worker as nothing can prevent, as soon as Marketo has begun with a call that goes wrong.
async fn kill_in_mid_call(account: &Account<'_>, fault: Fault) {
    account.add_fault(fault);
    wait_until("a call is under way", async || account.faults().is_empty()).await;
    account.scene.kill("push-marketo");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_in_mid_sync_changes_nothing() {
    let scene = open().await;
    let account = Account::open(&scene, "killed").await;
    let mut job = account.job("killed");
    let mut people = persons(2_000);
    people[7].email = Some("broken@".to_owned());
    job.ready(&people).await;
    let run_id = job.start().await;
    // People are written, and nobody has heard of it; then others are put on the list, and nobody has heard of it.
    kill_in_mid_call(&account, Fault::once(Endpoint::SyncLeads, FaultKind::DelayAfter(NEVER_MS))).await;
    kill_in_mid_call(&account, Fault::once(Endpoint::AddMembers, FaultKind::DelayAfter(NEVER_MS))).await;
    job.over(run_id).await.succeeded(Counts { added: 1_999, rejected: 1, ..Counts::default() });
    let expected = emails(people.iter().filter(|person| person.id != "P0000008"));
    assert_eq!((account.on("killed"), account.lead_count()), (expected, 1_999));

    for left in &mut people[100..500] {
        left.newsletter = false;
    }
    job.export["guard"] = json!({ "removed_percent": 50 });
    job.ready(&people).await;
    let run_id = job.start().await;
    kill_in_mid_call(&account, Fault::once(Endpoint::RemoveMembers, FaultKind::DelayAfter(NEVER_MS))).await;
    let over = job.over(run_id).await;
    over.succeeded(Counts { removed: 400, unchanged: 1_599, rejected: 1, ..Counts::default() });
    let expected = emails(people.iter().filter(|person| person.id != "P0000008"));
    assert_eq!((account.on("killed"), account.lead_count()), (expected, 1_999));
    assert_eq!(account.report().members_removed, 400, "nobody is taken off twice");
    assert_eq!(dead_letters(&scene).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_in_mid_import_changes_nothing() {
    let scene = open().await;
    let account = Account::open(&scene, "killed").await.lanes(2);
    let mut job = account.job("killed");
    job.export["options"]["push"] = json!("bulk_import");
    let people = persons(1_000);
    job.ready(&people).await;
    let run_id = job.start().await;
    // The file is taken, and nobody has heard of it; then an import is looked after, and nobody has heard of it.
    kill_in_mid_call(&account, Fault::once(Endpoint::Import, FaultKind::DelayAfter(NEVER_MS))).await;
    kill_in_mid_call(&account, Fault::once(Endpoint::ImportStatus, FaultKind::DelayAfter(NEVER_MS))).await;
    job.over(run_id).await.succeeded(Counts { added: 1_000, ..Counts::default() });
    assert_eq!((account.on("killed"), account.lead_count()), (emails(&people), 1_000));
    job.run().await.succeeded(Counts { unchanged: 1_000, ..Counts::default() });
    assert_eq!(dead_letters(&scene).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_was_accepted_is_told_of_when_its_run_is_canceled() {
    let scene = Scene::open().await;
    let account = Account::open(&scene, "accepted").await.lanes(1);
    let mut job = account.job("accepted");
    job.export["options"]["push"] = json!("bulk_import");
    let people = persons(400);
    job.ready(&people).await;
    account.trouble_import(ImportTrouble::NeverEnds);
    let run_id = job.start().await;
    wait_until("the import is looked after", async || account.calls(Endpoint::ImportStatus) > 0).await;
    cancel(&scene, run_id).await;
    let over = job.over(run_id).await;
    over.canceled(Counts { deferred: 400, ..Counts::default() });
    let notices = over.report.notices.join("\n");
    assert!(notices.contains("1 jobs with 400 rows had been accepted"), "{notices}");
    // Whatever the import still does, the next run brings everybody.
    job.export["options"]["push"] = json!("sync");
    job.save().await;
    job.run().await.succeeded(Counts { added: 400, ..Counts::default() });
    assert_eq!((account.on("accepted"), account.lead_count()), (emails(&people), 400));
    assert_eq!(dead_letters(&scene).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_come_twice_change_nothing() {
    let scene = Scene::open().await;
    let account = Account::open(&scene, "doubled").await;
    let mut by_files = account.job("doubled_files");
    by_files.export["options"]["push"] = json!("bulk_import");
    let by_calls = account.job("doubled");
    let mut people = persons(800);
    people[7].email = Some("broken@".to_owned());
    let mut last: Option<Over> = None;
    for job in [&by_calls, &by_files] {
        let mut people = people.clone();
        job.ready(&people).await;
        let over = doubling(&scene, Box::pin(job.run())).await;
        over.succeeded(Counts { added: 799, rejected: 1, ..Counts::default() });
        people.truncate(750);
        job.upload(&people).await;
        let over = doubling(&scene, Box::pin(job.run())).await;
        over.succeeded(Counts { removed: 50, unchanged: 749, rejected: 1, ..Counts::default() });
        on_the_list(&account, job, 749);
        last = Some(over);
    }
    assert_eq!(account.lead_count(), 799);

    // Long after, all of them once more: runs that are over stay as they are.
    let calls = account.all_calls();
    for sent in Sent::all(&scene) {
        sent.again(&scene, "late").await;
    }
    wait_until("all messages are handled", async || queues_are_empty(&scene).await).await;
    assert_eq!(account.all_calls(), calls);
    let last = last.unwrap();
    let again = Over::of(&scene, scene.run(last.run.run_id).await.unwrap()).await;
    assert_eq!((again.run, again.report), (last.run, last.report));
    assert_eq!(dead_letters(&scene).await, 0);
}

fn on_the_list(account: &Account<'_>, job: &Definitions<'_>, expected: usize) {
    let list = account.on(&job.name);
    assert_eq!(list.len(), expected);
    assert!(!list.contains("person751@mail.example.com"));
}
