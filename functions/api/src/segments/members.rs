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
use relay_model::engine::{PreviewId, PreviewOf};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(download)).routes(routes!(file))
}

/// A file that was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct StartedDownload {
    /// How far it is stands at `/previews/{id}`; the file is at `/previews/{id}/members` then.
    preview_id: PreviewId,
}

/// Asks for all members of a segment, with every column that an export can map, as a CSV: those that an export would
/// bring now.
#[utoipa::path(post, path = "/segments/{id}/downloads", tag = "segments", params(("id" = String, Path)),
    responses((status = 202, body = StartedDownload), Problems))]
async fn download(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<StartedDownload>), Problem> {
    let id = SegmentId::try_from(id)?;
    api.saved::<Segment>(id.as_str()).await?;
    let preview_id = api.previews.request(&PreviewOf::Members(id.clone()), timestamp_now()).await?;
    api.record(&caller, AuditAction::DownloadMembers, "segment", id.as_str(), None).await?;
    Ok((StatusCode::ACCEPTED, Json(StartedDownload { preview_id })))
}

/// A link to the members that were asked for. It works for 15 minutes; the file is gone after a day.
#[utoipa::path(get, path = "/previews/{id}/members", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = Link), Problems))]
async fn file(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Link>, Problem> {
    let preview_id = super::previews::parse_id(&id)?;
    let found = api.previews.result(preview_id).await?.filter(|found| found.members_file_bytes.is_some());
    let Some(found) = found else {
        let detail = format!("there is no file of preview {preview_id}, not yet or not any more");
        return Err(Problem::new(StatusCode::NOT_FOUND, "file_missing", detail));
    };
    let name = format!("{}-members.csv", found.segment);
    Ok(Json(link_to(&api.previews.objects, &preview_id.members_key(), &name).await?))
}
