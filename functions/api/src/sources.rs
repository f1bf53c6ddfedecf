//! Tables of the lake.

use crate::Api;
use crate::caller::Caller;
use crate::documents::{DocumentList, SavedDocument, Saving, require_id, status_of};
use crate::extract::{Body, Page, Precondition, RequestKey, Seen};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use relay_model::catalog::{Document, Segment, Source};
use relay_model::{SegmentId, SourceId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, save, remove)).routes(routes!(segments))
}

/// The sources.
#[utoipa::path(get, path = "/sources", tag = "sources", params(Page),
    responses((status = 200, body = DocumentList<Source>), Problems))]
async fn list(State(api): State<Api>, page: Page) -> Result<Json<DocumentList<Source>>, Problem> {
    Ok(Json(api.list(&page).await?))
}

/// A source.
#[utoipa::path(get, path = "/sources/{id}", tag = "sources", params(("id" = String, Path)),
    responses((status = 200, body = SavedDocument<Source>, headers(("ETag" = String))), Problems))]
async fn read(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = SourceId::try_from(id)?;
    Ok(SavedDocument::from(api.saved::<Source>(id.as_str()).await?).answer(StatusCode::OK))
}

/// Makes or replaces a source. Labels of its columns that would stop an enabled export are refused.
#[utoipa::path(put, path = "/sources/{id}", tag = "sources", request_body = Source,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = SavedDocument<Source>), (status = 201, body = SavedDocument<Source>), Problems))]
async fn save(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Precondition(expected): Precondition,
    RequestKey(request_key): RequestKey,
    Body(document): Body<Source>,
) -> Result<Response, Problem> {
    let id = SourceId::try_from(id)?;
    require_id(id.as_str(), &document)?;
    document.validate()?;
    let current = api.requests.catalog.find::<Source>(id.as_str()).await?;
    let before = current.as_ref().map(|saved| &saved.document);
    let mut warnings = api.hold_source(&document, before).await?;
    let saving = Saving { caller: &caller, expected, request_key, needs: None };
    let saved = api.save(id.as_str(), &document, saving).await?;
    // The engine knows a source when it is saved.
    warnings.extend(api.check_labelled_columns(&document, before).await);
    Ok(SavedDocument { warnings, ..saved.into() }.answer(status_of(expected)))
}

/// Removes a source that no segment reads.
#[utoipa::path(delete, path = "/sources/{id}", tag = "sources",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), Problems))]
async fn remove(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Seen(version): Seen,
) -> Result<Response, Problem> {
    let id = SourceId::try_from(id)?;
    let readers = api.readers(&id).await?;
    if !readers.is_empty() {
        let names: Vec<&str> = readers.iter().map(|segment| segment.id.as_str()).collect();
        let detail =
            format!("source \"{id}\" is read by segments: {}; change or remove them first", names.join(", "));
        return Err(Problem::new(StatusCode::CONFLICT, "source_in_use", detail));
    }
    api.remove::<Source>(id.as_str(), &caller, version).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The segments whose queries read a source.
#[derive(Debug, Serialize, ToSchema)]
struct SourceSegments {
    /// By their ids.
    segments: Vec<NamedSegment>,
}

/// What one needs to know a segment again.
#[derive(Debug, Serialize, ToSchema)]
struct NamedSegment {
    /// Its identifier.
    id: SegmentId,
    /// What people call it.
    name: String,
}

/// The segments that read a source.
#[utoipa::path(get, path = "/sources/{id}/segments", tag = "sources", params(("id" = String, Path)),
    responses((status = 200, body = SourceSegments), Problems))]
async fn segments(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<SourceSegments>, Problem> {
    let id = SourceId::try_from(id)?;
    api.saved::<Source>(id.as_str()).await?;
    let readers = api.readers(&id).await?.into_iter();
    Ok(Json(SourceSegments {
        segments: readers.map(|Segment { id, name, .. }| NamedSegment { id, name }).collect(),
    }))
}

impl Api {
    /// Returns the segments whose queries read a source.
    async fn readers(&self, id: &SourceId) -> Result<Vec<Segment>, Problem> {
        let all = self.requests.catalog.list::<Segment>().await?.into_iter().flatten();
        let is_reader =
            |segment: &Segment| segment.sources().is_ok_and(|sources| sources.contains(id.as_str()));
        Ok(all.map(|saved| saved.document).filter(is_reader).collect())
    }
}
