//! Runs to Dynamics with errors, for the search for personal data, contact ids and secrets.

use super::organisation::Organisation;
use crate::support::leaks::SearchedRuns;
use crate::support::{FinishedRun, Scene};
use fastrand::Rng;
use local::demo::People;
use relay_model::run::RunState;
use sandbox::dynamics365_sales::{
    ApplicationChange, Endpoint, Fault, ForcedThrottle, Guid, Limit, Poison, PoisonError, PoisonedCalls,
};
use sandbox::faults::FaultKind;
use serde_json::json;

pub(crate) async fn runs_with_errors(scene: &Scene) -> SearchedRuns {
    // Some contacts do not exist.
    let organisation = Organisation::open(scene, "dynamics_private", 380).await.members_a_call(50);
    let people = People::new(400, &mut Rng::with_seed(7)).persons;
    let mut job = organisation.job("dynamics_private");
    job.source["format"] = json!("parquet");
    job.segment["query"] =
        json!("SELECT customer_id, contact_id, email, name FROM dynamics_private WHERE newsletter");
    job.ready(&people).await;
    // Errors are injected, because most log lines and texts report errors.
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
    let mut runs: Vec<FinishedRun> = vec![job.run().await];
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

    for finished in &runs[..2] {
        assert_eq!(finished.run.state, RunState::Succeeded, "{:?}", finished.run.failure);
    }
    let first = &runs[0];
    assert!(first.report.counts.added > 0 && first.because("not_in_sales") > 0, "{:?}", first.report.reasons);
    assert!(first.because("match_key_not_a_guid") > 0, "{:?}", first.report.reasons);
    assert!(runs[1].report.counts.removed > 0);
    runs[2].failed("authentication_failed", &["secret"]);
    let keys = vec![application.client_secret.clone()];
    SearchedRuns { people, keys, runs, places: Vec::new() }
}
