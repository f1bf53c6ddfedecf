//! The rights of one person: what is kept about them, and forgetting them.

use crate::Api;
use crate::caller::Caller;
use crate::extract::{Body, Page, RequestKey};
use crate::links::{Link, link_to};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use relay_cloud::AuditAction;
use relay_cloud::ledger::LedgerError;
use relay_cloud::timestamp_now;
use relay_model::privacy::{
    Exclusion, ExclusionId, NoExclusionId, Person, PersonRequest, PersonRequestId, PersonRequestKind,
    PersonRequestState, RequestPhase,
};
use relay_model::run::{RunState, StopCode};
use relay_model::{ExportId, MatchKey, MemberKey, RunId};
use relay_pipeline::StageError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The longest key that is taken, in bytes.
const MAX_KEY_BYTES: usize = 1_024;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(request))
        .routes(routes!(read))
        .routes(routes!(erasures))
        .routes(routes!(lift))
}

/// What is asked for one person. Exactly one of the two keys says who is meant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPersonRequest {
    /// What is asked for.
    kind: PersonRequestKind,
    /// The member key: the customer id in the lake.
    #[schema(min_length = 1, max_length = 1024)]
    member_key: Option<String>,
    /// An e-mail address or another match key: everybody is meant who has it at a destination, in an upload or among
    /// rejected rows.
    #[schema(min_length = 1, max_length = 1024)]
    match_key: Option<String>,
}

/// A request that was made.
#[derive(Debug, Serialize, ToSchema)]
struct StartedPersonRequest {
    /// The request; how far it is, is at `/person-requests/{id}`.
    request_id: PersonRequestId,
}

/// Asks for everything that is kept about one person (`export`), or has them taken off every list, kept out from then on
/// and forgotten (`erasure`). Who is meant stands in the body only.
#[utoipa::path(post, path = "/person-requests", tag = "people", params(("Idempotency-Key" = Option<String>, Header)),
    request_body = NewPersonRequest,
    responses((status = 202, body = StartedPersonRequest), Problems))]
async fn request(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RequestKey(key): RequestKey,
    Body(new): Body<NewPersonRequest>,
) -> Result<(StatusCode, Json<StartedPersonRequest>), Problem> {
    let now = timestamp_now();
    let kind = new.kind;
    let request = PersonRequest { kind, person: person(new)?, by: caller.display_id(), at: now };
    let key = key.map(|key| format!("{}/{key}", caller.display_id()));
    let request_id = match api.people.request(&request, key.as_deref(), now).await {
        Ok(request_id) => request_id,
        Err(StageError::Stop { code: code @ StopCode::IdempotencyKeyReused, text }) => {
            return Err(Problem::new(StatusCode::CONFLICT, code.as_str(), text));
        }
        Err(error) => return Err(error.into()),
    };
    let action = match kind {
        PersonRequestKind::Export => AuditAction::ExportPerson,
        PersonRequestKind::Erasure => AuditAction::ErasePerson,
    };
    api.record(&caller, action, "person_request", &request_id.to_string(), None).await?;
    Ok((StatusCode::ACCEPTED, Json(StartedPersonRequest { request_id })))
}

/// Who is meant. What is wrong is told without the keys.
fn person(new: NewPersonRequest) -> Result<Person, Problem> {
    let malformed = |field: &str, problem: &str| Problem::field("person_malformed", field, problem);
    let (person, field, key) = match (new.member_key, new.match_key) {
        (Some(key), None) => (Person::MemberKey(MemberKey(key.clone())), "/member_key", key),
        (None, Some(key)) => (Person::MatchKey(MatchKey(key.clone())), "/match_key", key),
        _ => return Err(malformed("/member_key", "say who is meant: either member_key or match_key")),
    };
    if key.trim().is_empty() {
        return Err(malformed(field, "must not be empty"));
    }
    if key.len() > MAX_KEY_BYTES {
        return Err(malformed(field, "must have at most 1024 bytes"));
    }
    Ok(person)
}

/// How far a request is, and what it came to.
#[derive(Debug, Serialize, ToSchema)]
struct ShownPersonRequest {
    /// The request.
    request: PersonRequestState,
    /// The runs that an erasure has asked for, and where they are now.
    runs: Vec<AskedRun>,
    /// What an export has found, as JSON, for 15 minutes: whoever has the link may fetch it.
    found: Option<Link>,
}

/// A run that takes somebody off their lists.
#[derive(Debug, Serialize, ToSchema)]
struct AskedRun {
    /// Of which export.
    export: ExportId,
    /// The run.
    run_id: RunId,
    /// Where it is; null where it is no longer known.
    state: Option<RunState>,
    /// The run that it waits for, which may be held.
    waits_for: Option<RunAhead>,
}

/// A run that another one waits for.
#[derive(Debug, Serialize, ToSchema)]
struct RunAhead {
    /// The run.
    run_id: RunId,
    /// Where it is.
    state: RunState,
}

