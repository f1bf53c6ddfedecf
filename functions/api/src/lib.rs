//! The HTTP API: who calls, what they may do, and what is answered.
//!
//! [`caller`] reads who calls out of the token that the gateway has checked, [`access`] holds the table of who may use
//! which route and the one place where it is enforced, and [`problem`] the form of errors. The rest is handlers, one
//! module for each kind of thing; the OpenAPI document is made of them.

pub mod access;
pub mod caller;
mod connections;
mod documents;
mod exports;
mod extract;
mod governance;
mod links;
mod openapi;
mod people;
mod persons;
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

/// What the handlers need.
#[derive(Clone)]
pub struct Api {
    /// The catalog, the ledger and the queues.
    pub requests: RunRequests,
    /// Connectors.
    pub connections: Connections,
    /// The query engine, and the data bucket.
    pub engine: EngineClient,
    /// What is asked for single people.
    pub people: PersonRequests,
    /// Where credentials go.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// What the names of the connections' secrets begin with.
    pub secret_prefix: String,
}

/// The routes, each behind the check of who may use it.
pub fn router(api: Api, names: RoleNames) -> Router {
    let (router, document) = routes().split_for_parts();
    let document = Arc::new(openapi::with_access(document));
    access::guarded(router.with_state(api).layer(Extension(document)), names)
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "route_missing", "there is no such route") })
}

/// The API as an OpenAPI document.
#[must_use]
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    openapi::with_access(routes().into_openapi())
}

fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(openapi::document())
        .routes(routes!(openapi::serve))
        .merge(people::router())
        .merge(settings::router())
        .merge(persons::router())
        .merge(sources::router())
        .merge(segments::router())
        .merge(connections::router())
        .merge(policies::router())
        .merge(exports::router())
        .merge(runs::router())
}
