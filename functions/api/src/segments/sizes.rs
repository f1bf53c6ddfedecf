//! The sizes of a segment, and the state of its upload.

use crate::Api;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use relay_cloud::ledger::{SegmentSize, SegmentUploads};
use relay_cloud::timestamp_now;
use relay_model::SegmentId;
use relay_model::catalog::Segment;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// So many sizes are shown.
const SIZES: i32 = 100;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(sizes))
}

/// How large a segment is and was.
#[derive(Debug, Serialize, ToSchema)]
struct SizeHistory {
    /// How many members the segment had each time that it was evaluated, the newest first.
    sizes: Vec<SegmentSize>,
    /// The upload that the members of a custom upload are from.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<ShownUpload>,
    /// Why the latest upload was refused, if it was: the members are those of the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_upload_refused: Option<String>,
}

/// The upload that a segment's members are from.
#[derive(Debug, Serialize, ToSchema)]
struct ShownUpload {
    /// Its good lines.
    rows: u64,
    /// Lines that could not be used; `uploaded/SEGMENT/UPLOAD.bad-lines.csv` in the data bucket says why.
    bad_lines: u64,
    /// When it was put.
    uploaded_at: Timestamp,
    /// When its members leave, unless there is a new upload by then.
    expires_at: Timestamp,
    /// Whether they have left.
    is_expired: bool,
}

/// How many members a segment has had, and where a custom upload stands.
#[utoipa::path(get, path = "/segments/{id}/sizes", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = SizeHistory), Problems))]
async fn sizes(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<SizeHistory>, Problem> {
    let id = SegmentId::try_from(id)?;
    let segment = api.saved::<Segment>(id.as_str()).await?.document;
    let sizes = api.requests.ledger.sizes(&id, SIZES).await?;
    let SegmentUploads { current, latest } = match segment.upload() {
        Some(_) => api.requests.ledger.uploads(&id).await?,
        None => SegmentUploads::default(),
    };
    let upload = current.map(|current| ShownUpload {
        rows: current.rows,
        bad_lines: current.bad_lines,
        uploaded_at: current.uploaded_at,
        expires_at: current.expires_at,
        is_expired: current.is_expired(timestamp_now()),
    });
    let latest_upload_refused = latest.and_then(|latest| latest.refusal);
    Ok(Json(SizeHistory { sizes, upload, latest_upload_refused }))
}
