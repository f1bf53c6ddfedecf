//! The caller: subject, role and permitted routes.

use crate::Api;
use crate::access::ACCESS;
use crate::caller::Caller;
use crate::problem::Problems;
use axum::Json;
use axum::extract::Extension;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(me))
}

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// The identifier of the caller in definitions and audit lines.
    subject: String,
    /// The highest role in the token.
    #[schema(examples("contributor"))]
    role: &'static str,
    /// The routes that the role may use.
    may: Vec<May>,
}

/// A route that the caller may use.
#[derive(Debug, Serialize, ToSchema)]
struct May {
    /// The HTTP method.
    method: &'static str,
    /// The path.
    path: &'static str,
    /// What the route does.
    what: &'static str,
}

/// Returns the caller's identifier, role and permitted routes.
#[utoipa::path(get, path = "/me", tag = "people", responses((status = 200, body = Me), Problems))]
async fn me(Extension(caller): Extension<Caller>) -> Json<Me> {
    let allowed = ACCESS.iter().filter(|rule| rule.least.is_none_or(|least| caller.role >= least));
    let may = allowed.map(|rule| May { method: rule.method.as_str(), path: rule.path, what: rule.what });
    Json(Me { subject: caller.display_id(), role: caller.role.name(), may: may.collect() })
}
