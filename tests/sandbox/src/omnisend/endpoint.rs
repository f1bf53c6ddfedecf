//! The calls of the API, and which one a request is.

use super::auth::Permission;
use super::dialect::Dialect;
use super::limits::LimitClass;
use crate::faults::Target;
use serde::{Deserialize, Serialize};

/// A kind of call. Paths are behind `/api` or `/v5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// Every kind; in a fault only.
    Any,
    /// `GET /brands/current`
    Brand,
    /// `GET /contacts`
    Contacts,
    /// `GET /contacts/{id}`
    Contact,
    /// `POST /contacts`
    UpsertContact,
    /// `PATCH /contacts/{id}`
    UpdateContact,
    /// `PATCH /contacts?email=…`
    UpdateContactByEmail,
    /// `POST /contacts/tags`, not in v5
    AddTags,
    /// `DELETE /contacts/tags`, not in v5
    RemoveTags,
    /// `POST /batches`
    CreateBatch,
    /// `GET /batches`
    Batches,
    /// `GET /batches/{id}`
    Batch,
    /// `GET /batches/{id}/items`
    BatchItems,
    /// `GET /segments`, not in v5 (none of the calls about segments is)
    Segments,
    /// `GET /segments/{id}`
    Segment,
    /// `GET /segments/{id}/statistics`
    SegmentStatistics,
    /// `POST /segments`
    CreateSegment,
    /// `PUT /segments/{id}`
    UpdateSegment,
    /// `DELETE /segments/{id}`
    DeleteSegment,
    /// Anything else.
    Unknown,
}

impl Target for Endpoint {
    const ANY: Self = Self::Any;
}

impl Endpoint {
    /// Which limit is spent.
    pub(super) fn limit_class(self) -> LimitClass {
        match self {
            Self::AddTags | Self::RemoveTags => LimitClass::Tags,
            Self::Segments | Self::Segment | Self::SegmentStatistics | Self::DeleteSegment => {
                LimitClass::SegmentReads
            }
            Self::CreateSegment | Self::UpdateSegment => LimitClass::SegmentWrites,
            _ => LimitClass::Default,
        }
    }

    pub(super) fn permission(self) -> Option<Permission> {
        match self {
            Self::Brand => Some(Permission::BrandsRead),
            Self::Contacts | Self::Contact | Self::Batches | Self::Batch | Self::BatchItems => {
                Some(Permission::ContactsRead)
            }
            Self::UpsertContact
            | Self::UpdateContact
            | Self::UpdateContactByEmail
            | Self::AddTags
            | Self::RemoveTags
            | Self::CreateBatch => Some(Permission::ContactsWrite),
            Self::Segments | Self::Segment | Self::SegmentStatistics => Some(Permission::SegmentsRead),
            Self::CreateSegment | Self::UpdateSegment | Self::DeleteSegment => {
                Some(Permission::SegmentsWrite)
            }
            Self::Any | Self::Unknown => None,
        }
    }

    /// The parameters that the call takes.
    pub(super) fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Contacts => &[
                "limit",
                "after",
                "before",
                "sort",
                "direction",
                "email",
                "phone",
                "status",
                "segmentID",
                "tag",
                "updatedAtFrom",
            ],
            Self::UpdateContactByEmail => &["email"],
            Self::Batches => &["offset", "limit", "status", "dateFrom", "dateTo", "endpoint"],
            Self::Segments => &["limit", "after", "before", "sort", "direction"],
            _ => &[],
        }
    }

    /// Whether the documents show `retryAfter` for the call: those of batches and brands have no 429 at all.
    pub(super) fn documents_retry_after(self) -> bool {
        !matches!(
            self,
            Self::Brand | Self::CreateBatch | Self::Batches | Self::Batch | Self::BatchItems | Self::Unknown
        )
    }

    fn is_in(self, dialect: Dialect) -> bool {
        dialect == Dialect::V2026 || matches!(self.limit_class(), LimitClass::Default)
    }
}

/// A call with what its path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) dialect: Dialect,
    pub(super) endpoint: Endpoint,
    /// The id in the path; empty where it has none.
    pub(super) id: String,
}

/// Which call this is.
pub(super) fn route(method: &str, path: &str) -> Route {
    let split = |dialect: Dialect| path.strip_prefix(dialect.prefix()).map(|rest| (dialect, rest));
    let (dialect, rest) = split(Dialect::V2026).or_else(|| split(Dialect::V5)).unwrap_or_default();
    let parts: Vec<&str> = rest.split('/').collect();
    let (endpoint, id) = match (method, parts.as_slice()) {
        ("GET", ["brands", "current"]) => (Endpoint::Brand, ""),
        ("GET", ["contacts"]) => (Endpoint::Contacts, ""),
        ("POST", ["contacts"]) => (Endpoint::UpsertContact, ""),
        ("PATCH", ["contacts"]) => (Endpoint::UpdateContactByEmail, ""),
        ("POST", ["contacts", "tags"]) => (Endpoint::AddTags, ""),
        ("DELETE", ["contacts", "tags"]) => (Endpoint::RemoveTags, ""),
        ("GET", ["contacts", id]) => (Endpoint::Contact, *id),
        ("PATCH", ["contacts", id]) => (Endpoint::UpdateContact, *id),
        ("GET", ["batches"]) => (Endpoint::Batches, ""),
        ("POST", ["batches"]) => (Endpoint::CreateBatch, ""),
        ("GET", ["batches", id]) => (Endpoint::Batch, *id),
        ("GET", ["batches", id, "items"]) => (Endpoint::BatchItems, *id),
        ("GET", ["segments"]) => (Endpoint::Segments, ""),
        ("POST", ["segments"]) => (Endpoint::CreateSegment, ""),
        ("GET", ["segments", id]) => (Endpoint::Segment, *id),
        ("PUT", ["segments", id]) => (Endpoint::UpdateSegment, *id),
        ("DELETE", ["segments", id]) => (Endpoint::DeleteSegment, *id),
        ("GET", ["segments", id, "statistics"]) => (Endpoint::SegmentStatistics, *id),
        _ => (Endpoint::Unknown, ""),
    };
    let endpoint = if endpoint.is_in(dialect) { endpoint } else { Endpoint::Unknown };
    Route { dialect, endpoint, id: id.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: &str, path: &str, dialect: Dialect, endpoint: Endpoint) {
        let route = route(method, path);
        assert_eq!((route.dialect, route.endpoint), (dialect, endpoint), "{method} {path}");
    }

    #[test]
    fn paths() {
        use Dialect::{V5, V2026};
        check("GET", "/api/brands/current", V2026, Endpoint::Brand);
        check("GET", "/v5/brands/current", V5, Endpoint::Brand);
        check("PATCH", "/api/contacts", V2026, Endpoint::UpdateContactByEmail);
        check("DELETE", "/api/contacts/tags", V2026, Endpoint::RemoveTags);
        check("DELETE", "/v5/contacts/tags", V5, Endpoint::Unknown);
        check("GET", "/v5/segments", V5, Endpoint::Unknown);
        check("GET", "/v5/batches/1/items", V5, Endpoint::BatchItems);
        check("DELETE", "/api/contacts/1", V2026, Endpoint::Unknown);
        check("GET", "/v3/contacts", V2026, Endpoint::Unknown);
    }
}
