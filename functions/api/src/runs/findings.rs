//! Results of runs: reports, rejected rows and the findings of dry runs.

use super::{record_run, usable_run};
use crate::Api;
use crate::caller::Caller;
use crate::links::{Link, link_to};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use relay_cloud::AuditAction;
use relay_model::RunId;
use relay_model::run::{DryRun, Report, Run, RunMode};
use relay_pipeline::dry_run_findings;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(report)).routes(routes!(rejected)).routes(routes!(dry_run))
}

/// Returns the report of a finished run.
#[utoipa::path(get, path = "/runs/{id}/report", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, body = Report), Problems))]
async fn report(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Report>, Problem> {
    let run = api.requests.ledger.run(id.parse()?).await?;
    Ok(Json(read_report(&api, &run).await?))
}

/// Returns a link to the rejected and deferred rows of a run, as CSV with a reason for each row. The link expires after 15
/// minutes.
#[utoipa::path(get, path = "/runs/{id}/rejected", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, body = Link), Problems))]
async fn rejected(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Link>, Problem> {
    let run = usable_run(&api, &caller, &id).await?;
    let Some(key) = read_report(&api, &run).await?.rejected_key else {
        let detail = format!("run {} has no rejected or deferred rows that can be listed", run.run_id);
        return Err(Problem::new(StatusCode::NOT_FOUND, "nothing_rejected", detail));
    };
    let name = format!("{}-{}-rejected.csv", run.export_id, run.run_id);
    let link = link_to(&api.engine.objects, &key, &name).await?;
    record_run(&api, &caller, AuditAction::DownloadRejected, run.run_id).await?;
    Ok(Json(link))
}

/// Returns the findings of a dry run.
#[utoipa::path(get, path = "/runs/{id}/dry-run", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, body = DryRun), Problems))]
async fn dry_run(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<DryRun>, Problem> {
    let run = usable_run(&api, &caller, &id).await?;
    if run.mode != RunMode::DryRun {
        let detail =
            format!("run {} is not a dry run; its report is at /runs/{}/report", run.run_id, run.run_id);
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_a_dry_run", detail));
    }
    let found = dry_run_findings(&api.engine.objects, &run).await?;
    found.map(Json).ok_or_else(|| nothing_yet(run.run_id, &run))
}

fn nothing_yet(run_id: RunId, run: &Run) -> Problem {
    let detail = match &run.failure {
        Some(failure) => format!("run {run_id} failed: {}", failure.text),
        None => {
            format!(
                "run {run_id} is {}: its findings are not available yet, or have expired",
                run.state.name()
            )
        }
    };
    Problem::new(StatusCode::NOT_FOUND, "nothing_found", detail)
}

/// Reads the stored report of a run.
async fn read_report(api: &Api, run: &Run) -> Result<Report, Problem> {
    let missing = |detail: String| Problem::new(StatusCode::NOT_FOUND, "report_missing", detail);
    if run.mode == RunMode::DryRun {
        return Err(missing(format!(
            "a dry run has no report; its findings are at /runs/{}/dry-run",
            run.run_id
        )));
    }
    let Some(key) = &run.report_key else {
        let detail = format!("run {} is {} and has no report yet", run.run_id, run.state.name());
        return Err(missing(detail));
    };
    let bytes = api.engine.objects.find(key).await?;
    let bytes = bytes.ok_or_else(|| missing(format!("the report of run {} has expired", run.run_id)))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        tracing::error!(run.id = %run.run_id, %error, "a stored report cannot be read");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "report_unreadable", "the stored report cannot be read")
    })
}
