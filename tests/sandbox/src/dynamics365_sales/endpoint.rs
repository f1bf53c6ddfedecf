//! The calls of the API, and which one a request is.

use super::errors::{self, ApiError};
use super::ids::Guid;
use super::options::ListAction;
use crate::faults::Target;
use serde::{Deserialize, Serialize};

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// Every kind; in a fault only.
    Any,
    /// `POST /{tenant}/oauth2/v2.0/token`
    Token,
    /// `GET WhoAmI`
    WhoAmI,
    /// `GET $metadata`
    Metadata,
    /// `GET lists`, `GET lists/$count`
    Lists,
    /// `GET lists({id})`
    List,
    /// `POST lists`
    CreateList,
    /// `PATCH lists({id})`: makes the list if there is none
    UpsertList,
    /// `PUT lists({id})/{column}`
    SetListColumn,
    /// `DELETE lists({id})`
    DeleteList,
    /// `GET lists({id})/listcontact_association`, with or without `/$count`
    ListContacts,
    /// `GET contacts`, `GET contacts/$count`
    Contacts,
    /// `GET contacts({id})`
    Contact,
    /// `POST contacts`
    CreateContact,
    /// `PATCH contacts({id})`: makes the contact if there is none
    UpsertContact,
    /// `GET listmembers`, `GET listmembers/$count`
    ListMembers,
    /// `POST listmembers` and `POST lists({id})/listcontact_association/$ref`, which are always refused
    CreateListMember,
    /// `POST AddListMembersList`
    AddListMembers,
    /// `POST RemoveListMembersList`
    RemoveListMembers,
    /// `POST lists({id})/Microsoft.Dynamics.CRM.AddMemberList`
    AddMember,
    /// `POST lists({id})/Microsoft.Dynamics.CRM.RemoveMemberList`
    RemoveMember,
    /// `GET RetrieveTotalRecordCount(EntityNames=[…])`
    TotalRecordCount,
    /// `GET systemusers({id})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges`
    UserPrivileges,
    /// `GET sdkmessagefilters`
    MessageFilters,
    /// `POST $batch`; its operations count under their own kinds as well
    Batch,
    /// Anything else.
    Unknown,
}

impl Target for Endpoint {
    const ANY: Self = Self::Any;
}

impl Endpoint {
    /// Whether it changes members of a list.
    pub(super) fn changes_members(self) -> bool {
        matches!(self, Self::AddListMembers | Self::RemoveListMembers | Self::AddMember | Self::RemoveMember)
    }

    /// The action that it calls.
    pub(super) fn action(self) -> Option<ListAction> {
        match self {
            Self::AddListMembers => Some(ListAction::AddListMembersList),
            Self::RemoveListMembers => Some(ListAction::RemoveListMembersList),
            Self::AddMember => Some(ListAction::AddMemberList),
            Self::RemoveMember => Some(ListAction::RemoveMemberList),
            _ => None,
        }
    }
}

/// A call with what its path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) endpoint: Endpoint,
    /// The row's key, where the path has one.
    pub(super) id: Option<Guid>,
    pub(super) part: Part,
}

/// What else the path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    None,
    /// Only how many rows there are.
    Count,
    Tenant(String),
    Column(String),
    /// What is between the parentheses of a function.
    Parameters(String),
}

const API: &str = "/api/data/v9.2/";
const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";
/// What can be called with another method.
const KNOWN: [&str; 8] = [
    "lists",
    "contacts",
    "listmembers",
    "WhoAmI",
    "$metadata",
    "$batch",
    "AddListMembersList",
    "RemoveListMembersList",
];

