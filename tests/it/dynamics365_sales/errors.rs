//! Errors of contacts and lists: no row is lost, and the reason is reported.

use super::organisation::{Organisation, guids, rows, upload};
use crate::support::messages::dead_letters;
use crate::support::{Scene, wait_until};
use local::cloud::Moment::{After, Before};
use relay_model::Counts;
use relay_model::run::RunState;
use sandbox::dynamics365_sales::{
    ApplicationChange, ApplicationUser, ContactChange, Endpoint, ForcedThrottle, Guid, Limit, ListChange,
    NewList, Poison, PoisonError, PoisonedCalls,
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_reported_and_requested_waits_are_kept() {
    let scene = Scene::open().await;
    tokio::join!(
        one_contact_fails_its_call(&scene),
        a_contact_is_deleted_after_the_snapshot(&scene),
        the_application_has_no_user(&scene),
        a_list_is_locked(&scene),
        a_list_is_deleted(&scene),
    );
    tokio::join!(a_wait_of_minutes_is_left_to_the_queue(&scene), a_run_is_prepared_after_a_wait(&scene));
    assert_eq!(dead_letters(&scene).await, 0);
}

async fn one_contact_fails_its_call(scene: &Scene) {
    let organisation = Organisation::open(scene, "poison", 200).await;
    let poison = Poison { error: PoisonError::PlugIn, calls: PoisonedCalls::Adding };
    organisation.poison(Guid::numbered(7), poison);
    let job = organisation.job("poison");
    job.save().await;
    upload(&job, rows(0..200)).await;
    let finished = job.run().await;
    finished.succeeded(Counts { added: 199, rejected: 1, ..Counts::default() });
    let list = organisation.list_named("poison").list_id;
    assert_eq!(organisation.on(list), guids((0..200).filter(|number| *number != 7)));
}

async fn a_contact_is_deleted_after_the_snapshot(scene: &Scene) {
    let organisation = Organisation::open(scene, "gone", 50).await;
    let job = organisation.job("gone");
    job.save().await;
    upload(&job, rows(0..50)).await;
    let manifest = scene.hold(Before, "s3", "PUT Object", "/gone.json").await;
    let run_id = job.start().await;
    scene.held(manifest).await;
    organisation.change_contact(Guid::numbered(3), ContactChange::Delete).unwrap();
    scene.cloud.release(manifest).await.unwrap();
    let finished = job.wait_for(run_id).await;
    finished.succeeded(Counts { added: 49, skipped: 1, ..Counts::default() });
    assert_eq!((finished.because("not_in_sales"), organisation.contacts()), (1, 49));
}

async fn the_application_has_no_user(scene: &Scene) {
    let organisation = Organisation::open(scene, "no_user", 20).await;
    let user = |user| {
        let client = organisation.application.client_id;
        organisation.change_application(client, ApplicationChange::User(user)).unwrap();
    };
    user(ApplicationUser::Missing);
    let job = organisation.job("no_user");
    job.save().await;
    upload(&job, rows(0..20)).await;
    job.run().await.failed("permission_missing", &["create an application user"]);
    assert_eq!(organisation.lists().len(), 0);
    user(ApplicationUser::WithLeastPrivileges);
    job.run().await.succeeded(Counts { added: 20, ..Counts::default() });
}

async fn a_list_is_locked(scene: &Scene) {
    let organisation = Organisation::open(scene, "locked", 500).await.members_a_call(100);
    let list = organisation.create_list(NewList { name: "locked".into(), ..NewList::default() }).unwrap();
    let mut job = organisation.job("locked");
    job.export["segments"] = json!([{ "segment": "locked", "target_list": list.to_string() }]);
    job.save().await;
    upload(&job, rows(0..500)).await;
    organisation.owner(list, ListChange::Lock, 2);
    let finished = job.run().await;
    finished.failed("destination_busy", &["is locked", "the next run"]);
    assert_eq!(finished.report.counts, Counts { added: 200, deferred: 300, ..Counts::default() });
    organisation.owner(list, ListChange::Unlock, 0);
    job.run().await.succeeded(Counts { added: 300, unchanged: 200, ..Counts::default() });
    assert_eq!(organisation.on(list), guids(0..500));
}

async fn a_list_is_deleted(scene: &Scene) {
    let organisation = Organisation::open(scene, "deleted", 6_000).await;
    let list = |name: &str| {
        organisation.create_list(NewList { name: name.to_owned(), ..NewList::default() }).unwrap()
    };
    let (gone, stays) = (list("gone"), list("stays"));
    let other = organisation.job("stays");
    other.save().await;
    upload(&other, rows(0..6_000)).await;
    let mut job = organisation.job("deleted");
    job.export["segments"] = json!([
        { "segment": "deleted", "target_list": gone.to_string() },
        { "segment": "stays", "target_list": stays.to_string() },
    ]);
    job.save().await;
    upload(&job, rows(0..600)).await;
    organisation.owner(gone, ListChange::Delete, 1);
    let finished = job.run().await;
    finished.failed("list_missing", &["was deleted"]);
    // The two batches of the other list are delivered.
    assert_eq!(organisation.on(stays), guids(0..6_000));
    assert_eq!(finished.report.targets[1].counts, Counts { added: 6_000, ..Counts::default() });
}

async fn a_wait_of_minutes_is_left_to_the_queue(scene: &Scene) {
    let organisation = Organisation::open(scene, "wait", 50).await;
    let job = organisation.job("wait");
    job.save().await;
    upload(&job, rows(0..50)).await;
    organisation.force_throttle(ForcedThrottle {
        matches: Endpoint::AddListMembers,
        limit: Limit::ExecutionTime,
        retry_after_seconds: 240,
        times: 1,
    });
    let put_back = scene.hold(After, "sqs", "ChangeMessageVisibility", "\"VisibilityTimeout\":240").await;
    let run_id = job.start().await;
    scene.held(put_back).await;
    // The run shows the throttled call, and has not finished.
    let run = scene.run(run_id).await.unwrap();
    assert_eq!((run.state, run.throttled, run.batches_open), (RunState::Pushing, 1, 1));
    assert_eq!(organisation.calls(Endpoint::AddListMembers), 1);
    let calls = organisation.all_calls();
    scene.cloud.release(put_back).await.unwrap();
    // The message stays hidden from other workers.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(organisation.all_calls(), calls);
}

async fn a_run_is_prepared_after_a_wait(scene: &Scene) {
    let organisation = Organisation::open(scene, "wait_first", 50).await;
    let job = organisation.job("wait_first");
    job.save().await;
    upload(&job, rows(0..50)).await;
    // The wait is longer than the connector's own retries and than the backoff of a failed step.
    organisation.force_throttle(ForcedThrottle {
        matches: Endpoint::List,
        limit: Limit::Requests,
        retry_after_seconds: 12,
        times: 1,
    });
    let run_id = job.start().await;
    wait_until("the call is refused", async || organisation.report().throttled_on_request == 1).await;
    let calls = organisation.all_calls();
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    assert_eq!(organisation.all_calls(), calls, "the wait is not undercut");
    job.wait_for(run_id).await.succeeded(Counts { added: 50, ..Counts::default() });
    assert_eq!(organisation.on(organisation.list_named("wait_first").list_id), guids(0..50));
}
