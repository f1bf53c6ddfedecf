//! Duplicates and detaches exports.

use super::usable_export;
use crate::Api;
use crate::caller::Caller;
use crate::definitions::{Resource, SavedDocument, change, write};
use crate::extract::{Body, RequestKey, Seen};
use crate::problem::{Problem, Problems};
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use relay_cloud::{AuditAction, Change, Expected};
use relay_model::ExportId;
use relay_model::catalog::Export;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(duplicate)).routes(routes!(detach))
}

/// The id and name of a copy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Duplicate {
    /// The copy's id.
    id: ExportId,
    /// The copy's display name.
    name: String,
}

/// Copies an export under another id. The copy is disabled: two exports that mirror one list would remove each other's
/// members, so change its target lists before you enable it.
#[utoipa::path(post, path = "/exports/{id}/duplicate", tag = "exports", request_body = Duplicate,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = SavedDocument<Export>, headers(("ETag" = String))), Problems))]
async fn duplicate(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    RequestKey(request_key): RequestKey,
    Body(copy): Body<Duplicate>,
) -> Result<Response, Problem> {
    let id = ExportId::try_from(id)?;
    let original = usable_export(&api, &caller, &id).await?.document;
    let export = Export { id: copy.id, name: copy.name, enabled: false, ..original };
    let needs = export.required_definition();
    let change = Change { needs, request_key, ..change(&caller, AuditAction::Create) };
    let saved = write(&api, &export, Expected::Absent, &change).await?;
    Ok(SavedDocument::from(saved).answer(StatusCode::CREATED))
}

/// Takes the connection out of an export. The export keeps its definition and does not run until it has another connection.
#[utoipa::path(post, path = "/exports/{id}/detach", tag = "exports",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = SavedDocument<Export>, headers(("ETag" = String))), Problems))]
async fn detach(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Seen(version): Seen,
) -> Result<Response, Problem> {
    let id = ExportId::try_from(id)?;
    let export = usable_export(&api, &caller, &id).await?.document;
    let saved = clear_connection(&api, &caller, export, version).await?;
    Ok(saved.answer(StatusCode::OK))
}

/// Takes the connection out of an export.
pub(crate) async fn clear_connection(
    api: &Api,
    caller: &Caller,
    export: Export,
    version: u64,
) -> Result<SavedDocument<Export>, Problem> {
    let export = Export { connection: None, ..export };
    let change = change(caller, AuditAction::Detach);
    Ok(write(api, &export, Expected::Version(version), &change).await?.into())
}
