//! Runs: progress, and decisions about held and active runs.

mod findings;
mod listing;

use crate::Api;
use crate::caller::{Caller, Role};
use crate::exports::{StartedRun, require_use};
use crate::extract::RequestKey;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use relay_cloud::timestamp_now;
use relay_cloud::{AuditAction, LookupError};
use relay_model::RunId;
use relay_model::catalog::{CatalogError, Export};
use relay_model::run::{Run, Trigger, TriggerKind, remaining_ms};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(read))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(cancel))
        .routes(routes!(retry))
        .merge(findings::router())
        .merge(listing::router())
}

/// A run with its progress.
#[derive(Debug, Serialize, ToSchema)]
struct ShownRun {
    #[serde(flatten)]
    run: Run,
    /// How many rows have an outcome so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows_done: Option<u64>,
    /// The share of rows that have an outcome, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress_percent: Option<u64>,
    /// Estimated time until all rows are pushed, in milliseconds, at the pace so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining_ms: Option<u64>,
}

impl From<Run> for ShownRun {
    fn from(run: Run) -> Self {
        let done = run.counts.total();
        let rows_done = run.rows_in.map(|_| done);
        let progress_percent = run.rows_in.and_then(|rows_in| (done * 100).checked_div(rows_in));
        let remaining_ms = remaining_ms(&run, timestamp_now());
        Self { run, rows_done, progress_percent, remaining_ms }
    }
}

/// One page of runs, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunList {
    /// The runs.
    items: Vec<ShownRun>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<RunId>,
}

impl From<(Vec<Run>, Option<RunId>)> for RunList {
    fn from((runs, next_cursor): (Vec<Run>, Option<RunId>)) -> Self {
        Self { items: runs.into_iter().map(ShownRun::from).collect(), next_cursor }
    }
}

/// Returns a run with its progress.
#[utoipa::path(get, path = "/runs/{id}", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, body = ShownRun), Problems))]
async fn read(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<ShownRun>, Problem> {
    let run_id: RunId = id.parse()?;
    Ok(Json(api.requests.ledger.run(run_id).await?.into()))
}

/// Approves a run that the guard holds, so that it continues.
#[utoipa::path(post, path = "/runs/{id}/approve", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, body = ShownRun), Problems))]
async fn approve(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<ShownRun>, Problem> {
    let run = usable_run(&api, &caller, &id).await?;
    let approved = api.requests.approve(run.run_id, timestamp_now()).await?;
    record_run(&api, &caller, AuditAction::ApproveRun, run.run_id).await?;
    Ok(Json(approved.into()))
}

/// Rejects a run that the guard holds. Nothing is sent.
#[utoipa::path(post, path = "/runs/{id}/reject", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, body = ShownRun), Problems))]
async fn reject(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<ShownRun>, Problem> {
    let run = usable_run(&api, &caller, &id).await?;
    let rejected = api.requests.reject(run.run_id, timestamp_now()).await?;
    record_run(&api, &caller, AuditAction::RejectRun, run.run_id).await?;
    Ok(Json(rejected.into()))
}

/// Cancels a run. Rows that the destination has acknowledged keep their outcomes, and all other rows are deferred.
#[utoipa::path(post, path = "/runs/{id}/cancel", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, body = ShownRun), Problems))]
async fn cancel(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<ShownRun>, Problem> {
    let run = usable_run(&api, &caller, &id).await?;
    let canceled = api.requests.cancel(run.run_id, &caller.display_id(), timestamp_now()).await?;
    record_run(&api, &caller, AuditAction::CancelRun, run.run_id).await?;
    Ok(Json(canceled.into()))
}

/// Starts a run that resends only the rows that this run deferred or rejected.
#[utoipa::path(post, path = "/runs/{id}/retry", tag = "runs",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = StartedRun), Problems))]
async fn retry(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    key: RequestKey,
) -> Result<(StatusCode, Json<StartedRun>), Problem> {
    let run = usable_run(&api, &caller, &id).await?;
    let trigger = Trigger::new(TriggerKind::Retry, format!("retry/{}/{}", run.run_id, key.or_new()));
    let trigger = trigger.by(Some(caller.display_id()));
    let requested = api.requests.retry(run.run_id, trigger, timestamp_now()).await?;
    record_run(&api, &caller, AuditAction::RetryRun, run.run_id).await?;
    Ok((StatusCode::ACCEPTED, Json(StartedRun::new(run.export_id, requested))))
}

/// Reads a run, and requires that the caller may use the connection of its export.
async fn usable_run(api: &Api, caller: &Caller, id: &str) -> Result<Run, Problem> {
    let run = api.requests.ledger.run(id.parse()?).await?;
    match api.requests.catalog.get::<Export>(run.export_id.as_str()).await {
        Ok(export) => require_use(api, caller, export.connection.as_ref()).await?,
        // Only administrators decide about the runs of a removed export.
        Err(LookupError::Catalog(CatalogError::Missing { .. })) if caller.role >= Role::Administrator => {}
        Err(error) => return Err(error.into()),
    }
    Ok(run)
}

async fn record_run(api: &Api, caller: &Caller, action: AuditAction, run_id: RunId) -> Result<(), Problem> {
    api.record(caller, action, "run", &run_id.to_string(), None).await
}
