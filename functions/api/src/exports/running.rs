//! Starts runs and dry runs of exports, and lists the runs of one export.

use super::usable_export;
use crate::Api;
use crate::caller::Caller;
use crate::extract::{Page, RequestKey};
use crate::problem::{Problem, Problems};
use crate::runs::RunList;
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use relay_cloud::AuditAction;
use relay_cloud::ledger::Requested;
use relay_cloud::timestamp_now;
use relay_model::run::{Trigger, TriggerKind};
use relay_model::{ExportId, RunId};
use relay_pipeline::Asked;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(history, start))
        .routes(routes!(dry_run))
        .routes(routes!(start_scheduled))
        .routes(routes!(refresh))
}

/// The result of a request for a run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StartedRun {
    /// The run that serves the request.
    pub(crate) run_id: RunId,
    /// The export.
    pub(crate) export_id: ExportId,
    /// How the run serves the request.
    pub(crate) request: RequestState,
}

/// How a run serves a request.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RequestState {
    /// The run starts now.
    Started,
    /// Another run is active; this one starts when it ends.
    Waiting,
    /// A run was already waiting and serves this request too.
    Merged,
    /// The same request was made before, with the same idempotency key.
    Repeated,
}

impl StartedRun {
    pub(crate) const fn new(export_id: ExportId, requested: Requested) -> Self {
        let request = match requested {
            Requested::Started(_) => RequestState::Started,
            Requested::Waiting(_) => RequestState::Waiting,
            Requested::Merged(_) => RequestState::Merged,
            Requested::Repeated(_) => RequestState::Repeated,
        };
        Self { run_id: requested.run_id(), export_id, request }
    }
}

fn on_demand(caller: &Caller, key: RequestKey) -> Trigger {
    Trigger::new(TriggerKind::OnDemand, format!("on-demand/{}", key.or_new())).by(Some(caller.display_id()))
}

/// Starts a run of an export, with or without a schedule.
#[utoipa::path(post, path = "/exports/{id}/runs", tag = "runs",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = StartedRun), Problems))]
async fn start(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    key: RequestKey,
) -> Result<(StatusCode, Json<StartedRun>), Problem> {
    let export_id = ExportId::try_from(id)?;
    usable_export(&api, &caller, &export_id).await?;
    let requested = api.requests.start(&export_id, on_demand(&caller, key), timestamp_now()).await?;
    let run = json!({ "run_id": requested.run_id() });
    api.record(&caller, AuditAction::StartRun, "export", export_id.as_str(), Some(run)).await?;
    Ok((StatusCode::ACCEPTED, Json(StartedRun::new(export_id, requested))))
}

/// Lists the runs of an export, newest first.
#[utoipa::path(get, path = "/exports/{id}/runs", tag = "runs", params(("id" = String, Path), Page),
    responses((status = 200, body = RunList), Problems))]
async fn history(
    State(api): State<Api>,
    Path(id): Path<String>,
    page: Page,
) -> Result<Json<RunList>, Problem> {
    let export_id = ExportId::try_from(id)?;
    let cursor = page.cursor.as_deref().map(str::parse).transpose()?;
    let limit = usize::try_from(page.limit).unwrap_or_default();
    Ok(Json(api.requests.ledger.runs(&export_id, limit, cursor).await?.into()))
}

/// A dry run that was started.
#[derive(Debug, Serialize, ToSchema)]
struct StartedDryRun {
    /// The dry run; its result is at `/runs/{id}/dry-run`.
    run_id: RunId,
    /// The export.
    export_id: ExportId,
}

/// Starts a dry run: it counts the additions, changes and removals that a run would make, estimates the calls, and returns
/// some masked rows. Nothing is written at the destination.
#[utoipa::path(post, path = "/exports/{id}/dry-runs", tag = "runs",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = StartedDryRun), Problems))]
async fn dry_run(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    key: RequestKey,
) -> Result<(StatusCode, Json<StartedDryRun>), Problem> {
    let export_id = ExportId::try_from(id)?;
    usable_export(&api, &caller, &export_id).await?;
    let run_id = api.requests.dry_run(&export_id, on_demand(&caller, key), timestamp_now()).await?;
    let run = json!({ "run_id": run_id });
    api.record(&caller, AuditAction::StartDryRun, "export", export_id.as_str(), Some(run)).await?;
    Ok((StatusCode::ACCEPTED, Json(StartedDryRun { run_id, export_id })))
}

/// The result of a request to run several exports.
#[derive(Debug, Serialize, ToSchema)]
struct StartedRuns {
    /// The runs.
    runs: Vec<StartedRun>,
    /// The exports whose runs could not start.
    not_started: Vec<NotStarted>,
}

/// An export whose run could not start.
#[derive(Debug, Serialize, ToSchema)]
struct NotStarted {
    /// The export.
    export_id: ExportId,
    /// A stable code of the reason.
    code: String,
    /// The reason, and how to fix it.
    problem: String,
}

/// Starts a run of every enabled export that has a schedule.
#[utoipa::path(post, path = "/runs", tag = "runs", params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = StartedRuns), Problems))]
async fn start_scheduled(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    key: RequestKey,
) -> Result<(StatusCode, Json<StartedRuns>), Problem> {
    let by = Some(caller.display_id());
    let asked = api.requests.start_scheduled(&key.or_new(), by, timestamp_now()).await?;
    started(&api, &caller, asked).await
}

/// Reports that the profiles were refreshed: starts a run of every enabled export whose schedule is `every_refresh`. Requests
/// with the same idempotency key report the same refresh.
#[utoipa::path(post, path = "/refreshes", tag = "runs", params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = StartedRuns), Problems))]
async fn refresh(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    key: RequestKey,
) -> Result<(StatusCode, Json<StartedRuns>), Problem> {
    let asked = api.requests.refresh(&key.or_new(), Some(caller.display_id()), timestamp_now()).await?;
    started(&api, &caller, asked).await
}

/// Writes an audit line for each run that was started, and builds the response.
async fn started(
    api: &Api,
    caller: &Caller,
    asked: Vec<Asked>,
) -> Result<(StatusCode, Json<StartedRuns>), Problem> {
    let mut started = StartedRuns { runs: Vec::new(), not_started: Vec::new() };
    for Asked { export_id, requested } in asked {
        match requested {
            Ok(requested) => {
                let run = json!({ "run_id": requested.run_id() });
                api.record(caller, AuditAction::StartRun, "export", export_id.as_str(), Some(run)).await?;
                started.runs.push(StartedRun::new(export_id, requested));
            }
            Err(error) => {
                let problem = Problem::from(error);
                let (code, problem) = (problem.code().to_owned(), problem.detail().to_owned());
                started.not_started.push(NotStarted { export_id, code, problem });
            }
        }
    }
    Ok((StatusCode::ACCEPTED, Json(started)))
}
