//! Lists, reads, saves and removes definitions of every kind.
//!
//! The steps are the same for each kind. [`Resource`] holds what differs: the checks before a definition is saved or
//! removed, and the warnings.

use crate::Api;
use crate::caller::Caller;
use crate::extract::{Body, Page, Precondition, RequestKey, Seen};
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Extension, FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use relay_cloud::timestamp_now;
use relay_cloud::{AuditAction, AuditLine, Change, Expected, Saved, Written};
use relay_model::catalog::{Document, Kind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

/// A kind of definition, with the steps that differ between kinds.
pub(crate) trait Resource: Document + Serialize + Clone + PartialEq + Send + Sync {
    /// The options of a request to save a definition of this kind.
    type SaveOptions: Send + Sync;

    /// Returns an error if the id in a path is not a valid id of this kind.
    fn check_id(id: &str) -> Result<(), Problem>;

    /// Returns the definition that must exist when this one is written.
    fn required_definition(&self) -> Option<(Kind, String)> {
        None
    }

    /// Checks the caller's rights and completes the document. Runs before the document is validated.
    async fn prepare(_api: &Api, _draft: &mut Draft<'_, Self>) -> Result<(), Problem> {
        Ok(())
    }

    /// Checks a valid document before it is written, and returns warnings.
    async fn check(_api: &Api, _draft: &Draft<'_, Self>) -> Result<Vec<String>, Problem> {
        Ok(Vec::new())
    }

    /// Returns warnings that are only known after the document was written.
    async fn late_warnings(_api: &Api, _draft: &Draft<'_, Self>) -> Vec<String> {
        Vec::new()
    }

    /// Checks whether a definition can be removed, and stops the runs that depend on it.
    async fn before_removal(_api: &Api, _request: &RemoveRequest) -> Result<(), Problem> {
        Ok(())
    }
}

/// A document that is about to be saved.
pub(crate) struct Draft<'a, T: Resource> {
    pub(crate) caller: &'a Caller,
    pub(crate) document: T,
    /// The definition that is stored under the id now.
    pub(crate) current: Option<Saved<T>>,
    /// The version that the caller expects to replace.
    pub(crate) expected: Expected,
    pub(crate) options: T::SaveOptions,
}

impl<T: Resource> Draft<'_, T> {
    /// Returns the document that this one replaces.
    pub(crate) fn before(&self) -> Option<&T> {
        self.current.as_ref().map(|saved| &saved.document)
    }
}

/// A request to save a definition: `PUT` with a precondition and an optional idempotency key.
pub(crate) struct SaveRequest<T> {
    caller: Caller,
    id: String,
    expected: Expected,
    request_key: Option<String>,
    document: T,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for SaveRequest<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Extension(caller) = extract(&mut parts, state).await?;
        let Path(id) = extract(&mut parts, state).await?;
        let Precondition(expected) = extract(&mut parts, state).await?;
        let RequestKey(request_key) = extract(&mut parts, state).await?;
        let body = Body::from_request(Request::from_parts(parts, body), state).await;
        let Body(document) = body.map_err(IntoResponse::into_response)?;
        Ok(Self { caller, id, expected, request_key, document })
    }
}

/// A request to remove a definition: `DELETE` with the version that the caller has read.
pub(crate) struct RemoveRequest {
    pub(crate) caller: Caller,
    pub(crate) id: String,
    pub(crate) version: u64,
}

impl<S: Send + Sync> FromRequestParts<S> for RemoveRequest {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let Extension(caller) = extract(parts, state).await?;
        let Path(id) = extract(parts, state).await?;
        let Seen(version) = extract(parts, state).await?;
        Ok(Self { caller, id, version })
    }
}

async fn extract<E: FromRequestParts<S>, S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
) -> Result<E, Response> {
    E::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)
}

/// A definition with the author and time of its last change. Its version is also the response's `ETag`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SavedDocument<T> {
    /// The definition.
    pub(crate) document: T,
    /// Starts at 1 and increases with each change.
    pub(crate) version: u64,
    /// When it was saved.
    pub(crate) saved_at: Timestamp,
    /// The caller who saved it; null if it was not saved through the API.
    pub(crate) saved_by: Option<String>,
    /// When it was created.
    pub(crate) created_at: Timestamp,
    /// The caller who created it; null if it was not created through the API.
    pub(crate) created_by: Option<String>,
    /// Warnings that did not prevent the change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<String>,
}

impl<T> From<Saved<T>> for SavedDocument<T> {
    fn from(saved: Saved<T>) -> Self {
        let Saved { document, version, saved_at, saved_by, created_at, created_by, .. } = saved;
        Self { document, version, saved_at, saved_by, created_at, created_by, warnings: Vec::new() }
    }
}

impl<T> SavedDocument<T> {
    /// Converts the document and keeps the rest.
    pub(crate) fn map<U>(self, convert: impl FnOnce(T) -> U) -> SavedDocument<U> {
        let Self { document, version, saved_at, saved_by, created_at, created_by, warnings } = self;
        let document = convert(document);
        SavedDocument { document, version, saved_at, saved_by, created_at, created_by, warnings }
    }
}