/// How far a request is, and what it came to. It is kept for 7 days, and says nothing of the person itself.
#[utoipa::path(get, path = "/person-requests/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = ShownPersonRequest), Problems))]
async fn read(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<ShownPersonRequest>, Problem> {
    let malformed = |_| Problem::new(StatusCode::BAD_REQUEST, "id_malformed", "a request's id is a UUID");
    let request_id: PersonRequestId = id.parse().map_err(malformed)?;
    let Some(request) = api.people.state(request_id).await? else {
        let detail =
            format!("request {request_id} was never made, or it is gone: a request is kept for 7 days");
        return Err(Problem::new(StatusCode::NOT_FOUND, "request_missing", detail));
    };
    let runs = api.asked_runs(&request).await?;
    let is_found = request.kind == PersonRequestKind::Export && request.state == RequestPhase::Succeeded;
    let found = if is_found {
        let link =
            link_to(&api.previews.objects, &request_id.found_key(), &format!("{request_id}.json")).await?;
        api.record(&caller, AuditAction::DownloadPerson, "person_request", &request_id.to_string(), None)
            .await?;
        Some(link)
    } else {
        None
    };
    Ok(Json(ShownPersonRequest { request, runs, found }))
}

impl Api {
    /// Each export has one run at the most.
    async fn asked_runs(&self, request: &PersonRequestState) -> Result<Vec<AskedRun>, Problem> {
        let asked = request.places.iter().filter_map(|place| place.export.clone().zip(place.asked_run()));
        let asked: BTreeMap<ExportId, RunId> = asked.collect();
        let mut runs = Vec::with_capacity(asked.len());
        for (export, run_id) in asked {
            let state = match self.requests.ledger.run(run_id).await {
                Ok(run) => Some(run.state),
                Err(LedgerError::RunMissing(_)) => None,
                Err(error) => return Err(error.into()),
            };
            let waits_for = match state {
                Some(RunState::Waiting) => self.run_ahead(&export).await?,
                _ => None,
            };
            runs.push(AskedRun { export, run_id, state, waits_for });
        }
        Ok(runs)
    }

    async fn run_ahead(&self, export: &ExportId) -> Result<Option<RunAhead>, Problem> {
        let Some(run_id) = self.requests.ledger.active_run(export).await? else { return Ok(None) };
        let state = self.requests.ledger.run(run_id).await?.state;
        Ok(Some(RunAhead { run_id, state }))
    }
}

/// Those who are kept out.
#[derive(Debug, Serialize, ToSchema)]
struct Erasures {
    /// How many.
    kept_out: u64,
    /// What stands for them: digests of their member keys that only the functions can make.
    items: Vec<Exclusion>,
    /// Where to go on; null at the end.
    next_cursor: Option<String>,
}

/// Who is kept out of every run, preview and snapshot, because they were erased.
#[utoipa::path(get, path = "/erasures", tag = "people", params(Page),
    responses((status = 200, body = Erasures), Problems))]
async fn erasures(State(api): State<Api>, page: Page) -> Result<Json<Erasures>, Problem> {
    let ledger = &api.requests.ledger;
    let (items, next_cursor) = ledger.exclusions(page.limit, page.cursor.as_deref()).await?;
    let kept_out = ledger.excluded_people().await?;
    Ok(Json(Erasures { kept_out, items, next_cursor }))
}

/// Lets somebody in again, who is a customer once more: where the lake still has them, the next run brings them.
#[utoipa::path(delete, path = "/erasures/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 204, description = "They are let in again"), Problems))]
async fn lift(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let malformed =
        |error: NoExclusionId| Problem::new(StatusCode::BAD_REQUEST, "id_malformed", error.to_string());
    let id: ExclusionId = id.parse().map_err(malformed)?;
    if !api.requests.ledger.lift_exclusion(id).await? {
        let detail = format!("nobody who is kept out has the id {id}");
        return Err(Problem::new(StatusCode::NOT_FOUND, "erasure_missing", detail));
    }
    api.record(&caller, AuditAction::LiftErasure, "erasure", &id.to_string(), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(member_key: Option<&str>, match_key: Option<&str>, expected: Result<Person, &str>) {
        let own = |key: Option<&str>| key.map(str::to_owned);
        let kind = PersonRequestKind::Export;
        let found = person(NewPersonRequest { kind, member_key: own(member_key), match_key: own(match_key) });
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert!(found == expected),
            (Err(problem), Err(expected)) => {
                let problem = format!("{problem:?}");
                assert!(problem.contains(expected), "{problem}");
                assert!(!member_key.is_some_and(|key| key.len() > 9 && problem.contains(key)), "{problem}");
            }
            (found, _) => panic!("{:?}", found.err()),
        }
    }

    #[test]
    fn exactly_one_key_says_who_is_meant() {
        check(Some("c1"), None, Ok(Person::MemberKey(MemberKey("c1".to_owned()))));
        check(None, Some("a@b.c"), Ok(Person::MatchKey(MatchKey("a@b.c".to_owned()))));
        check(None, None, Err("either member_key or match_key"));
        check(Some("customer-4711"), Some("a@b.c"), Err("either member_key or match_key"));
        check(Some(" "), None, Err("must not be empty"));
        check(Some(&"x".repeat(1_025)), None, Err("at most 1024 bytes"));
    }
}
