//! What control calls take and give; the same types are the JSON of the control routes.

use super::ids::Guid;
use super::report::Origin;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why the sandbox did not do what it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlError {
    /// There is no such application, list or contact; the text says which kind.
    Unknown(&'static str),
    /// There is one with this id already; the text says which kind.
    Taken(&'static str),
}

impl fmt::Display for ControlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(kind) => write!(formatter, "there is no such {kind}"),
            Self::Taken(kind) => write!(formatter, "there is a {kind} with this id already"),
        }
    }
}

impl std::error::Error for ControlError {}

/// The privileges that an export to marketing lists needs at least.
pub const LEAST_PRIVILEGES: [&str; 6] =
    ["prvReadList", "prvCreateList", "prvWriteList", "prvAppendToList", "prvReadContact", "prvAppendContact"];

/// An application to register with Entra, and its user in the organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewApplication {
    /// The tenant; a new one if none is given.
    pub tenant_id: Option<Guid>,
    /// The client id; a random one if none is given.
    pub client_id: Option<Guid>,
    /// The client secret; a random one if none is given.
    pub client_secret: Option<String>,
    /// The application user.
    pub user: ApplicationUser,
}

/// What the organisation knows of an application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationUser {
    /// A user with the least privileges that an export needs.
    #[default]
    WithLeastPrivileges,
    /// A user with these.
    WithPrivileges(Vec<String>),
    /// Nothing: tokens are handed out and every call is refused.
    Missing,
}

/// A registered application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// The tenant.
    pub tenant_id: Guid,
    /// The client id.
    pub client_id: Guid,
    /// The client secret.
    pub client_secret: String,
    /// Its user, if it has one.
    pub user_id: Option<Guid>,
}

/// What happens to an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationChange {
    /// An administrator makes its user, changes its privileges, or deletes it. It takes part in calls at once.
    User(ApplicationUser),
    /// The user stays and is in another state.
    State(UserState),
    /// The secret expires.
    SecretExpires,
    /// All of its tokens end.
    TokensExpire,
}

/// Whether an application user may come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// It may.
    #[default]
    Enabled,
    /// An administrator has disabled it.
    Disabled,
    /// It has no security role.
    WithoutRoles,
    /// The organisation lets only certain applications in, and this is none of them.
    Restricted,
}

/// Whose list it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberType {
    /// 1
    Account,
    /// 2
    #[default]
    Contact,
    /// 4
    Lead,
}

impl MemberType {
    /// The value of `createdfromcode`.
    #[must_use]
    pub fn code(self) -> i64 {
        match self {
            Self::Account => 1,
            Self::Contact => 2,
            Self::Lead => 4,
        }
    }

    /// The type with this value.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Account, Self::Contact, Self::Lead].into_iter().find(|one| one.code() == code)
    }
}

/// A contact to make without a call of the API, or to replace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    /// Its id.
    pub contact_id: Guid,
    /// Active or not.
    #[serde(default)]
    pub state: ContactState,
    /// The address, which is not checked.
    #[serde(default)]
    pub email: Option<Box<str>>,
}

/// Whether a contact is active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactState {
    /// `statecode` 0
    #[default]
    Active,
    /// `statecode` 1
    Inactive,
}

/// Active contacts with the ids of `Guid::numbered`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberedContacts {
    /// The first one's number.
    #[serde(default)]
    pub first: u64,
    /// How many.
    pub count: u64,
}

/// Something happens to a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactChange {
    /// Somebody deletes it: it is on no list any more.
    Delete,
    /// It becomes inactive, as the loser of a merge does, and stays on its lists.
    Deactivate,
    /// It becomes active.
    Activate,
}

/// A list to make without a call of the API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewList {
    /// Its id; a random one if none is given.
    pub list_id: Option<Guid>,
    /// Its name.
    pub name: String,
    /// Whose list it is.
    pub member_type: MemberType,
    /// Static or dynamic.
    pub kind: ListKind,
}

/// Where a list's members come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListKind {
    /// They are put there.
    #[default]
    Static,
    /// A query finds them.
    Dynamic,
}

/// Something happens to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListChange {
    /// Its owner locks it.
    Lock,
    /// Its owner unlocks it.
    Unlock,
    /// Its owner deactivates it.
    Deactivate,
    /// Its owner activates it.
    Activate,
    /// Its owner deletes it.
    Delete,
}

/// Something that will happen to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingChange {
    /// What.
    pub change: ListChange,
    /// When so many membership calls for the list have been carried out; 0 is now.
    #[serde(default)]
    pub after_calls: usize,
}

/// A list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListView {
    /// Its id.
    pub list_id: Guid,
    /// Its name.
    pub name: String,
    /// Whose list it is.
    pub member_type: MemberType,
    /// Static or dynamic.
    pub kind: ListKind,
    /// Whether it is locked.
    pub is_locked: bool,
    /// Whether it is active.
    pub is_active: bool,
    /// How many members it has.
    pub members: usize,
    /// How many of them the API has added.
    pub members_by_api: usize,
}

/// A member of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListedMember {
    /// The contact.
    pub contact_id: Guid,
    /// How it came there.
    pub origin: Origin,
}
