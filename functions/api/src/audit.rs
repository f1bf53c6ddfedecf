//! The audit: who changed what, and when.

use crate::Api;
use crate::extract::Page;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::State;
use relay_cloud::AuditLine;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(audit))
}

/// One page of the audit, newest lines first.
#[derive(Debug, Serialize, ToSchema)]
struct Audit {
    /// The lines.
    items: Vec<AuditLine>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

/// Lists the changes and other actions of all callers, newest first.
#[utoipa::path(get, path = "/audit", tag = "people", params(Page), responses((status = 200, body = Audit), Problems))]
async fn audit(State(api): State<Api>, page: Page) -> Result<Json<Audit>, Problem> {
    let (items, next_cursor) = api.requests.catalog.audit(page.limit, page.cursor.as_deref()).await?;
    Ok(Json(Audit { items, next_cursor }))
}
