//! The exports that use a segment.

use crate::Api;
use crate::caller::{Caller, Role};
use crate::exports::{exports_where, require_use};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Path, State};
use relay_cloud::Saved;
use relay_model::catalog::{Export, Segment};
use relay_model::{ConnectionId, ExportId, SegmentId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(exports))
}

/// The exports, grouped by whether they use a segment.
#[derive(Debug, Serialize, ToSchema)]
struct SegmentExports {
    /// The exports that use the segment.
    contains: Vec<NamedExport>,
    /// The other exports.
    does_not_contain: Vec<NamedExport>,
}

/// An export by id, name and connection.
#[derive(Debug, Serialize, ToSchema)]
struct NamedExport {
    /// The export's id.
    id: ExportId,
    /// The export's display name.
    name: String,
    /// The connection that it exports to; null if the export is detached.
    connection: Option<ConnectionId>,
    /// Whether the export is enabled.
    is_enabled: bool,
}

impl From<Export> for NamedExport {
    fn from(export: Export) -> Self {
        let Export { id, name, connection, enabled, .. } = export;
        Self { id, name, connection, is_enabled: enabled }
    }
}

/// Lists the exports that use a segment, and the exports that do not.
#[utoipa::path(get, path = "/segments/{id}/exports", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = SegmentExports), Problems))]
async fn exports(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<SegmentExports>, Problem> {
    let id = SegmentId::try_from(id)?;
    api.saved::<Segment>(id.as_str()).await?;
    let all = exports_where(&api, |_| true).await?.into_iter().map(|saved| saved.document);
    let (contains, others): (Vec<Export>, Vec<Export>) = all.partition(|export| export.uses(&id));
    let named = |exports: Vec<Export>| exports.into_iter().map(NamedExport::from).collect();
    Ok(Json(SegmentExports { contains: named(contains), does_not_contain: named(others) }))
}

/// Returns the exports that use a segment.
pub(super) async fn exports_using(api: &Api, id: &SegmentId) -> Result<Vec<Saved<Export>>, Problem> {
    exports_where(api, |export| export.uses(id)).await
}

/// Requires that the caller may use the connections of all exports of a segment: a change of the segment can remove people
/// from the lists at those connections.
pub(super) async fn require_use_of_connections(
    api: &Api,
    caller: &Caller,
    id: &SegmentId,
) -> Result<(), Problem> {
    if caller.role >= Role::Administrator {
        return Ok(());
    }
    for export in exports_using(api, id).await? {
        require_use(api, caller, export.document.connection.as_ref()).await?;
    }
    Ok(())
}
