//! Connections: accounts at destinations.

mod credentials;
mod testing;

use crate::Api;
use crate::caller::{Caller, Role};
use crate::definitions::{
    self, DocumentList, Draft, RemoveRequest, Resource, SaveRequest, SavedDocument, versioned,
};
use crate::exports::{clear_connection, exports_where};
use crate::extract::Page;
use crate::governance::{Change, check_change};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use relay_cloud::timestamp_now;
use relay_model::catalog::{Connection, Consent, Export, UseBy};
use relay_model::{ConnectionId, Destination, ExportId, MarketingAction};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, save, remove))
        .merge(credentials::router())
        .merge(testing::router())
}

/// A connection as the caller may see it: only administrators see settings, consent and the name of the secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownConnection {
    id: ConnectionId,
    name: String,
    destination: Destination,
    use_by: UseBy,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    marketing_actions: BTreeSet<MarketingAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<Consent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
}

impl ShownConnection {
    fn to(caller: &Caller, connection: Connection) -> Self {
        let Connection { id, name, destination, secret, consent, use_by, marketing_actions, settings } =
            connection;
        let mut shown = Self {
            id,
            name,
            destination,
            use_by,
            marketing_actions,
            secret: None,
            consent: None,
            settings: None,
        };
        if caller.role >= Role::Administrator {
            shown.secret = Some(secret);
            shown.consent = consent;
            shown.settings = Some(settings);
        }
        shown
    }
}

/// A connection with the exports that use it.
#[derive(Debug, Serialize, ToSchema)]
struct ListedConnection {
    #[serde(flatten)]
    saved: SavedDocument<ShownConnection>,
    /// The exports that use the connection; for administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_by: Option<Vec<ExportId>>,
}

/// One page of the connections.
#[derive(Debug, Serialize, ToSchema)]
struct ConnectionList {
    /// The connections, sorted by id.
    items: Vec<ListedConnection>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
    /// One error for each stored definition that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
}

/// Lists the connections.
#[utoipa::path(get, path = "/connections", tag = "connections", params(Page),
    responses((status = 200, body = ConnectionList), Problems))]
async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    page: Page,
) -> Result<Json<ConnectionList>, Problem> {
    let DocumentList { items, next_cursor, unreadable } =
        definitions::list::<Connection>(&api, &page).await?;
    let users = exports_by_connection(&api, &caller).await?;
    let items = items.into_iter().map(|saved| listed(&caller, saved, users.as_ref())).collect();
    Ok(Json(ConnectionList { items, next_cursor, unreadable }))
}

/// The exports of each connection.
type Users = HashMap<ConnectionId, Vec<ExportId>>;

fn listed(caller: &Caller, saved: SavedDocument<Connection>, users: Option<&Users>) -> ListedConnection {
    let used_by = users.map(|users| users.get(&saved.document.id).cloned().unwrap_or_default());
    ListedConnection { saved: saved.map(|connection| ShownConnection::to(caller, connection)), used_by }
}

/// Returns a connection.
#[utoipa::path(get, path = "/connections/{id}", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = ListedConnection, headers(("ETag" = String))), Problems))]
async fn read(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = ConnectionId::try_from(id)?;
    let saved = SavedDocument::from(api.saved::<Connection>(id.as_str()).await?);
    let users = exports_by_connection(&api, &caller).await?;
    let version = saved.version;
    Ok(versioned(StatusCode::OK, version, listed(&caller, saved, users.as_ref())))
}

/// Returns the exports of each connection if the caller is an administrator. Other callers do not get them, because they
/// may not remove a connection.
async fn exports_by_connection(api: &Api, caller: &Caller) -> Result<Option<Users>, Problem> {
    if caller.role < Role::Administrator {
        return Ok(None);
    }
    let mut users = Users::new();
    for saved in api.requests.catalog.list::<Export>().await?.into_iter().flatten() {
        if let Some(connection) = saved.document.connection {
            users.entry(connection).or_default().push(saved.document.id);
        }
    }
    Ok(Some(users))
}

impl Resource for Connection {
    type SaveOptions = ();

    fn check_id(id: &str) -> Result<(), Problem> {
        ConnectionId::try_from(id.to_owned())?;
        Ok(())
    }

    async fn prepare(api: &Api, draft: &mut Draft<'_, Self>) -> Result<(), Problem> {
        let prefix = &api.secret_prefix;
        let secret = &draft.document.secret;
        if !secret.starts_with(prefix.as_str()) || secret.len() == prefix.len() {
            let problem = format!("must begin with {prefix}: the functions can read no other secrets");
            return Err(Problem::field("secret_out_of_reach", "/secret", problem));
        }
        let stored = draft.before().and_then(|before| before.consent.clone());
        draft.document.consent = consent(draft.caller, draft.document.consent.take(), stored)?;
        let destination = draft.document.destination;
        if draft.before().is_some_and(|before| before.destination != destination) {
            let problem = "the destination of a connection cannot change; create another connection";
            return Err(Problem::field("destination_changed", "/destination", problem));
        }
        let checked = api.connections.validate_settings(&draft.document);
        checked.map_err(|error| Problem::field(error.code().as_str(), "/settings", error.to_string()))
    }

