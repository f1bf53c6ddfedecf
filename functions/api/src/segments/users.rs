//! Which exports use a segment.

use crate::Api;
use crate::caller::{Caller, Role};
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

/// The exports, by whether they use a segment.
#[derive(Debug, Serialize, ToSchema)]
struct SegmentExports {
    /// Those that use it.
    contains: Vec<NamedExport>,
    /// The others.
    does_not_contain: Vec<NamedExport>,
}

/// What one needs to know an export again.
#[derive(Debug, Serialize, ToSchema)]
struct NamedExport {
    /// Its identifier.
    id: ExportId,
    /// What people call it.
    name: String,
    /// The account that it goes to; null for an export that is detached.
    connection: Option<ConnectionId>,
    /// Whether it may run.
    is_enabled: bool,
}

impl From<Export> for NamedExport {
    fn from(export: Export) -> Self {
        let Export { id, name, connection, enabled, .. } = export;
        Self { id, name, connection, is_enabled: enabled }
    }
}

/// Which exports use a segment, and which do not.
#[utoipa::path(get, path = "/segments/{id}/exports", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = SegmentExports), Problems))]
async fn exports(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<SegmentExports>, Problem> {
    let id = SegmentId::try_from(id)?;
    api.saved::<Segment>(id.as_str()).await?;
    let all = api.exports_where(|_| true).await?.into_iter().map(|saved| saved.document);
    let (contains, others): (Vec<Export>, Vec<Export>) = all.partition(|export| export.uses(&id));
    let named = |exports: Vec<Export>| exports.into_iter().map(NamedExport::from).collect();
    Ok(Json(SegmentExports { contains: named(contains), does_not_contain: named(others) }))
}

impl Api {
    /// The exports that use a segment.
    pub(super) async fn users_of(&self, id: &SegmentId) -> Result<Vec<Saved<Export>>, Problem> {
        self.exports_where(|export| export.uses(id)).await
    }

    /// A segment decides who leaves through the connections of its exports, so that whoever changes it has to be allowed
    /// to use them.
    pub(super) async fn require_use_through(&self, caller: &Caller, id: &SegmentId) -> Result<(), Problem> {
        if caller.role >= Role::Administrator {
            return Ok(());
        }
        for user in self.users_of(id).await? {
            self.require_use(caller, user.document.connection.as_ref()).await?;
        }
        Ok(())
    }
}
