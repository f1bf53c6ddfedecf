//! What is the same for every kind of definition: lists, one document, saving and removing.

use crate::Api;
use crate::caller::Caller;
use crate::extract::Page;
use crate::problem::Problem;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use relay_cloud::timestamp_now;
use relay_cloud::{AuditAction, AuditLine, Change, Expected, Saved, Written};
use relay_model::catalog::{Document, Kind};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A definition with who saved it and when. Its version is also the answer's `ETag`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SavedDocument<T> {
    /// The definition.
    pub(crate) document: T,
    /// Counts up from 1 with each change.
    pub(crate) version: u64,
    /// When it was saved.
    pub(crate) saved_at: Timestamp,
    /// Who saved it; null where it did not come through the API.
    pub(crate) saved_by: Option<String>,
    /// When it was created.
    pub(crate) created_at: Timestamp,
    /// The caller who created it; null if it did not come through the API.
    pub(crate) created_by: Option<String>,
    /// What people should know of it.
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
    /// The same of another document.
    pub(crate) fn map<U>(self, other: impl FnOnce(T) -> U) -> SavedDocument<U> {
        let Self { document, version, saved_at, saved_by, created_at, created_by, warnings } = self;
        let document = other(document);
        SavedDocument { document, version, saved_at, saved_by, created_at, created_by, warnings }
    }
}

impl<T: Serialize> SavedDocument<T> {
    /// The answer, with the version as its `ETag`.
    pub(crate) fn answer(self, status: StatusCode) -> Response {
        let version = self.version;
        versioned(status, version, self)
    }
}

/// An answer with a version as its `ETag`.
pub(crate) fn versioned(status: StatusCode, version: u64, body: impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentList<T> {
    /// The definitions, by their ids.
    pub(crate) items: Vec<SavedDocument<T>>,
    /// Where to go on; null at the end.
    pub(crate) next_cursor: Option<String>,
    /// What is wrong with stored definitions that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unreadable: Vec<String>,
}

/// A request to save a definition: what the caller believes is there, and the key of the request.
pub(crate) struct Saving<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) expected: Expected,
    pub(crate) request_key: Option<String>,
    /// What has to be there when it is written.
    pub(crate) needs: Option<(Kind, String)>,
}

impl Api {
    /// Some definitions of a kind.
    pub(crate) async fn list<T: Document>(&self, page: &Page) -> Result<DocumentList<T>, Problem> {
        let (found, next_cursor) =
            self.requests.catalog.page(Some(page.limit), page.cursor.as_deref()).await?;
        let mut list = DocumentList { items: Vec::new(), next_cursor, unreadable: Vec::new() };
        for one in found {
            match one {
                Ok(saved) => list.items.push(saved.into()),
                Err(error) => list.unreadable.push(error.to_string()),
            }
        }
        Ok(list)
    }

    /// One definition.
    pub(crate) async fn saved<T: Document>(&self, id: &str) -> Result<Saved<T>, Problem> {
        Ok(self.requests.catalog.saved(id).await?)
    }

    /// Saves a definition under the id of its path.
    pub(crate) async fn save<T>(
        &self,
        id: &str,
        document: &T,
        saving: Saving<'_>,
    ) -> Result<Saved<T>, Problem>
    where
        T: Document + Serialize + Clone + PartialEq,
    {
        require_id(id, document)?;
        let action = match saving.expected {
            Expected::Absent => AuditAction::Create,
            Expected::Version(_) => AuditAction::Replace,
        };
        let change = change(saving, action);
        Ok(match self.requests.catalog.write(document, change.0, &change.1).await? {
            Written::Done(saved) | Written::Repeated(saved) => saved,
        })
    }

    /// Removes a definition.
    pub(crate) async fn remove<T: Document + Serialize>(
        &self,
        id: &str,
        caller: &Caller,
        version: u64,
    ) -> Result<T, Problem> {
        let saving = Saving { caller, expected: Expected::Version(version), request_key: None, needs: None };
        let (_, change) = change(saving, AuditAction::Remove);
        Ok(self.requests.catalog.remove(id, version, &change).await?)
    }

    /// Writes a line of something that changed no definition.
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

/// A document is saved under its own id only.
pub(crate) fn require_id<T: Document>(id: &str, document: &T) -> Result<(), Problem> {
    if document.id() == id {
        return Ok(());
    }
    let problem = format!("must be \"{id}\", the id in the path");
    Err(Problem::field("id_differs", "/id", problem))
}

/// What the catalog wants to know of a change.
pub(crate) fn change(saving: Saving<'_>, action: AuditAction) -> (Expected, Change) {
    let Saving { caller, expected, request_key, needs } = saving;
    (expected, Change { by: caller.display_id(), at: timestamp_now(), request_key, action, needs })
}

/// 201 for something new, 200 for a change.
pub(crate) const fn status_of(expected: Expected) -> StatusCode {
    match expected {
        Expected::Absent => StatusCode::CREATED,
        Expected::Version(_) => StatusCode::OK,
    }
}
