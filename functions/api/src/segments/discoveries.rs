//! Segments that are found: people who are like a segment's members, groups that stand out, and whom somebody describes.

use super::previews::StartedPreview;
use crate::Api;
use crate::caller::Caller;
use crate::extract::Body;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use relay_cloud::AuditAction;
use relay_model::SegmentId;
use relay_model::catalog::{Segment, json_pointer};
use relay_model::discovery::{DescriptionRequest, SimilarRequest, SuggestionRequest};
use relay_model::engine::PreviewOf;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(similar)).routes(routes!(suggest)).routes(routes!(describe))
}

/// Finds people who are like the members of a segment, and makes a draft of a segment of them. What it finds is at
/// `/previews/{id}`; nothing is saved.
#[utoipa::path(post, path = "/segments/{id}/similar", tag = "segments", params(("id" = String, Path)),
    request_body = SimilarRequest, responses((status = 202, body = StartedPreview), Problems))]
async fn similar(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(request): Body<SimilarRequest>,
) -> Result<(StatusCode, Json<StartedPreview>), Problem> {
    let segment = SegmentId::try_from(id)?;
    request.validate().map_err(refused)?;
    api.saved::<Segment>(segment.as_str()).await?;
    api.start_preview(&caller, &PreviewOf::Similar { segment, request }, AuditAction::FindSimilar).await
}

/// Finds groups of people that stand out, by a goal or by how much they have of each number, and makes drafts of segments
/// of them. What it finds is at `/previews/{id}`; nothing is saved.
#[utoipa::path(post, path = "/segment-suggestions", tag = "segments", request_body = SuggestionRequest,
    responses((status = 202, body = StartedPreview), Problems))]
async fn suggest(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Body(request): Body<SuggestionRequest>,
) -> Result<(StatusCode, Json<StartedPreview>), Problem> {
    request.validate().map_err(refused)?;
    api.start_preview(&caller, &PreviewOf::Suggestions(request), AuditAction::SuggestSegments).await
}

/// Makes a draft of a segment out of a description in everyday English, and says what each part of it was understood as and
/// what was not understood. What it finds is at `/previews/{id}`; nothing is saved.
#[utoipa::path(post, path = "/segment-descriptions", tag = "segments", request_body = DescriptionRequest,
    responses((status = 202, body = StartedPreview), Problems))]
async fn describe(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Body(request): Body<DescriptionRequest>,
) -> Result<(StatusCode, Json<StartedPreview>), Problem> {
    request.validate().map_err(refused)?;
    api.start_preview(&caller, &PreviewOf::Words(request), AuditAction::DescribeSegment).await
}

fn refused((field, problem): (String, String)) -> Problem {
    Problem::field("request_field_invalid", json_pointer(&field), problem)
}
