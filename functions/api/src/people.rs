//! Who the caller is, and what people did.

use crate::Api;
use crate::access::ACCESS;
use crate::caller::Caller;
use crate::extract::Page;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Extension, State};
use relay_cloud::AuditLine;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(me)).routes(routes!(audit))
}

/// Who the caller is.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// What stands for the caller in documents and in the audit.
    subject: String,
    /// The highest of the token's roles.
    #[schema(examples("contributor"))]
    role: &'static str,
    /// What the role may do.
    may: Vec<May>,
}

/// Something that the caller may do.
#[derive(Debug, Serialize, ToSchema)]
struct May {
    /// The method.
    method: &'static str,
    /// The route.
    path: &'static str,
    /// What it does.
    what: &'static str,
}

/// Who the caller is, and what they may do.
#[utoipa::path(get, path = "/me", tag = "people", responses((status = 200, body = Me), Problems))]
async fn me(Extension(caller): Extension<Caller>) -> Json<Me> {
    let allowed = ACCESS.iter().filter(|rule| rule.least.is_none_or(|least| caller.role >= least));
    let may = allowed.map(|rule| May { method: rule.method.as_str(), path: rule.path, what: rule.what });
    Json(Me { subject: caller.display_id(), role: caller.role.name(), may: may.collect() })
}

/// What people did, the newest first.
#[derive(Debug, Serialize, ToSchema)]
struct Audit {
    /// The lines.
    items: Vec<AuditLine>,
    /// Where to go on; null at the end.
    next_cursor: Option<String>,
}

/// Who changed what and when, the newest first.
#[utoipa::path(get, path = "/audit", tag = "people", params(Page), responses((status = 200, body = Audit), Problems))]
async fn audit(State(api): State<Api>, page: Page) -> Result<Json<Audit>, Problem> {
    let (items, next_cursor) = api.requests.catalog.audit(page.limit, page.cursor.as_deref()).await?;
    Ok(Json(Audit { items, next_cursor }))
}
