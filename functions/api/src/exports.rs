//! Exports: which segments are sent to which connection, and how.

mod actions;
mod checking;
mod data_usage;
mod overview;
mod running;

pub(crate) use actions::clear_connection;
pub(crate) use checking::Check;
pub(crate) use overview::OverviewChoice;
pub(crate) use running::StartedRun;

use crate::Api;
use crate::caller::{Caller, Role};
use crate::definitions::{self, Draft, RemoveRequest, Resource, SaveRequest, SavedDocument, versioned};
use crate::extract::Page;
use crate::governance::check_export_policies;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use checking::{SavingQuery, check_export};
use overview::{ExportList, ListQuery, ListedExport, ReadQuery, with_overview, with_overviews};
use relay_cloud::timestamp_now;
use relay_cloud::{LookupError, Saved};
use relay_model::catalog::{Activation, CatalogError, Connection, Export, Kind, Segment, UseBy};
use relay_model::{ConnectionId, ExportId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, save, remove))
        .merge(data_usage::router())
        .merge(actions::router())
        .merge(running::router())
}

/// Lists the exports with their overviews.
#[utoipa::path(get, path = "/exports", tag = "exports", params(ListQuery),
    responses((status = 200, body = ExportList), Problems))]
async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<ExportList>, Problem> {
    let Query(ListQuery { limit, cursor, overview }) = query.map_err(|error| Problem::query(&error))?;
    let list = definitions::list::<Export>(&api, &Page::checked(limit, cursor)?).await?;
    Ok(Json(with_overviews(&api, &caller, list, overview).await?))
}

/// Returns an export with its overview.
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
    let listed = with_overview(&api, &caller, saved, overview).await?;
    Ok(versioned(StatusCode::OK, version, listed))
}

impl Resource for Export {
    type SaveOptions = Check;

    fn check_id(id: &str) -> Result<(), Problem> {
        ExportId::try_from(id.to_owned())?;
        Ok(())
    }

    fn required_definition(&self) -> Option<(Kind, String)> {
        self.connection.as_ref().map(|connection| (Kind::Connection, connection.to_string()))
    }

    async fn prepare(api: &Api, draft: &mut Draft<'_, Self>) -> Result<(), Problem> {
        if let Some(before) = draft.before() {
            require_use(api, draft.caller, before.connection.as_ref()).await?;
        }
        require_use(api, draft.caller, draft.document.connection.as_ref()).await
    }

    async fn check(api: &Api, draft: &Draft<'_, Self>) -> Result<Vec<String>, Problem> {
        let export = &draft.document;
        let mut warnings = check_references(api, export).await?;
        // Both checks may be slow, and API Gateway's timeout leaves time for one wait.
        let (checked, governed) =
            tokio::join!(check_export(api, draft.options, export), check_export_policies(api, export));
        warnings.extend(governed?);
        warnings.extend(checked?);
        Ok(warnings)
    }

    async fn before_removal(api: &Api, request: &RemoveRequest) -> Result<(), Problem> {
        let id = ExportId::try_from(request.id.clone())?;
        let current = usable_export(api, &request.caller, &id).await?;
        if current.version == request.version {
            api.requests.stop_export(&id, &request.caller.display_id(), timestamp_now()).await?;
        }
        Ok(())
    }
}

/// Creates or replaces an export. Saving does not start a run. The request is refused if a policy forbids how the export
/// uses data.
#[utoipa::path(put, path = "/exports/{id}", tag = "exports", request_body = Export,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header), SavingQuery),
    responses((status = 200, body = SavedDocument<Export>), (status = 201, body = SavedDocument<Export>), Problems))]
async fn save(
    State(api): State<Api>,
    query: Result<Query<SavingQuery>, QueryRejection>,
    request: SaveRequest<Export>,
) -> Result<Response, Problem> {
    let query = query.map_err(|error| Problem::query(&error))?;
    Box::pin(definitions::save(&api, request, query.check)).await
}

/// Removes an export and stops its run. Members that it has delivered stay at the destination.
#[utoipa::path(delete, path = "/exports/{id}", tag = "exports",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), Problems))]
async fn remove(State(api): State<Api>, request: RemoveRequest) -> Result<StatusCode, Problem> {
    definitions::remove::<Export>(&api, request).await
}

/// Returns the exports for which `is_wanted` returns true.
pub(crate) async fn exports_where(
    api: &Api,
    is_wanted: impl Fn(&Export) -> bool,
) -> Result<Vec<Saved<Export>>, Problem> {
    let all = api.requests.catalog.list::<Export>().await?;
    Ok(all.into_iter().flatten().filter(|saved| is_wanted(&saved.document)).collect())
}

/// Reads an export, and requires that the caller may use its connection.
async fn usable_export(api: &Api, caller: &Caller, id: &ExportId) -> Result<Saved<Export>, Problem> {
    let saved = api.saved::<Export>(id.as_str()).await?;
    require_use(api, caller, saved.document.connection.as_ref()).await?;
    Ok(saved)
}

/// Requires that the caller may use a connection. Contributors may use the shared ones, and administrators all.
pub(crate) async fn require_use(
    api: &Api,
    caller: &Caller,
    connection: Option<&ConnectionId>,
) -> Result<(), Problem> {
    let Some(connection) = connection else { return Ok(()) };
    if caller.role >= Role::Administrator {
        return Ok(());
    }
    let found = api.requests.catalog.find::<Connection>(connection.as_str()).await?;
    if found.is_some_and(|saved| saved.document.use_by == UseBy::Contributors) {
        return Ok(());
    }
    let detail = format!(
        "connection \"{connection}\" is for administrators only; an administrator can share it (use_by: contributors)"
    );
    Err(Problem::new(StatusCode::FORBIDDEN, "connection_not_shared", detail))
}

/// Checks that the connection and the segments of an export exist, and returns warnings about the segments.
async fn check_references(api: &Api, export: &Export) -> Result<Vec<String>, Problem> {
    let missing = |error: LookupError, field: String| match error {
        LookupError::Catalog(error @ CatalogError::Missing { .. }) => {
            Problem::field("reference_missing", field, error.to_string())
        }
        other => other.into(),
    };
    if let Some(connection) = &export.connection {
        let found = api.requests.catalog.get::<Connection>(connection.as_str()).await;
        found.map_err(|error| missing(error, "/connection".to_owned()))?;
    }
    let mut warnings = Vec::new();
    for (index, entry) in export.segments.iter().enumerate() {
        let found = api.requests.catalog.get::<Segment>(entry.segment.as_str()).await;
        let segment = found.map_err(|error| missing(error, format!("/segments/{index}/segment")))?;
        if let Activation::Over(until) = entry.activation(timestamp_now()) {
            warnings.push(format!(
                "segment \"{}\" was active until {until}: the next run treats it as removed from the export",
                segment.id
            ));
        }
        if !segment.active {
            warnings.push(format!(
                "segment \"{}\" is inactive: its target list does not change until the segment is active again",
                segment.id
            ));
        }
    }
    Ok(warnings)
}