    async fn check(api: &Api, draft: &Draft<'_, Self>) -> Result<Vec<String>, Problem> {
        let change = Change::Connection { after: &draft.document, before: draft.before() };
        let mut warnings = check_change(api, change).await?;
        if draft.document.consent.is_none() {
            let text = "the connection has no consent, so nothing is exported through it: PUT /connections/{id}/consent";
            warnings.push(text.to_owned());
        }
        Ok(warnings)
    }
}

/// Creates or replaces a connection. Consent and credentials have routes of their own. The request is refused if its
/// marketing actions would stop an enabled export because of a policy.
#[utoipa::path(put, path = "/connections/{id}", tag = "connections", request_body = Connection,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = SavedDocument<Connection>), (status = 201, body = SavedDocument<Connection>),
        Problems))]
async fn save(State(api): State<Api>, request: SaveRequest<Connection>) -> Result<Response, Problem> {
    definitions::save(&api, request, ()).await
}

/// Returns the consent to store. A new text is recorded with the caller and the current time, so that a client cannot claim
/// another author or date.
fn consent(
    caller: &Caller,
    requested: Option<Consent>,
    stored: Option<Consent>,
) -> Result<Option<Consent>, Problem> {
    match (requested, stored) {
        (Some(requested), Some(stored)) if requested.text == stored.text => Ok(Some(stored)),
        (Some(Consent { text, .. }), _) => {
            Ok(Some(Consent { by: caller.display_id(), at: timestamp_now(), text }))
        }
        (None, None) => Ok(None),
        (None, Some(_)) => {
            let problem = "can only be withdrawn by DELETE /connections/{id}/consent";
            Err(Problem::field("consent_elsewhere", "/consent", problem))
        }
    }
}

/// What happens to the exports of a connection that is removed.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dependents {
    /// Nothing is removed if there are any; the response lists them.
    #[default]
    Refuse,
    /// The exports are removed too.
    Remove,
    /// The exports keep their definitions and do not run until they have another connection.
    Detach,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RemovalQuery {
    /// What happens to the exports of the connection.
    #[serde(default)]
    #[param(required = false)]
    exports: Dependents,
}

/// Removes a connection and stops its runs. Its secret stays in Secrets Manager.
#[utoipa::path(delete, path = "/connections/{id}", tag = "connections",
    params(("id" = String, Path), ("If-Match" = String, Header), RemovalQuery),
    responses((status = 204), Problems))]
async fn remove(
    State(api): State<Api>,
    query: Result<Query<RemovalQuery>, QueryRejection>,
    request: RemoveRequest,
) -> Result<StatusCode, Problem> {
    let id = ConnectionId::try_from(request.id.clone())?;
    let Query(RemovalQuery { exports }) = query.map_err(|error| Problem::query(&error))?;
    let current = api.saved::<Connection>(id.as_str()).await?;
    if current.version != request.version {
        let detail = format!("connection \"{id}\" is at version {} now; read it again", current.version);
        return Err(Problem::new(StatusCode::PRECONDITION_FAILED, "changed_in_the_meantime", detail));
    }
    release_exports(&api, &request.caller, &id, exports).await?;
    definitions::remove::<Connection>(&api, request).await
}

/// Stops the runs of a connection, and removes or detaches its exports as requested.
async fn release_exports(
    api: &Api,
    caller: &Caller,
    id: &ConnectionId,
    dependents: Dependents,
) -> Result<(), Problem> {
    let users = exports_where(api, |export| export.connection.as_ref() == Some(id)).await?;
    let names: Vec<&str> = users.iter().map(|saved| saved.document.id.as_str()).collect();
    if matches!(dependents, Dependents::Refuse) && !users.is_empty() {
        let detail = format!(
            "exports use connection \"{id}\": {}; add ?exports=detach to keep them without a connection, or \
             ?exports=remove to remove them too",
            names.join(", ")
        );
        return Err(Problem::new(StatusCode::CONFLICT, "connection_in_use", detail));
    }
    // The runs are found through their exports, so they stop before the exports lose the connection.
    api.requests.stop_connection(id, &caller.display_id(), timestamp_now()).await?;
    for saved in users {
        match dependents {
            Dependents::Remove => {
                definitions::delete::<Export>(api, caller, saved.document.id.as_str(), saved.version).await?;
            }
            Dependents::Detach | Dependents::Refuse => {
                clear_connection(api, caller, saved.document, saved.version).await?;
            }
        }
    }
    Ok(())
}
