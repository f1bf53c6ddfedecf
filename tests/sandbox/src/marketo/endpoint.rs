//! The calls of the API, and which one a request is.

use crate::faults::Target;
use serde::{Deserialize, Serialize};

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// Every kind; in a fault only.
    Any,
    /// `GET` or `POST /identity/oauth/token`
    Identity,
    /// `GET /rest/v1/leads/describe.json`
    Describe,
    /// `GET /rest/v1/leads/describe2.json`
    Describe2,
    /// `GET /rest/v1/leads/partitions.json`
    Partitions,
    /// `POST /rest/v1/leads.json`
    SyncLeads,
    /// `GET /rest/v1/leads.json`
    FindLeads,
    /// `POST /rest/v1/leads/delete.json`
    DeleteLeads,
    /// `GET /rest/v1/leads/{lead}/listMembership.json`
    ListsOfLead,
    /// `GET /rest/v1/lists.json`
    Lists,
    /// `GET /rest/v1/lists/{list}.json`
    List,
    /// `GET /rest/v1/lists/{list}/leads.json`
    Members,
    /// `POST /rest/v1/lists/{list}/leads.json`
    AddMembers,
    /// `DELETE /rest/v1/lists/{list}/leads.json`
    RemoveMembers,
    /// `GET /rest/v1/lists/{list}/leads/ismember.json`
    IsMember,
    /// `GET /rest/asset/v1/staticLists.json`
    BrowseLists,
    /// `POST /rest/asset/v1/staticLists.json`
    CreateList,
    /// `GET /rest/asset/v1/staticList/byName.json`
    ListByName,
    /// `GET /rest/asset/v1/staticList/{list}.json`
    ListAsset,
    /// `POST /rest/asset/v1/staticList/{list}.json`
    UpdateList,
    /// `POST /rest/asset/v1/staticList/{list}/delete.json`
    DeleteList,
    /// `GET /rest/asset/v1/folders.json`
    Folders,
    /// `POST /rest/asset/v1/folders.json`
    CreateFolder,
    /// `GET /rest/asset/v1/folder/byName.json`
    FolderByName,
    /// `GET /rest/asset/v1/folder/{folder}.json`
    Folder,
    /// `POST /bulk/v1/leads.json`
    Import,
    /// `GET /bulk/v1/leads/batch/{batch}.json`
    ImportStatus,
    /// `GET /bulk/v1/leads/batch/{batch}/failures.json`
    ImportFailures,
    /// `GET /bulk/v1/leads/batch/{batch}/warnings.json`
    ImportWarnings,
    /// `POST /bulk/v1/leads/export/create.json`
    CreateExport,
    /// `POST /bulk/v1/leads/export/{export}/enqueue.json`
    EnqueueExport,
    /// `POST /bulk/v1/leads/export/{export}/cancel.json`
    CancelExport,
    /// `GET /bulk/v1/leads/export/{export}/status.json`
    ExportStatus,
    /// `GET /bulk/v1/leads/export/{export}/file.json`
    ExportFile,
    /// `GET /rest/v1/stats/usage.json` and `…/usage/last7days.json`
    Usage,
    /// `GET /rest/v1/stats/errors.json` and `…/errors/last7days.json`
    ErrorStatistics,
    /// Anything else.
    Unknown,
}

impl Target for Endpoint {
    const ANY: Self = Self::Any;
}

impl Endpoint {
    /// Whether the call belongs to the asset API, whose envelope differs.
    pub(super) fn is_asset(self) -> bool {
        matches!(
            self,
            Self::BrowseLists
                | Self::CreateList
                | Self::ListByName
                | Self::ListAsset
                | Self::UpdateList
                | Self::DeleteList
                | Self::Folders
                | Self::CreateFolder
                | Self::FolderByName
                | Self::Folder
        )
    }
}

/// A call with the id in its path; empty where the path has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) endpoint: Endpoint,
    pub(super) id: String,
}

/// Why a path is no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoute {
    /// The path exists with another method: 605.
    Method,
    /// There is no such path: 610.
    Path,
}

/// Which call this is; `method` after `_method` was looked at.
pub(super) fn route(method: &str, path: &str) -> Result<Route, NoRoute> {
    let (read, write, remove, id) = calls_of(path).ok_or(NoRoute::Path)?;
    let endpoint = match method {
        "GET" => read,
        "POST" => write,
        "DELETE" => remove,
        _ => None,
    };
    Ok(Route { endpoint: endpoint.ok_or(NoRoute::Method)?, id: id.to_owned() })
}

type Calls<'a> = (Option<Endpoint>, Option<Endpoint>, Option<Endpoint>, &'a str);

