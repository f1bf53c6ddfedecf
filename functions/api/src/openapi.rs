//! The OpenAPI 3.1 document, generated from the handlers.

use crate::access::rule;
use crate::connections::Dependents;
use crate::exports::{Check, OverviewChoice};
use crate::problem::{FieldProblem, Problems};
use crate::segments::SegmentCheck;
use axum::Json;
use axum::http::Method;
use serde_json::json;
use utoipa::OpenApi;
use utoipa::openapi::Components;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};

/// The document without its paths. Schemas that are only referenced by name are listed here.
#[derive(OpenApi)]
#[openapi(
    components(schemas(Check, Dependents, FieldProblem, OverviewChoice, SegmentCheck)),
    info(
        title = "Segment Relay",
        description = "Connections, segments, exports and runs. Every request needs a token of the issuer that the stack was \
                   deployed with. Changes need the version that they replace (If-Match), and errors are problem \
                   details (RFC 9457)."
    )
)]
struct Document;

/// Returns the document without its paths.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// Adds the required role to every operation, from the table that is enforced.
pub(crate) fn with_access(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let token =
        SecurityScheme::Http(Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build());
    let components = document.components.get_or_insert_with(Components::new);
    components.security_schemes.insert("token".to_owned(), token.into());
    document.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let least = rule(&method, path).and_then(|rule| rule.least);
            let role = least.map_or("any", crate::caller::Role::name);
            operation.extensions = Some(ExtensionsBuilder::new().add("x-least-role", json!(role)).build());
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, delete, .. } = item;
    [(Method::GET, get), (Method::PUT, put), (Method::POST, post), (Method::DELETE, delete)]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Returns this document.
#[utoipa::path(get, path = "/openapi.json", tag = "people", responses((status = 200, body = Object), Problems))]
pub(crate) async fn serve(
    axum::extract::Extension(document): axum::extract::Extension<std::sync::Arc<utoipa::openapi::OpenApi>>,
) -> Json<utoipa::openapi::OpenApi> {
    Json((*document).clone())
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
