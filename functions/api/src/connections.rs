//! Accounts of destinations.

mod credentials;
mod testing;

use crate::Api;
use crate::caller::{Caller, Role};
use crate::documents::{DocumentList, SavedDocument, Saving, require_id, status_of, versioned};
use crate::extract::{Body, Page, Precondition, RequestKey, Seen};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use relay_cloud::timestamp_now;
use relay_model::catalog::{Connection, Consent, Document, Export, UseBy};
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

/// A connection as its reader may see it: settings, consent and the secret's name are for administrators.
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

/// A connection, and what stands beside its definition.
#[derive(Debug, Serialize, ToSchema)]
struct ListedConnection {
    #[serde(flatten)]
    saved: SavedDocument<ShownConnection>,
    /// The exports that go to it; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_by: Option<Vec<ExportId>>,
}

/// A part of the connections.
#[derive(Debug, Serialize, ToSchema)]
struct ConnectionList {
    /// The connections, by their ids.
    items: Vec<ListedConnection>,
    /// Where to go on; null at the end.
    next_cursor: Option<String>,
    /// What is wrong with stored definitions that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
}

/// The connections.
#[utoipa::path(get, path = "/connections", tag = "connections", params(Page),
    responses((status = 200, body = ConnectionList), Problems))]
async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    page: Page,
) -> Result<Json<ConnectionList>, Problem> {
    let DocumentList { items, next_cursor, unreadable } = api.list::<Connection>(&page).await?;
    let users = api.users_of_connections(&caller).await?;
    let items = items.into_iter().map(|saved| listed(&caller, saved, users.as_ref())).collect();
    Ok(Json(ConnectionList { items, next_cursor, unreadable }))
}

/// The exports of each connection.
type Users = HashMap<ConnectionId, Vec<ExportId>>;

fn listed(caller: &Caller, saved: SavedDocument<Connection>, users: Option<&Users>) -> ListedConnection {
    let used_by = users.map(|users| users.get(&saved.document.id).cloned().unwrap_or_default());
    ListedConnection { saved: saved.map(|connection| ShownConnection::to(caller, connection)), used_by }
}

/// A connection.
#[utoipa::path(get, path = "/connections/{id}", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = ListedConnection, headers(("ETag" = String))), Problems))]
async fn read(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = ConnectionId::try_from(id)?;
    let saved = SavedDocument::from(api.saved::<Connection>(id.as_str()).await?);
    let users = api.users_of_connections(&caller).await?;
    let version = saved.version;
    Ok(versioned(StatusCode::OK, version, listed(&caller, saved, users.as_ref())))
}

impl Api {
    /// The exports of each connection, for administrators: nobody else may change what they would be asked for.
    async fn users_of_connections(&self, caller: &Caller) -> Result<Option<Users>, Problem> {
        if caller.role < Role::Administrator {
            return Ok(None);
        }
        let mut users = Users::new();
        for saved in self.requests.catalog.list::<Export>().await?.into_iter().flatten() {
            if let Some(connection) = saved.document.connection {
                users.entry(connection).or_default().push(saved.document.id);
            }
        }
        Ok(Some(users))
    }
}

/// Makes or replaces a connection. Consent and credentials are given by themselves. Marketing actions with which a policy
/// would stop an enabled export are refused.
#[utoipa::path(put, path = "/connections/{id}", tag = "connections", request_body = Connection,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = SavedDocument<Connection>), (status = 201, body = SavedDocument<Connection>),
        Problems))]
