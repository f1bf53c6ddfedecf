//! Sources: tables of the data lake.

use crate::Api;
use crate::definitions::{self, DocumentList, Draft, RemoveRequest, Resource, SaveRequest, SavedDocument};
use crate::extract::Page;
use crate::governance::{Change, check_change};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use relay_model::catalog::{Segment, Source};
use relay_model::{SegmentId, SourceId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, save, remove)).routes(routes!(segments))
}

impl Resource for Source {
    type SaveOptions = ();

    fn check_id(id: &str) -> Result<(), Problem> {
        SourceId::try_from(id.to_owned())?;
        Ok(())
    }

    async fn check(api: &Api, draft: &Draft<'_, Self>) -> Result<Vec<String>, Problem> {
        check_change(api, Change::Source { after: &draft.document, before: draft.before() }).await
    }

    /// Checks the labelled columns, which the query engine can only describe after the source was saved.
    async fn late_warnings(api: &Api, draft: &Draft<'_, Self>) -> Vec<String> {
        api.check_labelled_columns(&draft.document, draft.before()).await
    }

    async fn before_removal(api: &Api, request: &RemoveRequest) -> Result<(), Problem> {
        let id = &request.id;
        let readers = segments_reading(api, id).await?;
        if readers.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = readers.iter().map(|segment| segment.id.as_str()).collect();
        let detail =
            format!("segments read source \"{id}\": {}; change or remove them first", names.join(", "));
        Err(Problem::new(StatusCode::CONFLICT, "source_in_use", detail))
    }
}

/// Lists the sources.
#[utoipa::path(get, path = "/sources", tag = "sources", params(Page),
    responses((status = 200, body = DocumentList<Source>), Problems))]
async fn list(State(api): State<Api>, page: Page) -> Result<Json<DocumentList<Source>>, Problem> {
    Ok(Json(definitions::list(&api, &page).await?))
}

/// Returns a source.
#[utoipa::path(get, path = "/sources/{id}", tag = "sources", params(("id" = String, Path)),
    responses((status = 200, body = SavedDocument<Source>, headers(("ETag" = String))), Problems))]
async fn read(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, Problem> {
    definitions::read::<Source>(&api, &id).await
}

/// Creates or replaces a source. The request is refused if its column labels would stop an enabled export.
#[utoipa::path(put, path = "/sources/{id}", tag = "sources", request_body = Source,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = SavedDocument<Source>), (status = 201, body = SavedDocument<Source>), Problems))]
async fn save(State(api): State<Api>, request: SaveRequest<Source>) -> Result<Response, Problem> {
    definitions::save(&api, request, ()).await
}

/// Removes a source that no segment reads.
#[utoipa::path(delete, path = "/sources/{id}", tag = "sources",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), Problems))]
async fn remove(State(api): State<Api>, request: RemoveRequest) -> Result<StatusCode, Problem> {
    definitions::remove::<Source>(&api, request).await
}

/// The segments whose queries read a source.
#[derive(Debug, Serialize, ToSchema)]
struct SourceSegments {
    /// The segments, sorted by id.
    segments: Vec<NamedSegment>,
}

/// A segment by id and name.
#[derive(Debug, Serialize, ToSchema)]
struct NamedSegment {
    /// The segment's id.
    id: SegmentId,
    /// The segment's display name.
    name: String,
}

/// Lists the segments that read a source.
#[utoipa::path(get, path = "/sources/{id}/segments", tag = "sources", params(("id" = String, Path)),
    responses((status = 200, body = SourceSegments), Problems))]
async fn segments(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<SourceSegments>, Problem> {
    Source::check_id(&id)?;
    api.saved::<Source>(&id).await?;
    let readers = segments_reading(&api, &id).await?.into_iter();
    let segments = readers.map(|Segment { id, name, .. }| NamedSegment { id, name }).collect();
    Ok(Json(SourceSegments { segments }))
}

/// Returns the segments whose queries read a source.
async fn segments_reading(api: &Api, source: &str) -> Result<Vec<Segment>, Problem> {
    let all = api.requests.catalog.list::<Segment>().await?.into_iter().flatten();
    let is_reader = |segment: &Segment| segment.sources().is_ok_and(|sources| sources.contains(source));
    Ok(all.map(|saved| saved.document).filter(is_reader).collect())
}