impl<T: Serialize> SavedDocument<T> {
    /// Builds the response, with the version as its `ETag`.
    pub(crate) fn answer(self, status: StatusCode) -> Response {
        let version = self.version;
        versioned(status, version, self)
    }
}

/// Builds a response with a version as its `ETag`.
pub(crate) fn versioned(status: StatusCode, version: u64, body: impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentList<T> {
    /// The definitions, sorted by id.
    pub(crate) items: Vec<SavedDocument<T>>,
    /// The cursor of the next page; null on the last page.
    pub(crate) next_cursor: Option<String>,
    /// One error for each stored definition that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unreadable: Vec<String>,
}

/// Returns one page of the definitions of a kind.
pub(crate) async fn list<T: Document>(api: &Api, page: &Page) -> Result<DocumentList<T>, Problem> {
    let (found, next_cursor) = api.requests.catalog.page(Some(page.limit), page.cursor.as_deref()).await?;
    let mut list = DocumentList { items: Vec::new(), next_cursor, unreadable: Vec::new() };
    for one in found {
        match one {
            Ok(saved) => list.items.push(saved.into()),
            Err(error) => list.unreadable.push(error.to_string()),
        }
    }
    Ok(list)
}

/// Responds with one definition.
pub(crate) async fn read<T: Resource>(api: &Api, id: &str) -> Result<Response, Problem> {
    T::check_id(id)?;
    Ok(SavedDocument::from(api.saved::<T>(id).await?).answer(StatusCode::OK))
}

/// Saves a definition under the id in the path: 201 if it is new, 200 if it replaces another one.
pub(crate) async fn save<T: Resource>(
    api: &Api,
    request: SaveRequest<T>,
    options: T::SaveOptions,
) -> Result<Response, Problem> {
    let SaveRequest { caller, id, expected, request_key, document } = request;
    T::check_id(&id)?;
    let current = api.requests.catalog.find::<T>(&id).await?;
    let mut draft = Draft { caller: &caller, document, current, expected, options };
    T::prepare(api, &mut draft).await?;
    require_id(&id, &draft.document)?;
    draft.document.validate()?;
    let mut warnings = T::check(api, &draft).await?;
    let action = match expected {
        Expected::Absent => AuditAction::Create,
        Expected::Version(_) => AuditAction::Replace,
    };
    let needs = draft.document.required_definition();
    let change = Change { needs, request_key, ..change(&caller, action) };
    let saved = write(api, &draft.document, expected, &change).await?;
    warnings.extend(T::late_warnings(api, &draft).await);
    Ok(SavedDocument { warnings, ..saved.into() }.answer(saved_status(expected)))
}

/// Removes a definition.
pub(crate) async fn remove<T: Resource>(api: &Api, request: RemoveRequest) -> Result<StatusCode, Problem> {
    T::check_id(&request.id)?;
    T::before_removal(api, &request).await?;
    let RemoveRequest { caller, id, version } = request;
    delete::<T>(api, &caller, &id, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a definition without the checks of its kind.
pub(crate) async fn delete<T: Document + Serialize>(
    api: &Api,
    caller: &Caller,
    id: &str,
    version: u64,
) -> Result<T, Problem> {
    let change = change(caller, AuditAction::Remove);
    Ok(api.requests.catalog.remove(id, version, &change).await?)
}

/// Writes a document without the checks of its kind.
pub(crate) async fn write<T>(
    api: &Api,
    document: &T,
    expected: Expected,
    change: &Change,
) -> Result<Saved<T>, Problem>
where
    T: Document + Serialize + Clone + PartialEq,
{
    Ok(match api.requests.catalog.write(document, expected, change).await? {
        Written::Done(saved) | Written::Repeated(saved) => saved,
    })
}

/// Describes a change that the caller makes now.
pub(crate) fn change(caller: &Caller, action: AuditAction) -> Change {
    Change { by: caller.display_id(), at: timestamp_now(), request_key: None, action, needs: None }
}

impl Api {
    /// Reads one definition.
    pub(crate) async fn saved<T: Document>(&self, id: &str) -> Result<Saved<T>, Problem> {
        Ok(self.requests.catalog.saved(id).await?)
    }

    /// Writes an audit line of an action that changed no definition.
    pub(crate) async fn record(
        &self,
        caller: &Caller,
        action: AuditAction,
        kind: &str,
        id: &str,
        after: Option<Value>,
    ) -> Result<(), Problem> {
        let line = AuditLine {
            at: timestamp_now(),
            by: caller.display_id(),
            action,
            kind: kind.to_owned(),
            id: id.to_owned(),
            before: None,
            after,
        };
        Ok(self.requests.catalog.record(&line).await?)
    }
}

/// Returns an error if the id in the document differs from the id in the path.
fn require_id<T: Document>(id: &str, document: &T) -> Result<(), Problem> {
    if document.id() == id {
        return Ok(());
    }
    let problem = format!("must be \"{id}\", the id in the path");
    Err(Problem::field("id_differs", "/id", problem))
}

/// Returns 201 for a new definition and 200 for a changed one.
const fn saved_status(expected: Expected) -> StatusCode {
    match expected {
        Expected::Absent => StatusCode::CREATED,
        Expected::Version(_) => StatusCode::OK,
    }
}