async fn save(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Precondition(expected): Precondition,
    RequestKey(request_key): RequestKey,
    Body(mut document): Body<Connection>,
) -> Result<Response, Problem> {
    let id = ConnectionId::try_from(id)?;
    let prefix = &api.secret_prefix;
    if !document.secret.starts_with(prefix.as_str()) || document.secret.len() == prefix.len() {
        let problem = format!("must begin with {prefix}: the functions may read no other secrets");
        return Err(Problem::field("secret_out_of_reach", "/secret", problem));
    }
    let current = api.requests.catalog.find::<Connection>(id.as_str()).await?;
    let stored = current.as_ref().and_then(|saved| saved.document.consent.clone());
    document.consent = consent(&caller, document.consent, stored)?;
    if current.as_ref().is_some_and(|saved| saved.document.destination != document.destination) {
        let problem = "a connection stays with its destination; make another connection";
        return Err(Problem::field("destination_changed", "/destination", problem));
    }
    api.check_settings(&document)?;
    require_id(id.as_str(), &document)?;
    document.validate()?;
    let warnings = api.hold_connection(&document, current.as_ref().map(|saved| &saved.document)).await?;
    let saving = Saving { caller: &caller, expected, request_key, needs: None };
    let saved = api.save(id.as_str(), &document, saving).await?;
    let mut saved = SavedDocument { warnings, ..saved.into() };
    if saved.document.consent.is_none() {
        let text = "nothing leaves through it before somebody agrees: PUT /connections/{id}/consent";
        saved.warnings.push(text.to_owned());
    }
    Ok(saved.answer(status_of(expected)))
}

/// The consent to store: new words are the caller's and now, so that who agreed and when is never a claim.
fn consent(
    caller: &Caller,
    wanted: Option<Consent>,
    stored: Option<Consent>,
) -> Result<Option<Consent>, Problem> {
    match (wanted, stored) {
        (Some(wanted), Some(stored)) if wanted.text == stored.text => Ok(Some(stored)),
        (Some(Consent { text, .. }), _) => {
            Ok(Some(Consent { by: caller.display_id(), at: timestamp_now(), text }))
        }
        (None, None) => Ok(None),
        (None, Some(_)) => {
            let problem = "is taken back by DELETE /connections/{id}/consent, never in passing";
            Err(Problem::field("consent_elsewhere", "/consent", problem))
        }
    }
}

/// What becomes of the exports of a connection that is removed.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dependents {
    /// They are in the way: the answer names them, and nothing is removed.
    #[default]
    Refuse,
    /// They are removed too.
    Remove,
    /// They keep their definitions, and do not run until they have another connection.
    Detach,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Removal {
    /// What becomes of its exports.
    #[serde(default)]
    #[param(required = false)]
    exports: Dependents,
}

/// Removes a connection, and stops what runs over it. Its secret stays in Secrets Manager.
#[utoipa::path(delete, path = "/connections/{id}", tag = "connections",
    params(("id" = String, Path), ("If-Match" = String, Header), Removal),
    responses((status = 204), Problems))]
async fn remove(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Seen(version): Seen,
    removal: Result<Query<Removal>, QueryRejection>,
) -> Result<Response, Problem> {
    let id = ConnectionId::try_from(id)?;
    let Query(Removal { exports }) = removal.map_err(|error| Problem::query(&error))?;
    let current = api.saved::<Connection>(id.as_str()).await?;
    if current.version != version {
        let detail = format!("connection \"{id}\" is in version {} now; read it again", current.version);
        return Err(Problem::new(StatusCode::PRECONDITION_FAILED, "changed_in_the_meantime", detail));
    }
    let users = api.exports_where(|export| export.connection.as_ref() == Some(&id)).await?;
    let names: Vec<&str> = users.iter().map(|saved| saved.document.id.as_str()).collect();
    if matches!(exports, Dependents::Refuse) && !users.is_empty() {
        let detail = format!(
            "connection \"{id}\" is used by exports: {}; ask with ?exports=detach to keep them without a connection, \
             or with ?exports=remove to remove them too",
            names.join(", ")
        );
        return Err(Problem::new(StatusCode::CONFLICT, "connection_in_use", detail));
    }
    // Whatever runs over it stops first, while its exports still say that they are on it.
    api.requests.stop_connection(&id, &caller.display_id(), timestamp_now()).await?;
    for saved in users {
        match exports {
            Dependents::Remove => {
                api.remove::<Export>(saved.document.id.as_str(), &caller, saved.version).await?;
            }
            Dependents::Detach | Dependents::Refuse => {
                api.detach(&caller, saved.document, saved.version).await?;
            }
        }
    }
    api.remove::<Connection>(id.as_str(), &caller, version).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
