//! Nothing about a person, no contact's id and no secret is anywhere but in the lake, the data bucket and Dynamics.

use super::organisation::Organisation;
use crate::support::messages::dead_letters;
use crate::support::privacy::Needles;
use crate::support::{Over, Scene};
use fastrand::Rng;
use local::demo::People;
use relay_model::run::RunState;
use sandbox::dynamics365_sales::{
    ApplicationChange, Endpoint, Fault, ForcedThrottle, Guid, Limit, Poison, PoisonError, PoisonedCalls,
};
use sandbox::faults::FaultKind;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_personal_and_no_secret_leaves_its_place() {
    let scene = Scene::open().await;
    // Some of the people's contacts are not there any more.
    let organisation = Organisation::open(&scene, "private", 380).await.members_a_call(50);
    let people = People::new(400, &mut Rng::with_seed(7)).persons;
    let mut job = organisation.job("private");
    job.source["format"] = json!("parquet");
    job.segment["query"] = json!("SELECT customer_id, contact_id, email, name FROM private WHERE newsletter");
    job.ready(&people).await;
    // Trouble is what makes programs talk.
    let kinds = [FaultKind::Status(500), FaultKind::BadJson, FaultKind::DropAfterProcessing];
    for kind in &kinds {
        organisation.add_fault(Fault::once(Endpoint::AddListMembers, kind.clone()));
    }
    for (number, error) in [(11, PoisonError::PlugIn), (23, PoisonError::Missing), (47, PoisonError::PlugIn)]
    {
        organisation.poison(Guid::numbered(number), Poison { error, calls: PoisonedCalls::Both });
    }
    organisation.force_throttle(ForcedThrottle {
        matches: Endpoint::Contacts,
        limit: Limit::Requests,
        retry_after_seconds: 1,
        times: 1,
    });
    let mut runs: Vec<Over> = vec![job.run().await];
    let mut fewer = people.clone();
    fewer.iter_mut().step_by(9).for_each(|person| person.newsletter = false);
    job.upload(&fewer).await;
    for kind in kinds {
        organisation.add_fault(Fault::once(Endpoint::RemoveListMembers, kind));
    }
    runs.push(job.run().await);
    let application = &organisation.application;
    organisation.change_application(application.client_id, ApplicationChange::SecretExpires).unwrap();
    organisation.change_application(application.client_id, ApplicationChange::TokensExpire).unwrap();
    job.upload(&people).await;
    runs.push(job.run().await);

    for over in &runs[..2] {
        assert_eq!(over.run.state, RunState::Succeeded, "{:?}", over.run.failure);
    }
    let first = &runs[0];
    assert!(first.report.counts.added > 0 && first.because("not_in_sales") > 0, "{:?}", first.report.reasons);
    assert!(first.because("match_key_not_a_guid") > 0, "{:?}", first.report.reasons);
    assert!(runs[1].report.counts.removed > 0);
    runs[2].failed("authentication_failed", &["secret"]);
    let secrets = [application.client_secret.as_str()];
    Needles::of(&people).and(secrets).are_nowhere(&scene, &runs, Vec::new()).await;
    assert_eq!(dead_letters(&scene).await, 0);
}
