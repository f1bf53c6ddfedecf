//! Segments: named sets of profiles.

mod checking;
mod dependents;
mod members;
mod previews;
mod query;
mod sizes;

use checking::SavingQuery;
pub(crate) use checking::SegmentCheck;

use crate::Api;
use crate::definitions::{self, DocumentList, Draft, RemoveRequest, Resource, SaveRequest, SavedDocument};
use crate::extract::Page;
use crate::governance::{Change, check_change};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use dependents::{exports_using, require_use_of_connections};
use relay_cloud::timestamp_now;
use relay_cloud::{Expected, Saved};
use relay_model::SegmentId;
use relay_model::catalog::Segment;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, save, remove))
        .merge(members::router())
        .merge(previews::router())
        .merge(query::router())
        .merge(sizes::router())
        .merge(dependents::router())
}

impl Resource for Segment {
    type SaveOptions = SegmentCheck;

    fn check_id(id: &str) -> Result<(), Problem> {
        SegmentId::try_from(id.to_owned())?;
        Ok(())
    }

    async fn check(api: &Api, draft: &Draft<'_, Self>) -> Result<Vec<String>, Problem> {
        let segment = &draft.document;
        require_use_of_connections(api, draft.caller, &segment.id).await?;
        api.require_query(segment).await?;
        let mut warnings = Vec::new();
        // A request that will be refused for its version, or that repeats an earlier one, needs no query plan.
        if is_expected(draft.expected, draft.current.as_ref()) {
            // Both checks ask the query engine, and API Gateway's timeout leaves time for one wait.
            let (checked, governed) = tokio::join!(
                api.check_segment(draft.options, segment, draft.before()),
                check_change(api, Change::Segment(segment))
            );
            warnings = checked?;
            warnings.extend(governed?);
            // Exports and sources may have changed while the engine was busy.
            require_use_of_connections(api, draft.caller, &segment.id).await?;
            api.require_query(segment).await?;
        }
        if let Expected::Version(version) = draft.expected
            && segment.upload().is_none()
        {
            forget_upload(api, &segment.id, version).await?;
        }
        Ok(warnings)
    }

    async fn before_removal(api: &Api, request: &RemoveRequest) -> Result<(), Problem> {
        let id = SegmentId::try_from(request.id.clone())?;
        let users = exports_using(api, &id).await?;
        if !users.is_empty() {
            let names: Vec<&str> = users.iter().map(|saved| saved.document.id.as_str()).collect();
            let detail =
                format!("exports use segment \"{id}\": {}; remove it from them first", names.join(", "));
            return Err(Problem::new(StatusCode::CONFLICT, "segment_in_use", detail));
        }
        forget_upload(api, &id, request.version).await
    }
}

/// Lists the segments.
#[utoipa::path(get, path = "/segments", tag = "segments", params(Page),
    responses((status = 200, body = DocumentList<Segment>), Problems))]
async fn list(State(api): State<Api>, page: Page) -> Result<Json<DocumentList<Segment>>, Problem> {
    Ok(Json(definitions::list(&api, &page).await?))
}

/// Returns a segment.
#[utoipa::path(get, path = "/segments/{id}", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = SavedDocument<Segment>, headers(("ETag" = String))), Problems))]
async fn read(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, Problem> {
    definitions::read::<Segment>(&api, &id).await
}

/// Creates or replaces a segment. Its query, or the query that its rules compile to, must be one SELECT over existing
/// sources. A mapped column that the change removes yields a warning.
#[utoipa::path(put, path = "/segments/{id}", tag = "segments", request_body = Segment,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header), SavingQuery),
    responses((status = 200, body = SavedDocument<Segment>), (status = 201, body = SavedDocument<Segment>), Problems))]
async fn save(
    State(api): State<Api>,
    query: Result<Query<SavingQuery>, QueryRejection>,
    request: SaveRequest<Segment>,
) -> Result<Response, Problem> {
    let query = query.map_err(|error| Problem::query(&error))?;
    Box::pin(definitions::save(&api, request, query.check)).await
}

/// Returns whether the caller has seen the stored version.
fn is_expected(expected: Expected, current: Option<&Saved<Segment>>) -> bool {
    match (expected, current) {
        (Expected::Absent, None) => true,
        (Expected::Version(version), Some(current)) => current.version == version,
        _ => false,
    }
}

/// Removes a segment that no export uses.
#[utoipa::path(delete, path = "/segments/{id}", tag = "segments",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), Problems))]
async fn remove(State(api): State<Api>, request: RemoveRequest) -> Result<StatusCode, Problem> {
    definitions::remove::<Segment>(&api, request).await
}

/// Forgets the upload of a segment that is about to be removed or to stop being a custom upload.
///
/// This runs before the change, because a failure after the change would not be retried. Nothing is forgotten if `version`
/// is not the stored version, because then the change itself will be refused.
async fn forget_upload(api: &Api, id: &SegmentId, version: u64) -> Result<(), Problem> {
    let found = api.requests.catalog.find::<Segment>(id.as_str()).await?;
    let is_upload = found.is_some_and(|saved| saved.version == version && saved.document.upload().is_some());
    if is_upload {
        api.requests.ledger.forget_upload(id, timestamp_now()).await?;
    }
    Ok(())
}
