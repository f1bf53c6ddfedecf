//! What data must not be used for.

use crate::Api;
use crate::caller::Caller;
use crate::documents::{DocumentList, SavedDocument, Saving, require_id, status_of};
use crate::extract::{Body, Page, Precondition, RequestKey, Seen};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use relay_model::PolicyId;
use relay_model::catalog::{Document, Policy};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, save, remove))
}

/// The policies.
#[utoipa::path(get, path = "/policies", tag = "policies", params(Page),
    responses((status = 200, body = DocumentList<Policy>), Problems))]
async fn list(State(api): State<Api>, page: Page) -> Result<Json<DocumentList<Policy>>, Problem> {
    Ok(Json(api.list(&page).await?))
}

/// A policy.
#[utoipa::path(get, path = "/policies/{id}", tag = "policies", params(("id" = String, Path)),
    responses((status = 200, body = SavedDocument<Policy>, headers(("ETag" = String))), Problems))]
async fn read(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = PolicyId::try_from(id)?;
    Ok(SavedDocument::from(api.saved::<Policy>(id.as_str()).await?).answer(StatusCode::OK))
}

/// Makes or replaces a policy. One that is enabled and would stop an enabled export is refused.
#[utoipa::path(put, path = "/policies/{id}", tag = "policies", request_body = Policy,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = SavedDocument<Policy>), (status = 201, body = SavedDocument<Policy>), Problems))]
async fn save(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Precondition(expected): Precondition,
    RequestKey(request_key): RequestKey,
    Body(document): Body<Policy>,
) -> Result<Response, Problem> {
    let id = PolicyId::try_from(id)?;
    require_id(id.as_str(), &document)?;
    document.validate()?;
    let current = api.requests.catalog.find::<Policy>(id.as_str()).await?;
    let warnings = api.hold_policy(&document, current.as_ref().map(|saved| &saved.document)).await?;
    let saving = Saving { caller: &caller, expected, request_key, needs: None };
    let saved = api.save(id.as_str(), &document, saving).await?;
    Ok(SavedDocument { warnings, ..saved.into() }.answer(status_of(expected)))
}

/// Removes a policy: what it has forbidden is allowed from then on.
#[utoipa::path(delete, path = "/policies/{id}", tag = "policies",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), Problems))]
async fn remove(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Seen(version): Seen,
) -> Result<Response, Problem> {
    let id = PolicyId::try_from(id)?;
    api.remove::<Policy>(id.as_str(), &caller, version).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
