//! How large a segment is and was, and where its upload or the members that it keeps stand.

use crate::Api;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use relay_cloud::ledger::{RefreshFailure, SegmentSize, SegmentUploads};
use relay_cloud::timestamp_now;
use relay_model::SegmentId;
use relay_model::catalog::{Schedule, Segment};
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
    /// Where the members stand that the segment keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<ShownMembers>,
}

/// Where the members stand that a segment keeps.
#[derive(Debug, Serialize, ToSchema)]
struct ShownMembers {
    /// How many there are; null until they were evaluated once, and while the segment rests.
    rows: Option<u64>,
    /// When they were evaluated.
    refreshed_at: Option<Timestamp>,
    /// Whether a refresh is asked for that has not come yet.
    is_refreshing: bool,
    /// Why the latest refresh failed, if it did: the members are those of the one before.
    failure: Option<RefreshFailure>,
    /// When they are evaluated next by themselves; null where that is not by the clock.
    next_refresh_at: Option<Timestamp>,
    /// Since when no export uses the segment.
    unused_since: Option<Timestamp>,
    /// Whether it rests for that: nothing is evaluated until an export uses it again.
    is_resting: bool,
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
    let members = match &segment.schedule {
        Some(schedule) => Some(api.shown_members(&id, schedule).await?),
        None => None,
    };
    let latest_upload_refused = latest.and_then(|latest| latest.refusal);
    Ok(Json(SizeHistory { sizes, upload, latest_upload_refused, members }))
}

impl Api {
    async fn shown_members(&self, id: &SegmentId, schedule: &Schedule) -> Result<ShownMembers, Problem> {
        let members = self.requests.ledger.members(id).await?;
        let (settings, _) = self.requests.settings().await?;
        let now = timestamp_now();
        let is_resting = members.rests(settings.unused_segment_days, now);
        Ok(ShownMembers {
            rows: members.kept.as_ref().map(|kept| kept.rows),
            refreshed_at: members.kept.as_ref().map(|kept| kept.refreshed_at),
            is_refreshing: members.pending_refresh().is_some(),
            next_refresh_at: schedule.next_due(now).filter(|_| !is_resting),
            unused_since: members.unused_since,
            failure: members.failure,
            is_resting,
        })
    }
}
