//! Killed push workers and doubled messages: the same result as without.

use super::account::Account;
use crate::canceling::cancel;
use crate::doubled_messages::Delivered;
use crate::support::messages::{dead_letters, doubling};
use crate::support::{Definitions, FinishedRun, Scene, emails, persons, wait_until};
use relay_model::Counts;
use sandbox::faults::FaultKind;
use sandbox::marketo::{Endpoint, Fault, ImportTrouble};
use serde_json::json;

/// Longer than any test waits, at any time scale: the worker never gets this response.
const NEVER_MS: u64 = 10_000_000;

/// Kills the push worker as soon as Marketo processes a call with this fault.
async fn kill_in_mid_call(account: &Account<'_>, fault: Fault) {
    account.add_fault(fault);
    wait_until("a call is under way", async || account.faults().is_empty()).await;
    account.scene.kill("push-marketo");
}

pub(crate) async fn killed_workers(scene: &Scene) {
    workers_killed_during_calls(scene).await;
    workers_killed_during_imports(scene).await;
}

async fn workers_killed_during_calls(scene: &Scene) {
    let account = Account::open(scene, "marketo_killed").await;
    let mut job = account.job("marketo_killed");
    let mut people = persons(2_000);
    people[7].email = Some("broken@".to_owned());
    job.ready(&people).await;
    let run_id = job.start().await;
    // The response to a write is lost; in the next attempt the response to an addition to the list is lost.
    kill_in_mid_call(&account, Fault::once(Endpoint::SyncLeads, FaultKind::DelayAfter(NEVER_MS))).await;
    kill_in_mid_call(&account, Fault::once(Endpoint::AddMembers, FaultKind::DelayAfter(NEVER_MS))).await;
    job.wait_for(run_id).await.succeeded(Counts { added: 1_999, rejected: 1, ..Counts::default() });
    let expected = emails(people.iter().filter(|person| person.id != "P0000008"));
    assert_eq!((account.on("marketo_killed"), account.lead_count()), (expected, 1_999));

    for left in &mut people[100..500] {
        left.newsletter = false;
    }
    job.export["guard"] = json!({ "removed_percent": 50 });
    job.ready(&people).await;
    let run_id = job.start().await;
    kill_in_mid_call(&account, Fault::once(Endpoint::RemoveMembers, FaultKind::DelayAfter(NEVER_MS))).await;
    let finished = job.wait_for(run_id).await;
    finished.succeeded(Counts { removed: 400, unchanged: 1_599, rejected: 1, ..Counts::default() });
    let expected = emails(people.iter().filter(|person| person.id != "P0000008"));
    assert_eq!((account.on("marketo_killed"), account.lead_count()), (expected, 1_999));
    assert_eq!(account.report().members_removed, 400, "no member is removed twice");
    assert_eq!(dead_letters(scene).await, 0);
}

async fn workers_killed_during_imports(scene: &Scene) {
    let account = Account::open(scene, "marketo_killed_imports").await.lanes(2);
    let mut job = account.job("marketo_killed_imports");
    job.export["options"]["push"] = json!("bulk_import");
    let people = persons(1_000);
    job.ready(&people).await;
    let run_id = job.start().await;
    // The response to an upload of a file is lost; in the next attempt the response to a poll is lost.
    kill_in_mid_call(&account, Fault::once(Endpoint::Import, FaultKind::DelayAfter(NEVER_MS))).await;
    kill_in_mid_call(&account, Fault::once(Endpoint::ImportStatus, FaultKind::DelayAfter(NEVER_MS))).await;
    job.wait_for(run_id).await.succeeded(Counts { added: 1_000, ..Counts::default() });
    assert_eq!((account.on("marketo_killed_imports"), account.lead_count()), (emails(&people), 1_000));
    job.run().await.succeeded(Counts { unchanged: 1_000, ..Counts::default() });
    assert_eq!(dead_letters(scene).await, 0);
}

pub(crate) async fn canceling_reports_an_accepted_import(scene: &Scene) {
    let account = Account::open(scene, "accepted").await.lanes(1);
    let mut job = account.job("accepted");
    job.export["options"]["push"] = json!("bulk_import");
    let people = persons(400);
    job.ready(&people).await;
    account.trouble_import(ImportTrouble::NeverEnds);
    let run_id = job.start().await;
    wait_until("the import is looked after", async || account.calls(Endpoint::ImportStatus) > 0).await;
    cancel(scene, run_id).await;
    let finished = job.wait_for(run_id).await;
    finished.canceled(Counts { deferred: 400, ..Counts::default() });
    let notices = finished.report.notices.join("\n");
    assert!(notices.contains("1 jobs with 400 rows had been accepted"), "{notices}");
    // The next run delivers all people, whatever the import still does.
    job.export["options"]["push"] = json!("sync");
    job.save().await;
    job.run().await.succeeded(Counts { added: 400, ..Counts::default() });
    assert_eq!((account.on("accepted"), account.lead_count()), (emails(&people), 400));
    assert_eq!(dead_letters(scene).await, 0);
}

pub(crate) async fn doubled_messages(scene: &Scene) -> Delivered<'_> {
    let account = Account::open(scene, "marketo_doubled").await;
    let mut by_files = account.job("marketo_doubled_files");
    by_files.export["options"]["push"] = json!("bulk_import");
    let by_calls = account.job("marketo_doubled");
    let mut people = persons(800);
    people[7].email = Some("broken@".to_owned());
    let mut last: Option<FinishedRun> = None;
    for job in [&by_calls, &by_files] {
        let mut people = people.clone();
        job.ready(&people).await;
        let finished = doubling(scene, Box::pin(job.run())).await;
        finished.succeeded(Counts { added: 799, rejected: 1, ..Counts::default() });
        people.truncate(750);
        job.upload(&people).await;
        let finished = doubling(scene, Box::pin(job.run())).await;
        finished.succeeded(Counts { removed: 50, unchanged: 749, rejected: 1, ..Counts::default() });
        on_the_list(&account, job, 749);
        last = Some(finished);
    }
    assert_eq!(account.lead_count(), 799);

    Delivered { calls: Box::new(move || account.all_calls()), last_run: last.unwrap() }
}

fn on_the_list(account: &Account<'_>, job: &Definitions<'_>, expected: usize) {
    let list = account.on(&job.name);
    assert_eq!(list.len(), expected);
    assert!(!list.contains("person751@mail.example.com"));
}
