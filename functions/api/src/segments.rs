//! Named sets of profiles.

mod checking;
mod members;
mod previews;
mod query;
mod sizes;
mod users;

use checking::SavingQuery;
pub(crate) use checking::SegmentCheck;

use crate::Api;
use crate::caller::Caller;
use crate::documents::{DocumentList, SavedDocument, Saving, require_id, status_of};
use crate::extract::{Body, Page, Precondition, RequestKey, Seen};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use relay_cloud::timestamp_now;
use relay_cloud::{Expected, Saved};
use relay_model::SegmentId;
use relay_model::catalog::{Document, Segment};
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
        .merge(users::router())
}

/// The segments.
#[utoipa::path(get, path = "/segments", tag = "segments", params(Page),
    responses((status = 200, body = DocumentList<Segment>), Problems))]
async fn list(State(api): State<Api>, page: Page) -> Result<Json<DocumentList<Segment>>, Problem> {
    Ok(Json(api.list(&page).await?))
}

/// A segment.
#[utoipa::path(get, path = "/segments/{id}", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = SavedDocument<Segment>, headers(("ETag" = String))), Problems))]
async fn read(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = SegmentId::try_from(id)?;
    Ok(SavedDocument::from(api.saved::<Segment>(id.as_str()).await?).answer(StatusCode::OK))
}

/// Makes or replaces a segment. Its query, or what its rules compile to, has to be one SELECT over sources that are there;
/// what exports map and lose by the change is a warning.
#[utoipa::path(put, path = "/segments/{id}", tag = "segments", request_body = Segment,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header), SavingQuery),
    responses((status = 200, body = SavedDocument<Segment>), (status = 201, body = SavedDocument<Segment>), Problems))]
async fn save(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Precondition(expected): Precondition,
    RequestKey(request_key): RequestKey,
    query: Result<Query<SavingQuery>, QueryRejection>,
    Body(document): Body<Segment>,
) -> Result<Response, Problem> {
    let id = SegmentId::try_from(id)?;
    let query = query.map_err(|error| Problem::query(&error))?;
    require_id(id.as_str(), &document)?;
    document.validate()?;
    let current = api.requests.catalog.find::<Segment>(id.as_str()).await?;
    api.require_use_through(&caller, &id).await?;
    api.require_query(&document).await?;
    let mut warnings = Vec::new();
    // What will be refused for its version, or was done before, need not be planned.
    if is_expected(expected, current.as_ref()) {
        let before = current.as_ref().map(|saved| &saved.document);
        // Both ask the query engine, for which there is time once.
        let (checked, held) =
            tokio::join!(api.check_segment(query.check, &document, before), api.hold_segment(&document));
        warnings = checked?;
        warnings.extend(held?);
        // The engine takes its time, and in the meantime others may have changed what this depends on.
        api.require_use_through(&caller, &id).await?;
        api.require_query(&document).await?;
    }
    if let Expected::Version(version) = expected
        && document.upload().is_none()
    {
        api.forget_upload(&id, version).await?;
    }
    let saving = Saving { caller: &caller, expected, request_key, needs: None };
    let saved = api.save(id.as_str(), &document, saving).await?;
    Ok(SavedDocument { warnings, ..saved.into() }.answer(status_of(expected)))
}

/// Whether the writer has seen what is there.
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
async fn remove(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Seen(version): Seen,
) -> Result<Response, Problem> {
    let id = SegmentId::try_from(id)?;
    let users = api.users_of(&id).await?;
    if !users.is_empty() {
        let names: Vec<&str> = users.iter().map(|saved| saved.document.id.as_str()).collect();
        let detail =
            format!("segment \"{id}\" is used by exports: {}; take it out of them first", names.join(", "));
        return Err(Problem::new(StatusCode::CONFLICT, "segment_in_use", detail));
    }
    api.forget_upload(&id, version).await?;
    api.remove::<Segment>(id.as_str(), &caller, version).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl Api {
    /// Forgets the upload of a segment that is about to be none or no upload any more. It comes before the change,
    /// because after it nobody would try again what failed; and not for a version that is not there, whose change will be
    /// refused.
    async fn forget_upload(&self, id: &SegmentId, version: u64) -> Result<(), Problem> {
        let found = self.requests.catalog.find::<Segment>(id.as_str()).await?;
        let is_upload =
            found.is_some_and(|saved| saved.version == version && saved.document.upload().is_some());
        if is_upload {
            self.requests.ledger.forget_upload(id, timestamp_now()).await?;
        }
        Ok(())
    }
}
