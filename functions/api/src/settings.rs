//! Settings of the whole deployment.

use crate::Api;
use crate::definitions::{self, DocumentList, RemoveRequest, Resource, SaveRequest, SavedDocument};
use crate::extract::Page;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use relay_model::catalog::{CatalogError, DeploymentSettings, Document, SettingsId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, save, remove))
}

impl Resource for DeploymentSettings {
    type SaveOptions = ();

    /// Accepts the id `deployment` only.
    fn check_id(id: &str) -> Result<(), Problem> {
        if id == SettingsId::Deployment.as_str() {
            return Ok(());
        }
        let id = id.chars().take(80).collect();
        Err(CatalogError::Missing { kind: Self::KIND.name(), id }.into())
    }
}

/// Lists the settings: one document, or none while the defaults apply.
#[utoipa::path(get, path = "/settings", tag = "settings", params(Page),
    responses((status = 200, body = DocumentList<DeploymentSettings>), Problems))]
async fn list(State(api): State<Api>, page: Page) -> Result<Json<DocumentList<DeploymentSettings>>, Problem> {
    Ok(Json(definitions::list(&api, &page).await?))
}

/// Returns the settings of the deployment. Responds with 404 while the defaults apply.
#[utoipa::path(get, path = "/settings/{id}", tag = "settings", params(("id" = String, Path)),
    responses((status = 200, body = SavedDocument<DeploymentSettings>, headers(("ETag" = String))), Problems))]
async fn read(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, Problem> {
    definitions::read::<DeploymentSettings>(&api, &id).await
}

/// Creates or replaces the settings of the deployment. Their id is `deployment`.
#[utoipa::path(put, path = "/settings/{id}", tag = "settings", request_body = DeploymentSettings,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = SavedDocument<DeploymentSettings>),
        (status = 201, body = SavedDocument<DeploymentSettings>), Problems))]
async fn save(State(api): State<Api>, request: SaveRequest<DeploymentSettings>) -> Result<Response, Problem> {
    definitions::save(&api, request, ()).await
}

/// Removes the settings, so that the defaults apply again.
#[utoipa::path(delete, path = "/settings/{id}", tag = "settings",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), Problems))]
async fn remove(State(api): State<Api>, request: RemoveRequest) -> Result<StatusCode, Problem> {
    definitions::remove::<DeploymentSettings>(&api, request).await
}
