//! Looking at a segment before anything is done with it.

use crate::Api;
use crate::caller::Caller;
use crate::extract::Body;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use relay_cloud::AuditAction;
use relay_cloud::timestamp_now;
use relay_model::SegmentId;
use relay_model::catalog::{Document, Segment};
use relay_model::engine::{PreviewId, PreviewOf, PreviewResult};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(request)).routes(routes!(request_of_draft)).routes(routes!(read))
}

/// A preview's id out of a path.
pub(super) fn parse_id(id: &str) -> Result<PreviewId, Problem> {
    let malformed = |_| Problem::new(StatusCode::BAD_REQUEST, "id_malformed", "a preview's id is a UUID");
    id.parse().map_err(malformed)
}

/// A preview that was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct StartedPreview {
    /// The preview; what it finds is at `/previews/{id}`.
    preview_id: PreviewId,
}

impl Api {
    /// Asks for a preview, and writes into the audit who did.
    async fn start_preview(
        &self,
        caller: &Caller,
        of: &PreviewOf,
        action: AuditAction,
    ) -> Result<(StatusCode, Json<StartedPreview>), Problem> {
        let preview_id = self.previews.request(of, timestamp_now()).await?;
        self.record(caller, action, "segment", of.segment().as_str(), None).await?;
        Ok((StatusCode::ACCEPTED, Json(StartedPreview { preview_id })))
    }
}

/// Asks for a preview of a segment: how many members it has, and gets by each of its rules, which columns, which sources
/// it reads, and the first rows.
#[utoipa::path(post, path = "/segments/{id}/preview", tag = "segments", params(("id" = String, Path)),
    responses((status = 202, body = StartedPreview), Problems))]
async fn request(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<StartedPreview>), Problem> {
    let id = SegmentId::try_from(id)?;
    api.saved::<Segment>(id.as_str()).await?;
    api.start_preview(&caller, &PreviewOf::Saved(id), AuditAction::PreviewSegment).await
}

/// Asks for a preview of a segment as the request has it. Nothing is saved.
#[utoipa::path(post, path = "/previews", tag = "segments", request_body = Segment,
    responses((status = 202, body = StartedPreview), Problems))]
async fn request_of_draft(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Body(document): Body<Segment>,
) -> Result<(StatusCode, Json<StartedPreview>), Problem> {
    document.validate()?;
    api.require_query(&document).await?;
    api.start_preview(&caller, &PreviewOf::Draft(document), AuditAction::PreviewSegment).await
}

/// How far a preview is.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PreviewState {
    /// It is being made.
    Running,
    /// It is there.
    Succeeded,
    /// There is nothing to be seen, and it says why.
    Failed,
}

/// What a preview has found so far.
#[derive(Debug, Serialize, ToSchema)]
struct ShownPreview {
    /// How far it is.
    state: PreviewState,
    /// What it has found.
    result: Option<PreviewResult>,
}

/// What a preview has found. It holds profiles, and is gone after a day.
#[utoipa::path(get, path = "/previews/{id}", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = ShownPreview), Problems))]
async fn read(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<ShownPreview>, Problem> {
    let preview_id = parse_id(&id)?;
    if let Some(result) = api.previews.result(preview_id).await? {
        let state = if result.error.is_some() { PreviewState::Failed } else { PreviewState::Succeeded };
        return Ok(Json(ShownPreview { state, result: Some(result) }));
    }
    if !api.previews.is_requested(preview_id).await? {
        let detail =
            format!("preview {preview_id} was never asked for, or it is gone: a preview is kept for a day");
        return Err(Problem::new(StatusCode::NOT_FOUND, "preview_missing", detail));
    }
    Ok(Json(ShownPreview { state: PreviewState::Running, result: None }))
}
