//! The SQL query of a segment.

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

/// The query of a segment.
#[derive(Debug, Serialize, ToSchema)]
struct SegmentSelection {
    /// One SELECT: the segment's query, or the query that its rules compile to.
    query: String,
    /// The column with the customer id.
    member_key: String,
    /// The sources that the query reads.
    sources: BTreeSet<String>,
}

/// Returns the query of a segment, or the query that its rules compile to.
#[utoipa::path(get, path = "/segments/{id}/query", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = SegmentSelection), Problems))]
async fn query(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<SegmentSelection>, Problem> {
    let id = SegmentId::try_from(id)?;
    let segment = api.saved::<Segment>(id.as_str()).await?.document;
    let selection = match segment.origin()? {
        Origin::Selection(selection) => selection,
        Origin::Upload(_) => {
            let detail = format!(
                "segment \"{id}\" is a custom upload and has no query: its members are the lines of a CSV"
            );
            return Err(Problem::new(StatusCode::CONFLICT, "segment_without_query", detail));
        }
    };
    // A stored query that no longer parses is shown without its sources.
    let sources = segment.sources().unwrap_or_default();
    let (query, member_key) = (selection.query.into_owned(), selection.member_key.to_owned());
    Ok(Json(SegmentSelection { query, member_key, sources }))
}
