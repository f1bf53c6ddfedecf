//! What a segment selects, in SQL.

use crate::Api;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use relay_model::SegmentId;
use relay_model::catalog::{Origin, Segment};
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(query))
}

/// What a segment selects.
#[derive(Debug, Serialize, ToSchema)]
struct SegmentSelection {
    /// One SELECT: the segment's own, or what its rules compile to.
    query: String,
    /// The column of it that holds the customer id.
    member_key: String,
    /// The sources that it reads.
    sources: BTreeSet<String>,
}

/// The query of a segment: its own, or the one that its rules compile to.
#[utoipa::path(get, path = "/segments/{id}/query", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = SegmentSelection), Problems))]
async fn query(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<SegmentSelection>, Problem> {
    let id = SegmentId::try_from(id)?;
    let segment = api.saved::<Segment>(id.as_str()).await?.document;
    let selection = match segment.origin()? {
        Origin::Selection(selection) => selection,
        Origin::Upload(_) => {
            let detail = format!("segment \"{id}\" is a custom upload: its members are the lines of a CSV");
            return Err(Problem::new(StatusCode::CONFLICT, "segment_without_query", detail));
        }
    };
    // A text that is no query any more is shown all the same.
    let sources = segment.sources().unwrap_or_default();
    let (query, member_key) = (selection.query.into_owned(), selection.member_key.to_owned());
    Ok(Json(SegmentSelection { query, member_key, sources }))
}
