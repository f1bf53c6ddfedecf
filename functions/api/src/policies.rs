//! Policies: which data must not be used for which marketing actions.

use crate::Api;
use crate::definitions::{self, DocumentList, Draft, RemoveRequest, Resource, SaveRequest, SavedDocument};
use crate::extract::Page;
use crate::governance::{Change, check_change};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use relay_model::PolicyId;
use relay_model::catalog::Policy;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, save, remove))
}

impl Resource for Policy {
    type SaveOptions = ();

    fn check_id(id: &str) -> Result<(), Problem> {
        PolicyId::try_from(id.to_owned())?;
        Ok(())
    }

    async fn check(api: &Api, draft: &Draft<'_, Self>) -> Result<Vec<String>, Problem> {
        check_change(api, Change::Policy { after: &draft.document, before: draft.before() }).await
    }
}

/// Lists the policies.
#[utoipa::path(get, path = "/policies", tag = "policies", params(Page),
    responses((status = 200, body = DocumentList<Policy>), Problems))]
async fn list(State(api): State<Api>, page: Page) -> Result<Json<DocumentList<Policy>>, Problem> {
    Ok(Json(definitions::list(&api, &page).await?))
}

/// Returns a policy.
#[utoipa::path(get, path = "/policies/{id}", tag = "policies", params(("id" = String, Path)),
    responses((status = 200, body = SavedDocument<Policy>, headers(("ETag" = String))), Problems))]
async fn read(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, Problem> {
    definitions::read::<Policy>(&api, &id).await
}

/// Creates or replaces a policy. The request is refused if the policy is enabled and would stop an enabled export.
#[utoipa::path(put, path = "/policies/{id}", tag = "policies", request_body = Policy,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = SavedDocument<Policy>), (status = 201, body = SavedDocument<Policy>), Problems))]
async fn save(State(api): State<Api>, request: SaveRequest<Policy>) -> Result<Response, Problem> {
    definitions::save(&api, request, ()).await
}

/// Removes a policy. It stops applying at once.
#[utoipa::path(delete, path = "/policies/{id}", tag = "policies",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), Problems))]
async fn remove(State(api): State<Api>, request: RemoveRequest) -> Result<StatusCode, Problem> {
    definitions::remove::<Policy>(&api, request).await
}