/// Which call this is. The path is as it was sent: only what is between parentheses is percent-decoded.
pub(super) fn route(method: &str, path: &str) -> Result<Route, ApiError> {
    if let Some(tenant) = path.strip_prefix('/').and_then(|path| path.strip_suffix("/oauth2/v2.0/token"))
        && !tenant.contains('/')
    {
        let endpoint = if method == "POST" { Endpoint::Token } else { Endpoint::Unknown };
        return Ok(Route { endpoint, id: None, part: Part::Tenant(tenant.to_owned()) });
    }
    let call = path.strip_prefix(API).ok_or_else(|| errors::server_error(404))?;
    let decoded = percent_decoded(call);
    let segments: Vec<&str> = decoded.split('/').collect();
    let keyed: Vec<(&str, Option<Guid>)> = segments.iter().map(|segment| key_of(segment)).collect();
    let (endpoint, id, part) = match (method, keyed.as_slice()) {
        ("GET", [("WhoAmI" | "WhoAmI()", None)]) => (Endpoint::WhoAmI, None, Part::None),
        ("GET", [("$metadata", None)]) => (Endpoint::Metadata, None, Part::None),
        ("POST", [("$batch", None)]) => (Endpoint::Batch, None, Part::None),
        ("GET", [("lists", None)]) => (Endpoint::Lists, None, Part::None),
        ("GET", [("lists", None), ("$count", None)]) => (Endpoint::Lists, None, Part::Count),
        ("POST", [("lists", None)]) => (Endpoint::CreateList, None, Part::None),
        ("GET", [("lists", Some(id))]) => (Endpoint::List, Some(*id), Part::None),
        ("PATCH", [("lists", Some(id))]) => (Endpoint::UpsertList, Some(*id), Part::None),
        ("DELETE", [("lists", Some(id))]) => (Endpoint::DeleteList, Some(*id), Part::None),
        (_, [("lists", Some(id)), ("listcontact_association", None), rest @ ..]) => match (method, rest) {
            ("GET", []) => (Endpoint::ListContacts, Some(*id), Part::None),
            ("GET", [("$count", None)]) => (Endpoint::ListContacts, Some(*id), Part::Count),
            ("POST", [("$ref", None)]) => (Endpoint::CreateListMember, Some(*id), Part::None),
            _ => return Err(errors::method_not_allowed()),
        },
        ("POST", [("lists", Some(id)), (action, None)]) if action.starts_with(NAMESPACE) => {
            let endpoint = match action.strip_prefix(NAMESPACE) {
                Some("AddMemberList") => Endpoint::AddMember,
                Some("RemoveMemberList") => Endpoint::RemoveMember,
                _ => return Err(errors::no_segment(action)),
            };
            (endpoint, Some(*id), Part::None)
        }
        ("PUT", [("lists", Some(id)), (column, None)]) => {
            (Endpoint::SetListColumn, Some(*id), Part::Column((*column).to_owned()))
        }
        ("GET", [("contacts", None)]) => (Endpoint::Contacts, None, Part::None),
        ("GET", [("contacts", None), ("$count", None)]) => (Endpoint::Contacts, None, Part::Count),
        ("POST", [("contacts", None)]) => (Endpoint::CreateContact, None, Part::None),
        ("GET", [("contacts", Some(id))]) => (Endpoint::Contact, Some(*id), Part::None),
        ("PATCH", [("contacts", Some(id))]) => (Endpoint::UpsertContact, Some(*id), Part::None),
        ("GET", [("listmembers", None)]) => (Endpoint::ListMembers, None, Part::None),
        ("GET", [("listmembers", None), ("$count", None)]) => (Endpoint::ListMembers, None, Part::Count),
        ("POST", [("listmembers", None)]) => (Endpoint::CreateListMember, None, Part::None),
        ("POST", [("AddListMembersList", None)]) => (Endpoint::AddListMembers, None, Part::None),
        ("POST", [("RemoveListMembersList", None)]) => (Endpoint::RemoveListMembers, None, Part::None),
        ("GET", [("sdkmessagefilters", None)]) => (Endpoint::MessageFilters, None, Part::None),
        ("GET", [("systemusers", Some(id)), (function, None)])
            if matches!(
                function.strip_prefix(NAMESPACE),
                Some("RetrieveUserPrivileges" | "RetrieveUserPrivileges()")
            ) =>
        {
            (Endpoint::UserPrivileges, Some(*id), Part::None)
        }
        ("GET", [(function, None)]) if function.starts_with("RetrieveTotalRecordCount(") => {
            let parameters = function.strip_prefix("RetrieveTotalRecordCount(").unwrap_or_default();
            let parameters = parameters.strip_suffix(')').unwrap_or(parameters);
            (Endpoint::TotalRecordCount, None, Part::Parameters(parameters.to_owned()))
        }
        (_, [(segment, _)]) if KNOWN.contains(segment) => return Err(errors::method_not_allowed()),
        (_, [(segment, _), ..]) => return Err(errors::no_segment(segment)),
        (_, []) => return Err(errors::server_error(404)),
    };
    Ok(Route { endpoint, id, part })
}

/// `name(key)` in its two parts. A key that is no GUID stays part of the name, which then is nobody's.
fn key_of(segment: &str) -> (&str, Option<Guid>) {
    let split = segment.strip_suffix(')').and_then(|segment| segment.split_once('('));
    match split.and_then(|(name, key)| Some((name, Guid::parse(key)?))) {
        Some((name, id)) => (name, Some(id)),
        None => (segment, None),
    }
}

fn percent_decoded(text: &str) -> String {
    // What means something in a form is itself in a path.
    let escaped = text.replace('+', "%2B").replace('=', "%3D").replace('&', "%26");
    url::form_urlencoded::parse(escaped.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "49b0be2e-d01c-ed11-b83e-000d3a572421";

    #[track_caller]
    fn check(method: &str, call: &str, expected: Result<Endpoint, u16>) {
        let path = format!("/api/data/v9.2/{}", call.replace("ID", ID));
        let found = route(method, &path).map(|route| route.endpoint).map_err(|error| error.status);
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn paths() {
        check("GET", "WhoAmI", Ok(Endpoint::WhoAmI));
        check("GET", "lists(ID)", Ok(Endpoint::List));
        check("GET", "lists%28ID%29", Ok(Endpoint::List));
        check("GET", "lists({ID})", Err(404));
        check("PUT", "lists(ID)", Err(405));
        check("PUT", "lists(ID)/description", Ok(Endpoint::SetListColumn));
        check("PATCH", "contacts(ID)", Ok(Endpoint::UpsertContact));
        check("GET", "contacts/$count", Ok(Endpoint::Contacts));
        check("GET", "lists(ID)/listcontact_association", Ok(Endpoint::ListContacts));
        check("POST", "lists(ID)/listcontact_association/$ref", Ok(Endpoint::CreateListMember));
        check("POST", "lists(ID)/Microsoft.Dynamics.CRM.AddMemberList", Ok(Endpoint::AddMember));
        check("POST", "lists(ID)/AddMemberList", Err(404));
        check("GET", "AddListMembersList", Err(405));
        check("POST", "AddListMembersList", Ok(Endpoint::AddListMembers));
        check("GET", "RetrieveTotalRecordCount(EntityNames=['contact'])", Ok(Endpoint::TotalRecordCount));
        check("GET", "opportunities", Err(404));
        assert_eq!(route("POST", "/t/oauth2/v2.0/token").map(|route| route.endpoint), Ok(Endpoint::Token));
    }
}
