//! Tables of the lake.

use crate::Api;
use crate::caller::Caller;
use crate::documents::{DocumentList, SavedDocument, Saving, status_of};
use crate::extract::{Body, Page, Precondition, RequestKey, Seen};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use relay::catalog::Source;
use relay::model::SourceId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, save, remove))
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

/// Makes or replaces a source.
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
    let saving = Saving { caller: &caller, expected, request_key, needs: None };
    let saved = api.save(id.as_str(), &document, saving).await?;
    Ok(SavedDocument::from(saved).answer(status_of(expected)))
}

/// Removes a source. Segments that select from it will say so when they are evaluated.
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
    api.remove::<Source>(id.as_str(), &caller, version).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
