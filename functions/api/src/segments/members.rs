//! Downloads of a segment's members.

use crate::Api;
use crate::caller::Caller;
use crate::links::{Link, link_to};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use relay_cloud::AuditAction;
use relay_cloud::timestamp_now;
use relay_model::SegmentId;
use relay_model::catalog::Segment;
use relay_model::engine::{EngineAnswer, EngineRequest, EngineRequestId, EngineResponse};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(download)).routes(routes!(file))
}

/// A requested file.
#[derive(Debug, Serialize, ToSchema)]
struct StartedDownload {
    /// The request. Its state is at `/previews/{id}`, and the file is at `/previews/{id}/members` once it is written.
    preview_id: EngineRequestId,
}

/// Requests a CSV file of the members that an export would deliver now, with every column that can be mapped.
#[utoipa::path(post, path = "/segments/{id}/downloads", tag = "segments", params(("id" = String, Path)),
    responses((status = 202, body = StartedDownload), Problems))]
async fn download(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<StartedDownload>), Problem> {
    let id = SegmentId::try_from(id)?;
    api.saved::<Segment>(id.as_str()).await?;
    let preview_id = api.engine.send(&EngineRequest::Download(id.clone()), timestamp_now()).await?;
    api.record(&caller, AuditAction::DownloadMembers, "segment", id.as_str(), None).await?;
    Ok((StatusCode::ACCEPTED, Json(StartedDownload { preview_id })))
}

/// Returns a link to a requested file. The link expires after 15 minutes, the file after a day.
#[utoipa::path(get, path = "/previews/{id}/members", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = Link), Problems))]
async fn file(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Link>, Problem> {
    let preview_id = super::previews::parse_id(&id)?;
    let answer = api.engine.answer(preview_id).await?;
    let is_written = |answer: &EngineAnswer| matches!(answer.result, Ok(EngineResponse::Download(_)));
    let Some(answer) = answer.filter(is_written) else {
        let detail = format!("request {preview_id} has no file: it is not written yet, or it has expired");
        return Err(Problem::new(StatusCode::NOT_FOUND, "file_missing", detail));
    };
    let name = format!("{}-members.csv", answer.segment);
    Ok(Json(link_to(&api.engine.objects, &preview_id.members_key(), &name).await?))
}
