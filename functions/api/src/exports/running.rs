//! Running exports.

use crate::Api;
use crate::caller::Caller;
use crate::extract::RequestKey;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use relay::aws::AuditAction;
use relay::ledger::Requested;
use relay::model::{ExportId, RunId};
use relay::run::{Trigger, TriggerKind};
use relay::timestamp_now;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(start))
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
    let trigger = Trigger { kind: TriggerKind::OnDemand, key: format!("on-demand/{}", key.or_new()) };
    let requested = api.requests.start(&export_id, trigger, timestamp_now()).await?;
    let run = json!({ "run_id": requested.run_id() });
    api.record(&caller, AuditAction::StartRun, "export", export_id.as_str(), Some(run)).await?;
    Ok((StatusCode::ACCEPTED, Json(StartedRun::new(export_id, requested))))
}
