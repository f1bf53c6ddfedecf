//! Running exports.

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

/// What became of a request for a run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StartedRun {
    /// The run that serves the request.
    pub(crate) run_id: RunId,
    /// Of which export.
    pub(crate) export_id: ExportId,
    /// How it does.
    pub(crate) request: RequestState,
}

/// How a run serves a request.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RequestState {
    /// It starts now.
    Started,
    /// Another run is under way; this one starts when it ends.
    Waiting,
    /// A run was waiting already; it serves this request too.
    Merged,
    /// The same request was made before.
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

/// Runs an export, whether it has a schedule or not.
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
    api.usable_export(&caller, &export_id).await?;
    let requested = api.requests.start(&export_id, on_demand(&caller, key), timestamp_now()).await?;
    let run = json!({ "run_id": requested.run_id() });
    api.record(&caller, AuditAction::StartRun, "export", export_id.as_str(), Some(run)).await?;
    Ok((StatusCode::ACCEPTED, Json(StartedRun::new(export_id, requested))))
}

/// The runs of an export, the newest first.
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

/// A dry run that was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct StartedDryRun {
    /// The run; what it finds is at `/runs/{id}/dry-run`.
    run_id: RunId,
    /// Of which export.
    export_id: ExportId,
}

/// Asks what a run of an export would do: how many people it would add, change and remove, what it would cost, and
/// some rows, masked. Nothing is written at the destination.
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
    api.usable_export(&caller, &export_id).await?;
    let run_id = api.requests.dry_run(&export_id, on_demand(&caller, key), timestamp_now()).await?;
    let run = json!({ "run_id": run_id });
    api.record(&caller, AuditAction::StartDryRun, "export", export_id.as_str(), Some(run)).await?;
    Ok((StatusCode::ACCEPTED, Json(StartedDryRun { run_id, export_id })))
}

/// What became of many exports that were to run.
#[derive(Debug, Serialize, ToSchema)]
struct StartedRuns {
    /// The runs.
    runs: Vec<StartedRun>,
    /// The exports that could not start, and why.
    not_started: Vec<NotStarted>,
}

/// An export that could not start.
#[derive(Debug, Serialize, ToSchema)]
struct NotStarted {
    /// The export.
    export_id: ExportId,
    /// The stable word for why.
    code: String,
    /// Why, and what would mend it.
    problem: String,
}

/// Runs every enabled export that has a schedule.
#[utoipa::path(post, path = "/runs", tag = "runs", params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = StartedRuns), Problems))]
async fn start_scheduled(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    key: RequestKey,
) -> Result<(StatusCode, Json<StartedRuns>), Problem> {
    let by = Some(caller.display_id());
    let asked = api.requests.start_scheduled(&key.or_new(), by, timestamp_now()).await?;
    api.started(&caller, asked).await
}

/// Says that the profiles were refreshed: runs every enabled export whose schedule is `every_refresh`. The same key is
/// the same refresh.
#[utoipa::path(post, path = "/refreshes", tag = "runs", params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = StartedRuns), Problems))]
async fn refresh(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    key: RequestKey,
) -> Result<(StatusCode, Json<StartedRuns>), Problem> {
    let asked = api.requests.refresh(&key.or_new(), Some(caller.display_id()), timestamp_now()).await?;
    api.started(&caller, asked).await
}

impl Api {
    async fn started(
        &self,
        caller: &Caller,
        asked: Vec<Asked>,
    ) -> Result<(StatusCode, Json<StartedRuns>), Problem> {
        let mut started = StartedRuns { runs: Vec::new(), not_started: Vec::new() };
        for Asked { export_id, requested } in asked {
            match requested {
                Ok(requested) => {
                    let run = json!({ "run_id": requested.run_id() });
                    self.record(caller, AuditAction::StartRun, "export", export_id.as_str(), Some(run))
                        .await?;
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
}
