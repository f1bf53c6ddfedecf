//! What control calls take and give; the same types are the JSON of the control routes.

use super::auth::Permission;
use super::folders::FolderKind;
use super::ids::{FolderId, LeadId, ListId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// Why the sandbox did not do what it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlError {
    /// There is no such lead, list, folder, partition, field or service; the text says which kind.
    Unknown(&'static str),
}

impl fmt::Display for ControlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(kind) => write!(formatter, "there is no such {kind}"),
        }
    }
}

impl std::error::Error for ControlError {}

/// A custom service to make, with its API-only user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewService {
    /// Random if none is given.
    pub client_id: Option<String>,
    /// Random if none is given.
    pub client_secret: Option<String>,
    /// The user's name, which usage is counted by.
    pub user: String,
    /// What the user's role allows.
    pub permissions: Vec<Permission>,
    /// The partitions that the user sees; none: all.
    pub partitions: Option<Vec<String>>,
}

impl Default for NewService {
    /// A service that may do everything.
    fn default() -> Self {
        Self {
            client_id: None,
            client_secret: None,
            user: "api@example.com".to_owned(),
            permissions: vec![Permission::ReadWritePerson, Permission::ReadWriteAssets],
            partitions: None,
        }
    }
}

/// The credentials of a custom service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
}

/// A list to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewList {
    /// The name; several lists may have one, although calls cannot make that.
    pub name: String,
    /// The description.
    #[serde(default)]
    pub description: Option<String>,
    /// The folder; `Group Lists` if none is given.
    #[serde(default)]
    pub folder: Option<FolderId>,
}

impl NewList {
    /// A list of this name in `Group Lists`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), description: None, folder: None }
    }
}

/// A folder to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFolder {
    /// The name.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub kind: FolderKind,
    /// The folder that it is in; none makes a root.
    #[serde(default)]
    pub parent: Option<FolderId>,
    /// The workspace; the parent's, or `Default`, if none is given.
    #[serde(default)]
    pub workspace: Option<String>,
    /// Whether the vendor made it.
    #[serde(default)]
    pub is_system: bool,
}

/// A person to put into the database, whether there is one like them or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedLead {
    /// Values by field; unknown fields are left out, and nothing is checked.
    pub fields: Map<String, Value>,
    /// The partition; the first if none is given.
    pub partition: Option<String>,
    /// Lists that the person is on.
    pub lists: Vec<ListId>,
}

impl SeedLead {
    /// Somebody with an address and nothing else.
    #[must_use]
    pub fn new(email: &str) -> Self {
        let fields = Map::from_iter([("email".to_owned(), email.into())]);
        Self { fields, ..Self::default() }
    }
}

/// A person of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownLead {
    /// The id.
    pub id: LeadId,
    /// The partition's name.
    pub partition: String,
    /// All values, numbers and booleans as themselves.
    pub fields: Map<String, Value>,
}

/// A list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownList {
    /// The id.
    pub id: ListId,
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The folder.
    pub folder: FolderId,
    /// How many people are on it.
    pub members: usize,
}