/// What GET, POST and DELETE are on a path, and the id in it.
fn calls_of(path: &str) -> Option<Calls<'_>> {
    use Endpoint as E;
    if path == "/identity/oauth/token" {
        return Some((Some(E::Identity), Some(E::Identity), None, ""));
    }
    let segments: Vec<&str> = path.strip_prefix('/')?.strip_suffix(".json")?.split('/').collect();
    let get = |endpoint, id| (Some(endpoint), None, None, id);
    let post = |endpoint, id| (None, Some(endpoint), None, id);
    Some(match segments.as_slice() {
        ["rest", "v1", "leads"] => (Some(E::FindLeads), Some(E::SyncLeads), None, ""),
        ["rest", "v1", "leads", "describe"] => get(E::Describe, ""),
        ["rest", "v1", "leads", "describe2"] => get(E::Describe2, ""),
        ["rest", "v1", "leads", "partitions"] => get(E::Partitions, ""),
        ["rest", "v1", "leads", "delete"] => post(E::DeleteLeads, ""),
        ["rest", "v1", "leads", id, "listMembership"] => get(E::ListsOfLead, id),
        ["rest", "v1", "lists"] => get(E::Lists, ""),
        ["rest", "v1", "lists", id] => get(E::List, id),
        ["rest", "v1", "lists", id, "leads"] => {
            (Some(E::Members), Some(E::AddMembers), Some(E::RemoveMembers), id)
        }
        ["rest", "v1", "list", id, "leads"] => get(E::Members, id),
        ["rest", "v1", "lists", id, "leads", "ismember"] => get(E::IsMember, id),
        ["rest", "asset", "v1", "staticLists"] => (Some(E::BrowseLists), Some(E::CreateList), None, ""),
        ["rest", "asset", "v1", "staticList", "byName"] => get(E::ListByName, ""),
        ["rest", "asset", "v1", "staticList", id] => (Some(E::ListAsset), Some(E::UpdateList), None, id),
        ["rest", "asset", "v1", "staticList", id, "delete"] => post(E::DeleteList, id),
        ["rest", "asset", "v1", "folders"] => (Some(E::Folders), Some(E::CreateFolder), None, ""),
        ["rest", "asset", "v1", "folder", "byName"] => get(E::FolderByName, ""),
        ["rest", "asset", "v1", "folder", id] => get(E::Folder, id),
        ["bulk", "v1", "leads"] => post(E::Import, ""),
        ["bulk", "v1", "leads", "batch", id] => get(E::ImportStatus, id),
        ["bulk", "v1", "leads", "batch", id, "failures"] => get(E::ImportFailures, id),
        ["bulk", "v1", "leads", "batch", id, "warnings"] => get(E::ImportWarnings, id),
        ["bulk", "v1", "leads", "export", "create"] => post(E::CreateExport, ""),
        ["bulk", "v1", "leads", "export", id, "enqueue"] => post(E::EnqueueExport, id),
        ["bulk", "v1", "leads", "export", id, "cancel"] => post(E::CancelExport, id),
        ["bulk", "v1", "leads", "export", id, "status"] => get(E::ExportStatus, id),
        ["bulk", "v1", "leads", "export", id, "file"] => get(E::ExportFile, id),
        ["rest", "v1", "stats", "usage"] | ["rest", "v1", "stats", "usage", "last7days"] => get(E::Usage, ""),
        ["rest", "v1", "stats", "errors"] | ["rest", "v1", "stats", "errors", "last7days"] => {
            get(E::ErrorStatistics, "")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: &str, path: &str, expected: Result<(Endpoint, &str), NoRoute>) {
        let route = route(method, path);
        let found = route.as_ref().map(|route| (route.endpoint, route.id.as_str())).map_err(|error| *error);
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn paths() {
        check("GET", "/identity/oauth/token", Ok((Endpoint::Identity, "")));
        check("POST", "/identity/oauth/token", Ok((Endpoint::Identity, "")));
        check("POST", "/rest/v1/leads.json", Ok((Endpoint::SyncLeads, "")));
        check("GET", "/rest/v1/leads.json", Ok((Endpoint::FindLeads, "")));
        check("PUT", "/rest/v1/leads.json", Err(NoRoute::Method));
        check("GET", "/rest/v1/leads", Err(NoRoute::Path));
        check("GET", "/rest//v1/leads.json", Err(NoRoute::Path));
        check("GET", "/rest/v1/list/7/leads.json", Ok((Endpoint::Members, "7")));
        check("POST", "/rest/v1/list/7/leads.json", Err(NoRoute::Method));
        check("DELETE", "/rest/v1/lists/7/leads.json", Ok((Endpoint::RemoveMembers, "7")));
        check("GET", "/rest/asset/v1/staticList/byName.json", Ok((Endpoint::ListByName, "")));
        check("GET", "/rest/asset/v1/staticList/12.json", Ok((Endpoint::ListAsset, "12")));
        check("POST", "/rest/bulk/v1/leads.json", Err(NoRoute::Path));
        check("POST", "/bulk/v1/leads.json", Ok((Endpoint::Import, "")));
    }
}
