//! Requests about one person (GDPR): export of the stored data, erasure, and the exclusions that an erasure leaves.

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

/// The longest accepted key, in bytes.
const MAX_KEY_BYTES: usize = 1_024;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(request))
        .routes(routes!(read))
        .routes(routes!(erasures))
        .routes(routes!(lift))
}

/// A request about one person, who is identified by exactly one of the two keys.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPersonRequest {
    /// Export or erasure.
    kind: PersonRequestKind,
    /// The member key: the customer id in the lake.
    #[schema(min_length = 1, max_length = 1024)]
    member_key: Option<String>,
    /// An e-mail address or another match key. It identifies every person who has it at a destination, in an upload or in
    /// rejected rows.
    #[schema(min_length = 1, max_length = 1024)]
    match_key: Option<String>,
}

/// A person request that was accepted.
#[derive(Debug, Serialize, ToSchema)]
struct StartedPersonRequest {
    /// The request; its progress is at `/person-requests/{id}`.
    request_id: PersonRequestId,
}

/// Requests an export of all data stored about one person (`export`), or their erasure (`erasure`): removal from every list,
/// exclusion from later runs, and deletion of stored data. Only the body identifies the person.
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

/// Returns the person that a request identifies. Errors never contain the keys.
fn person(new: NewPersonRequest) -> Result<Person, Problem> {
    let malformed = |field: &str, problem: &str| Problem::field("person_malformed", field, problem);
    let (person, field, key) = match (new.member_key, new.match_key) {
        (Some(key), None) => (Person::MemberKey(MemberKey(key.clone())), "/member_key", key),
        (None, Some(key)) => (Person::MatchKey(MatchKey(key.clone())), "/match_key", key),
        _ => return Err(malformed("/member_key", "identify the person by either member_key or match_key")),
    };
    if key.trim().is_empty() {
        return Err(malformed(field, "must not be empty"));
    }
    if key.len() > MAX_KEY_BYTES {
        return Err(malformed(field, "must have at most 1024 bytes"));
    }
    Ok(person)
}

/// The progress and the result of a person request.
#[derive(Debug, Serialize, ToSchema)]
struct ShownPersonRequest {
    /// The request.
    request: PersonRequestState,
    /// The runs that an erasure has requested, with their states.
    runs: Vec<AskedRun>,
    /// A link to the exported data as JSON. It expires after 15 minutes and needs no token.
    found: Option<Link>,
}

/// A run that removes the person from target lists.
#[derive(Debug, Serialize, ToSchema)]
struct AskedRun {
    /// The export.
    export: ExportId,
    /// The run.
    run_id: RunId,
    /// Its state; null if the run has expired.
    state: Option<RunState>,
    /// The run that it waits for. That run may be held.
    waits_for: Option<RunAhead>,
}

/// A run that another one waits for.
#[derive(Debug, Serialize, ToSchema)]
struct RunAhead {
    /// The run.
    run_id: RunId,
    /// Its state.
    state: RunState,
}

/// Returns the progress and the result of a person request. It is kept for 7 days and does not identify the person.
#[utoipa::path(get, path = "/person-requests/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = ShownPersonRequest), Problems))]
async fn read(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<ShownPersonRequest>, Problem> {
    let malformed =
        |_| Problem::new(StatusCode::BAD_REQUEST, "id_malformed", "the id of a person request is a UUID");
    let request_id: PersonRequestId = id.parse().map_err(malformed)?;
    let Some(request) = api.people.state(request_id).await? else {
        let detail = format!("there is no person request {request_id}; requests expire after 7 days");
        return Err(Problem::new(StatusCode::NOT_FOUND, "request_missing", detail));
    };
    let runs = requested_runs(&api, &request).await?;
    let is_found = request.kind == PersonRequestKind::Export && request.state == RequestPhase::Succeeded;
    let found = if is_found {
        let link =
            link_to(&api.engine.objects, &request_id.found_key(), &format!("{request_id}.json")).await?;
        api.record(&caller, AuditAction::DownloadPerson, "person_request", &request_id.to_string(), None)
            .await?;
        Some(link)
    } else {
        None
    };
    Ok(Json(ShownPersonRequest { request, runs, found }))
}

/// Returns the runs that an erasure has requested: at most one for each export.
async fn requested_runs(api: &Api, request: &PersonRequestState) -> Result<Vec<AskedRun>, Problem> {
    let asked = request.places.iter().filter_map(|place| place.export.clone().zip(place.asked_run()));
    let asked: BTreeMap<ExportId, RunId> = asked.collect();
    let mut runs = Vec::with_capacity(asked.len());
    for (export, run_id) in asked {
        let state = match api.requests.ledger.run(run_id).await {
            Ok(run) => Some(run.state),
            Err(LedgerError::RunMissing(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let waits_for = match state {
            Some(RunState::Waiting) => active_run(api, &export).await?,
            _ => None,
        };
        runs.push(AskedRun { export, run_id, state, waits_for });
    }
    Ok(runs)
}

async fn active_run(api: &Api, export: &ExportId) -> Result<Option<RunAhead>, Problem> {
    let Some(run_id) = api.requests.ledger.active_run(export).await? else { return Ok(None) };
    let state = api.requests.ledger.run(run_id).await?.state;
    Ok(Some(RunAhead { run_id, state }))
}

/// One page of the people who are excluded.
#[derive(Debug, Serialize, ToSchema)]
struct Erasures {
    /// How many people are excluded.
    kept_out: u64,
    /// Their exclusions: digests of member keys, which only the functions can compute.
    items: Vec<Exclusion>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

/// Lists the people who are excluded from every run, preview and snapshot because they were erased.
#[utoipa::path(get, path = "/erasures", tag = "people", params(Page),
    responses((status = 200, body = Erasures), Problems))]
async fn erasures(State(api): State<Api>, page: Page) -> Result<Json<Erasures>, Problem> {
    let ledger = &api.requests.ledger;
    let (items, next_cursor) = ledger.exclusions(page.limit, page.cursor.as_deref()).await?;
    let kept_out = ledger.excluded_people().await?;
    Ok(Json(Erasures { kept_out, items, next_cursor }))
}

/// Lifts the exclusion of a person who is a customer again. The next run exports them if the lake still has them.
#[utoipa::path(delete, path = "/erasures/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 204, description = "The exclusion was lifted"), Problems))]
async fn lift(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let malformed =
        |error: NoExclusionId| Problem::new(StatusCode::BAD_REQUEST, "id_malformed", error.to_string());
    let id: ExclusionId = id.parse().map_err(malformed)?;
    if !api.requests.ledger.lift_exclusion(id).await? {
        let detail = format!("there is no exclusion {id}");
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
