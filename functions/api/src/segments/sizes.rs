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

/// How many sizes are returned at most.
const SIZES: i32 = 100;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(sizes))
}

/// The sizes of a segment over time.
#[derive(Debug, Serialize, ToSchema)]
struct SizeHistory {
    /// The number of members at each evaluation, newest first.
    sizes: Vec<SegmentSize>,
    /// The upload that the members come from, if the segment is a custom upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<ShownUpload>,
    /// Why the latest upload was refused, if it was. The members are still those of the previous upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_upload_refused: Option<String>,
}

/// The upload that a segment's members come from.
#[derive(Debug, Serialize, ToSchema)]
struct ShownUpload {
    /// The number of valid lines.
    rows: u64,
    /// The number of invalid lines. `uploaded/SEGMENT/UPLOAD.bad-lines.csv` in the data bucket has the reasons.
    bad_lines: u64,
    /// When the file was uploaded.
    uploaded_at: Timestamp,
    /// When its members expire, unless there is a new upload by then.
    expires_at: Timestamp,
    /// Whether its members have expired.
    is_expired: bool,
}

/// Returns the sizes of a segment over time, and the state of its custom upload.
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
