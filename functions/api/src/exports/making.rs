//! Exports out of exports.

use crate::Api;
use crate::caller::Caller;
use crate::documents::{SavedDocument, Saving, change};
use crate::extract::{Body, RequestKey, Seen};
use crate::problem::{Problem, Problems};
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use relay_cloud::{AuditAction, Expected, Written};
use relay_model::ExportId;
use relay_model::catalog::{Export, Kind};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(duplicate)).routes(routes!(detach))
}

/// The name of a copy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Duplicate {
    /// The copy's id.
    id: ExportId,
    /// What people call it.
    name: String,
}

/// Copies an export under another id. The copy is disabled: two exports that mirror one list would remove each other's
/// members, so its target lists want to be changed first.
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
    let original = api.usable_export(&caller, &id).await?.document;
    let export = Export { id: copy.id, name: copy.name, enabled: false, ..original };
    let needs = export.connection.as_ref().map(|connection| (Kind::Connection, connection.to_string()));
    let saving = Saving { caller: &caller, expected: Expected::Absent, request_key, needs };
    let saved = api.save(export.id.as_str(), &export, saving).await?;
    Ok(SavedDocument::from(saved).answer(StatusCode::CREATED))
}

/// Takes the connection out of an export: it keeps its definition, and does not run until it has another one.
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
    let export = api.usable_export(&caller, &id).await?.document;
    let saved = api.detach(&caller, export, version).await?;
    Ok(saved.answer(StatusCode::OK))
}

impl Api {
    /// Takes the connection out of an export.
    pub(crate) async fn detach(
        &self,
        caller: &Caller,
        export: Export,
        version: u64,
    ) -> Result<SavedDocument<Export>, Problem> {
        let expected = Expected::Version(version);
        let saving = Saving { caller, expected, request_key: None, needs: None };
        let (expected, change) = change(saving, AuditAction::Detach);
        let export = Export { connection: None, ..export };
        Ok(match self.requests.catalog.write(&export, expected, &change).await? {
            Written::Done(saved) | Written::Repeated(saved) => saved.into(),
        })
    }
}
