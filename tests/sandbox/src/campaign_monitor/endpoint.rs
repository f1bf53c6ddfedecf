//! The calls of the API, and which one a request is.

use super::subscriber::SubscriberState;
use crate::faults::Target;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// Every kind; in a fault only.
    Any,
    /// `GET /clients.json`
    Clients,
    /// `GET /clients/{client}.json`
    Client,
    /// `GET /clients/{client}/lists.json`
    ClientLists,
    /// `GET /clients/{client}/suppressionlist.json`
    SuppressionList,
    /// `GET /lists/{list}.json`
    List,
    /// `GET /lists/{list}/stats.json`
    Stats,
    /// `POST /lists/{client}.json`
    CreateList,
    /// `GET /lists/{list}/customfields.json`
    Fields,
    /// `POST /lists/{list}/customfields.json`
    CreateField,
    /// `PUT` or `DELETE /lists/{list}/customfields/{key}.json`, `PUT …/{key}/options.json`
    ChangeField,
    /// `GET /lists/{list}/{active|unconfirmed|unsubscribed|bounced|deleted}.json`
    Members,
    /// `POST /subscribers/{list}/import.json`
    Import,
    /// `POST /subscribers/{list}.json`
    Add,
    /// `PUT /subscribers/{list}.json`
    Update,
    /// `GET /subscribers/{list}.json`
    Details,
    /// `GET /subscribers/{list}/history.json`
    History,
    /// `POST /subscribers/{list}/unsubscribe.json`
    Unsubscribe,
    /// `DELETE /subscribers/{list}.json`
    Remove,
    /// `POST /oauth/token`
    Token,
    /// Anything else.
    Unknown,
}

impl Target for Endpoint {
    const ANY: Self = Self::Any;
}

/// A call with what its path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) endpoint: Endpoint,
    /// The client's or list's id; empty where the path has none.
    pub(super) id: String,
    pub(super) part: Part,
}

/// What else the path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    None,
    State(SubscriberState),
    RenameField(String),
    FieldOptions(String),
    DeleteField(String),
}

/// Why a path is no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoute {
    /// Without `.json` the vendor speaks XML, which this server does not.
    NotJson,
    Unknown,
}

const API: &str = "/api/v3.3/";

/// Which call this is.
pub(super) fn route(method: &str, path: &str) -> Result<Route, NoRoute> {
    if path == "/oauth/token" {
        return plain(method, "POST", Endpoint::Token);
    }
    let call = path.strip_prefix(API).ok_or(NoRoute::Unknown)?;
    let call = call.strip_suffix(".json").ok_or(NoRoute::NotJson)?;
    let parts: Vec<String> = call.split('/').map(percent_decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (endpoint, id, part) = match (method, parts.as_slice()) {
        ("GET", ["clients"]) => (Endpoint::Clients, "", Part::None),
        ("GET", ["clients", id]) => (Endpoint::Client, *id, Part::None),
        ("GET", ["clients", id, "lists"]) => (Endpoint::ClientLists, *id, Part::None),
        ("GET", ["clients", id, "suppressionlist"]) => (Endpoint::SuppressionList, *id, Part::None),
        ("GET", ["lists", id]) => (Endpoint::List, *id, Part::None),
        ("POST", ["lists", id]) => (Endpoint::CreateList, *id, Part::None),
        ("GET", ["lists", id, "stats"]) => (Endpoint::Stats, *id, Part::None),
        ("GET", ["lists", id, "customfields"]) => (Endpoint::Fields, *id, Part::None),
        ("POST", ["lists", id, "customfields"]) => (Endpoint::CreateField, *id, Part::None),
        ("PUT", ["lists", id, "customfields", key]) => {
            (Endpoint::ChangeField, *id, Part::RenameField((*key).to_owned()))
        }
        ("DELETE", ["lists", id, "customfields", key]) => {
            (Endpoint::ChangeField, *id, Part::DeleteField((*key).to_owned()))
        }
        ("PUT", ["lists", id, "customfields", key, "options"]) => {
            (Endpoint::ChangeField, *id, Part::FieldOptions((*key).to_owned()))
        }
        ("GET", ["lists", id, state]) => {
            (Endpoint::Members, *id, Part::State(state_of(state).ok_or(NoRoute::Unknown)?))
        }
        ("POST", ["subscribers", id, "import"]) => (Endpoint::Import, *id, Part::None),
        ("POST", ["subscribers", id, "unsubscribe"]) => (Endpoint::Unsubscribe, *id, Part::None),
        ("GET", ["subscribers", id, "history"]) => (Endpoint::History, *id, Part::None),
        ("POST", ["subscribers", id]) => (Endpoint::Add, *id, Part::None),
        ("PUT", ["subscribers", id]) => (Endpoint::Update, *id, Part::None),
        ("GET", ["subscribers", id]) => (Endpoint::Details, *id, Part::None),
        ("DELETE", ["subscribers", id]) => (Endpoint::Remove, *id, Part::None),
        _ => return Err(NoRoute::Unknown),
    };
    Ok(Route { endpoint, id: id.to_owned(), part })
}

fn plain(method: &str, expected: &str, endpoint: Endpoint) -> Result<Route, NoRoute> {
    if method == expected {
        Ok(Route { endpoint, id: String::new(), part: Part::None })
    } else {
        Err(NoRoute::Unknown)
    }
}

fn state_of(word: &str) -> Option<SubscriberState> {
    match word {
        "active" => Some(SubscriberState::Active),
        "unconfirmed" => Some(SubscriberState::Unconfirmed),
        "unsubscribed" => Some(SubscriberState::Unsubscribed),
        "bounced" => Some(SubscriberState::Bounced),
        "deleted" => Some(SubscriberState::Deleted),
        _ => None,
    }
}

fn percent_decoded(segment: &str) -> String {
    // What means something in a form is itself in a path.
    let escaped = segment.replace('+', "%2B").replace('=', "%3D").replace('&', "%26");
    form_urlencoded::parse(escaped.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

/// The parameters behind the `?`.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// An unescaped `+` is a space here, as in every form: addresses have to be escaped.
    pub(super) fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Names are compared without case; an empty value counts as missing.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, expected: Result<Endpoint, NoRoute>) {
        assert_eq!(route(method, path).map(|route| route.endpoint), expected, "{method} {path}");
    }

    #[test]
    fn paths() {
        check("GET", "/api/v3.3/clients.json", Ok(Endpoint::Clients));
        check("GET", "/api/v3.3/lists/1/active.json", Ok(Endpoint::Members));
        check("GET", "/api/v3.3/lists/1/sleeping.json", Err(NoRoute::Unknown));
        check("POST", "/api/v3.3/subscribers/1/import.json", Ok(Endpoint::Import));
        check("POST", "/api/v3.3/subscribers/1/import", Err(NoRoute::NotJson));
        check("POST", "/api/v3.3/subscribers/1/import.xml", Err(NoRoute::NotJson));
        check("GET", "/api/v3.3/subscribers/1/import.json", Err(NoRoute::Unknown));
        check("GET", "/api/v3.2/clients.json", Err(NoRoute::Unknown));
        check("POST", "/oauth/token", Ok(Endpoint::Token));
        check("GET", "/oauth/token", Err(NoRoute::Unknown));
    }

    #[test]
    fn a_field_key_is_percent_decoded() {
        let route = route("DELETE", "/api/v3.3/lists/1/customfields/%5Ba%20+b%5D.json");
        assert_eq!(route.map(|route| route.part), Ok(Part::DeleteField("[a +b]".to_owned())));
    }
}
