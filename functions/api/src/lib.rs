//! The HTTP API: callers, roles, handlers and errors.
//!
//! [`caller`] reads the caller from the token that the gateway has verified. [`access`] holds the table of roles and routes
//! and enforces it. [`problem`] has the error format. `definitions` implements list, read, save and remove for all kinds of
//! definitions. The other modules hold the handlers of one resource each; the OpenAPI document is generated from them.

pub mod access;
mod audit;
pub mod caller;
mod connections;
mod definitions;
mod exports;
mod extract;
mod governance;
mod links;
mod me;
mod openapi;
mod person_requests;
mod policies;
pub mod problem;
mod runs;
mod segments;
mod settings;
mod sources;

use access::RoleNames;
use axum::http::StatusCode;
use axum::{Extension, Router};
use problem::Problem;
use relay_pipeline::{Connections, EngineClient, RunRequests};
use relay_privacy::PersonRequests;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The shared context of the handlers.
#[derive(Clone)]
pub struct Api {
    /// The catalog, the ledger and the queues.
    pub requests: RunRequests,
    /// Builds connectors.
    pub connections: Connections,
    /// The query engine's client, which also holds the data bucket.
    pub engine: EngineClient,
    /// Requests about one person.
    pub people: PersonRequests,
    /// Stores credentials.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// The prefix of the names of the connections' secrets.
    pub secret_prefix: String,
}

/// Builds the router. Each route is guarded by the check of the caller's role.
pub fn router(api: Api, names: RoleNames) -> Router {
    let (router, document) = routes().split_for_parts();
    let document = Arc::new(openapi::with_access(document));
    access::guarded(router.with_state(api).layer(Extension(document)), names)
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "route_missing", "there is no such route") })
}

/// Returns the API as an OpenAPI document.
#[must_use]
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    openapi::with_access(routes().into_openapi())
}

fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(openapi::document())
        .routes(routes!(openapi::serve))
        .merge(me::router())
        .merge(audit::router())
        .merge(settings::router())
        .merge(person_requests::router())
        .merge(sources::router())
        .merge(segments::router())
        .merge(connections::router())
        .merge(policies::router())
        .merge(exports::router())
        .merge(runs::router())
}
