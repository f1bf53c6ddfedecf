//! What holds for the whole deployment.

use crate::Api;
use crate::caller::Caller;
use crate::documents::{DocumentList, SavedDocument, Saving, status_of};
use crate::extract::{Body, Page, Precondition, RequestKey, Seen};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use relay_model::catalog::{CatalogError, DeploymentSettings, Document, SettingsId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, save, remove))
}

/// The settings: one document or none, in the form of every other list.
#[utoipa::path(get, path = "/settings", tag = "settings", params(Page),
    responses((status = 200, body = DocumentList<DeploymentSettings>), Problems))]
async fn list(State(api): State<Api>, page: Page) -> Result<Json<DocumentList<DeploymentSettings>>, Problem> {
    Ok(Json(api.list(&page).await?))
}

/// What holds for the whole deployment, where somebody has said so; until then the defaults hold.
#[utoipa::path(get, path = "/settings/{id}", tag = "settings", params(("id" = String, Path)),
    responses((status = 200, body = SavedDocument<DeploymentSettings>, headers(("ETag" = String))), Problems))]
async fn read(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = known(&id)?;
    Ok(SavedDocument::from(api.saved::<DeploymentSettings>(id).await?).answer(StatusCode::OK))
}

/// Says what holds for the whole deployment. Their id is `deployment`.
#[utoipa::path(put, path = "/settings/{id}", tag = "settings", request_body = DeploymentSettings,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = SavedDocument<DeploymentSettings>),
        (status = 201, body = SavedDocument<DeploymentSettings>), Problems))]
async fn save(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Precondition(expected): Precondition,
    RequestKey(request_key): RequestKey,
    Body(document): Body<DeploymentSettings>,
) -> Result<Response, Problem> {
    let saving = Saving { caller: &caller, expected, request_key, needs: None };
    let saved = api.save(known(&id)?, &document, saving).await?;
    Ok(SavedDocument::from(saved).answer(status_of(expected)))
}

/// Goes back to the defaults.
#[utoipa::path(delete, path = "/settings/{id}", tag = "settings",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), Problems))]
async fn remove(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Seen(version): Seen,
) -> Result<Response, Problem> {
    api.remove::<DeploymentSettings>(known(&id)?, &caller, version).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The one id that there is.
fn known(id: &str) -> Result<&str, Problem> {
    if id == SettingsId::Deployment.as_str() {
        return Ok(id);
    }
    let id = id.chars().take(80).collect();
    Err(CatalogError::Missing { kind: DeploymentSettings::KIND.name(), id }.into())
}
