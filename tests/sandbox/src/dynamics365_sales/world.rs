//! Everything that the organisation knows: contacts, lists, applications, users and tokens.

use super::clock::Clock;
use super::control_trouble::{ForcedThrottle, Poison};
use super::control_types::{MemberType, PendingChange};
use super::ids::Guid;
use super::options::Options;
use super::report::{Origin, Report};
use super::tables::{Cell, Cursor, Row};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The state of the sandbox.
#[derive(Debug)]
pub struct World {
    pub(super) options: Options,
    pub(super) clock: Clock,
    pub(super) report: Report,
    pub(super) organization: Guid,
    pub(super) business_unit: Guid,
    pub(super) contacts: BTreeMap<Guid, Contact>,
    pub(super) lists: BTreeMap<Guid, List>,
    /// By client id.
    pub(super) applications: BTreeMap<Guid, Application>,
    pub(super) tokens: HashMap<String, Token>,
    pub(super) poisons: BTreeMap<Guid, Poison>,
    pub(super) throttles: Vec<ForcedThrottle>,
    /// What the total counts are taken from, and when it was made, in the vendor's milliseconds.
    pub(super) counted: Option<(u64, BTreeMap<&'static str, usize>)>,
    versions: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Application {
    pub(super) tenant: Guid,
    pub(super) secret: Secret,
    /// None: the organisation does not know the application.
    pub(super) user: Option<User>,
}

#[derive(Clone, Debug)]
pub(super) struct Secret {
    pub(super) text: String,
    pub(super) is_expired: bool,
}

#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) id: Guid,
    pub(super) state: super::control_types::UserState,
    pub(super) privileges: BTreeSet<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    /// The application's client id.
    pub(super) application: Guid,
    /// In the vendor's milliseconds.
    pub(super) expires_at_ms: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Contact {
    pub(super) is_active: bool,
    pub(super) first_name: Option<Box<str>>,
    pub(super) last_name: Option<Box<str>>,
    pub(super) email: Option<Box<str>>,
    pub(super) version: u64,
}

#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) name: String,
    pub(super) is_dynamic: bool,
    pub(super) member_type: MemberType,
    pub(super) is_locked: bool,
    pub(super) is_active: bool,
    /// What `membercount` shows: it is not kept up with the members.
    pub(super) shown_count: i64,
    pub(super) texts: BTreeMap<&'static str, String>,
    pub(super) flags: BTreeMap<&'static str, bool>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) version: u64,
    /// By contact.
    pub(super) members: BTreeMap<Guid, Member>,
    pub(super) pending: Vec<PendingChange>,
    /// Membership calls that are being executed.
    pub(super) calls: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) id: Guid,
    pub(super) origin: Origin,
    pub(super) created: Timestamp,
}

impl World {
    pub(super) fn new(options: Options) -> Self {
        let clock = Clock::start(options.time_scale);
        Self {
            options,
            clock,
            report: Report::default(),
            organization: Guid::random(),
            business_unit: Guid::random(),
            contacts: BTreeMap::new(),
            lists: BTreeMap::new(),
            applications: BTreeMap::new(),
            tokens: HashMap::new(),
            poisons: BTreeMap::new(),
            throttles: Vec::new(),
            counted: None,
            versions: 1_000_000,
        }
    }

    /// Each write makes a new version of its row.
    pub(super) fn next_version(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }
}

/// A contact as a row.
#[derive(Debug)]
pub(super) struct ContactRow<'a>(pub(super) Guid, pub(super) &'a Contact);

impl Row for ContactRow<'_> {
    fn cell(&self, column: &str) -> Cell<'_> {
        let Self(id, contact) = self;
        match column {
            "contactid" => Cell::Id(*id),
            "firstname" => contact.first_name.as_deref().into(),
            "lastname" => contact.last_name.as_deref().into(),
            "emailaddress1" => contact.email.as_deref().into(),
            "statecode" => Cell::Number(i64::from(!contact.is_active)),
            "statuscode" => Cell::Number(if contact.is_active { 1 } else { 2 }),
            _ => Cell::Null,
        }
    }

    fn version(&self) -> u64 {
        self.1.version
    }

    fn cursor(&self) -> Cursor {
        (self.0, Guid::from_number(0))
    }
}

/// A list as a row.
#[derive(Debug)]
pub(super) struct ListRow<'a>(pub(super) Guid, pub(super) &'a List);

impl Row for ListRow<'_> {
    fn cell(&self, column: &str) -> Cell<'_> {
        let Self(id, list) = self;
        match column {
            "listid" => Cell::Id(*id),
            "listname" => Cell::Text(&list.name),
            "type" => Cell::Flag(list.is_dynamic),
            "createdfromcode" | "membertype" => Cell::Number(list.member_type.code()),
            "membercount" => Cell::Number(list.shown_count),
            "lockstatus" => Cell::Flag(list.is_locked),
            "statecode" | "statuscode" => Cell::Number(i64::from(!list.is_active)),
            "createdon" => Cell::Owned(moment(list.created)),
            "modifiedon" => Cell::Owned(moment(list.modified)),
            _ => match list.flags.get(column) {
                Some(flag) => Cell::Flag(*flag),
                None => list.texts.get(column).map(String::as_str).into(),
            },
        }
    }

    fn version(&self) -> u64 {
        self.1.version
    }

    fn cursor(&self) -> Cursor {
        (self.0, Guid::from_number(0))
    }
}

/// A member of a list as a row: list, contact and what joins them.
#[derive(Debug)]
pub(super) struct MemberRow<'a>(pub(super) Guid, pub(super) Guid, pub(super) &'a Member);

impl Row for MemberRow<'_> {
    fn cell(&self, column: &str) -> Cell<'_> {
        let Self(list, contact, member) = self;
        match column {
            "listmemberid" => Cell::Id(member.id),
            "_listid_value" => Cell::Id(*list),
            "_entityid_value" => Cell::Id(*contact),
            "entitytype" => Cell::Text("contact"),
            "createdon" => Cell::Owned(moment(member.created)),
            _ => Cell::Null,
        }
    }

    fn version(&self) -> u64 {
        1
    }

    fn cursor(&self) -> Cursor {
        (self.0, self.1)
    }
}

/// `2026-11-22T01:02:03Z`.
fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
