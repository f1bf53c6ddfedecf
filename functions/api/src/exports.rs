//! What goes where.

mod checking;
mod data_usage;
mod making;
mod overview;
mod running;

pub(crate) use running::StartedRun;

pub(crate) use checking::Check;
use checking::SavingQuery;
pub(crate) use overview::OverviewChoice;
use overview::{ExportList, ListQuery, ListedExport, ReadQuery};

use crate::Api;
use crate::caller::{Caller, Role};
use crate::documents::{SavedDocument, Saving, require_id, status_of, versioned};
use crate::extract::{Body, Page, Precondition, RequestKey, Seen};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use relay_cloud::timestamp_now;
use relay_cloud::{LookupError, Saved};
use relay_model::catalog::{Activation, CatalogError, Connection, Document, Export, Kind, Segment, UseBy};
use relay_model::{ConnectionId, ExportId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, save, remove))
        .merge(data_usage::router())
        .merge(making::router())
        .merge(running::router())
}

/// The exports, and where each of them stands.
#[utoipa::path(get, path = "/exports", tag = "exports", params(ListQuery),
    responses((status = 200, body = ExportList), Problems))]
async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<ExportList>, Problem> {
    let Query(ListQuery { limit, cursor, overview }) = query.map_err(|error| Problem::query(&error))?;
    let list = api.list::<Export>(&Page::checked(limit, cursor)?).await?;
    Ok(Json(api.with_overviews(&caller, list, overview).await?))
}

/// An export, and where it stands.
#[utoipa::path(get, path = "/exports/{id}", tag = "exports", params(("id" = String, Path), ReadQuery),
    responses((status = 200, body = ListedExport, headers(("ETag" = String))), Problems))]
async fn read(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Result<Query<ReadQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let id = ExportId::try_from(id)?;
    let Query(ReadQuery { overview }) = query.map_err(|error| Problem::query(&error))?;
    let saved = api.saved::<Export>(id.as_str()).await?;
    let version = saved.version;
    let listed = api.with_overview(&caller, saved, overview).await?;
    Ok(versioned(StatusCode::OK, version, listed))
}

/// Makes or replaces an export. Saving it does not run it. One that uses data in a way that a policy forbids is refused.
#[utoipa::path(put, path = "/exports/{id}", tag = "exports", request_body = Export,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header), SavingQuery),
    responses((status = 200, body = SavedDocument<Export>), (status = 201, body = SavedDocument<Export>), Problems))]
async fn save(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Precondition(expected): Precondition,
    RequestKey(request_key): RequestKey,
    query: Result<Query<SavingQuery>, QueryRejection>,
    Body(document): Body<Export>,
) -> Result<Response, Problem> {
    let id = ExportId::try_from(id)?;
    let query = query.map_err(|error| Problem::query(&error))?;
    let current = api.requests.catalog.find::<Export>(id.as_str()).await?;
    if let Some(current) = current {
        api.require_use(&caller, current.document.connection.as_ref()).await?;
    }
    api.require_use(&caller, document.connection.as_ref()).await?;
    require_id(id.as_str(), &document)?;
    let mut warnings = api.check_references(&document).await?;
    document.validate()?;
    // Both may take their time, and there is time once.
    let (checked, held) = tokio::join!(api.check_export(query.check, &document), api.hold_export(&document));
    warnings.extend(held?);
    warnings.extend(checked?);
    let needs = document.connection.as_ref().map(|connection| (Kind::Connection, connection.to_string()));
    let saving = Saving { caller: &caller, expected, request_key, needs };
    let saved = api.save(id.as_str(), &document, saving).await?;
    Ok(SavedDocument { warnings, ..saved.into() }.answer(status_of(expected)))
}

/// Removes an export, and stops its run. What it has delivered stays in the destination.
#[utoipa::path(delete, path = "/exports/{id}", tag = "exports",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), Problems))]
async fn remove(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Seen(version): Seen,
) -> Result<Response, Problem> {
    let id = ExportId::try_from(id)?;
    let current = api.saved::<Export>(id.as_str()).await?;
    api.require_use(&caller, current.document.connection.as_ref()).await?;
    if current.version == version {
        api.requests.stop_export(&id, &caller.display_id(), timestamp_now()).await?;
    }
    api.remove::<Export>(id.as_str(), &caller, version).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl Api {
    /// Every export for which `wanted` holds.
    pub(crate) async fn exports_where(
        &self,
        wanted: impl Fn(&Export) -> bool,
    ) -> Result<Vec<Saved<Export>>, Problem> {
        let all = self.requests.catalog.list::<Export>().await?;
        Ok(all.into_iter().flatten().filter(|saved| wanted(&saved.document)).collect())
    }

    /// An export that the caller may run.
    pub(crate) async fn usable_export(
        &self,
        caller: &Caller,
        id: &ExportId,
    ) -> Result<Saved<Export>, Problem> {
        let saved = self.saved::<Export>(id.as_str()).await?;
        self.require_use(caller, saved.document.connection.as_ref()).await?;
        Ok(saved)
    }

    /// Contributors use the connections that are shared with them; administrators use all.
    pub(crate) async fn require_use(
        &self,
        caller: &Caller,
        connection: Option<&ConnectionId>,
    ) -> Result<(), Problem> {
        let Some(connection) = connection else { return Ok(()) };
        if caller.role >= Role::Administrator {
            return Ok(());
        }
        let found = self.requests.catalog.find::<Connection>(connection.as_str()).await?;
        if found.is_some_and(|saved| saved.document.use_by == UseBy::Contributors) {
            return Ok(());
        }
        let detail = format!(
            "connection \"{connection}\" is for administrators only; one of them can share it (use_by: contributors)"
        );
        Err(Problem::new(StatusCode::FORBIDDEN, "connection_not_shared", detail))
    }

    /// What an export names has to be there when it is saved. Gives what people should know of it.
    async fn check_references(&self, export: &Export) -> Result<Vec<String>, Problem> {
        let missing = |error: LookupError, field: String| match error {
            LookupError::Catalog(error @ CatalogError::Missing { .. }) => {
                Problem::field("reference_missing", field, error.to_string())
            }
            other => other.into(),
        };
        if let Some(connection) = &export.connection {
            let found = self.requests.catalog.get::<Connection>(connection.as_str()).await;
            found.map_err(|error| missing(error, "/connection".to_owned()))?;
        }
        let mut warnings = Vec::new();
        for (index, entry) in export.segments.iter().enumerate() {
            let found = self.requests.catalog.get::<Segment>(entry.segment.as_str()).await;
            let segment = found.map_err(|error| missing(error, format!("/segments/{index}/segment")))?;
            if let Activation::Over(until) = entry.activation(timestamp_now()) {
                warnings.push(format!(
                    "segment \"{}\" went until {until}: the next run is as if it had been taken out",
                    segment.id
                ));
            }
            if !segment.active {
                warnings.push(format!(
                    "segment \"{}\" is switched off: its target list stays as it is until it is switched on",
                    segment.id
                ));
            }
        }
        Ok(warnings)
    }
}
