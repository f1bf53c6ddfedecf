//! How the server behaves where the vendor's documents leave a choice, and how fast it is.

use super::protection::ServiceProtection;
use serde::{Deserialize, Serialize};

/// The settings of a Dataverse sandbox. `Options::default()` is the strictest reading of the documents, with the
/// documented service protection limits and calls that take no time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// TCP port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// How many times faster than real the vendor's time goes: windows of limits, execution times and lives of
    /// tokens are that much shorter. `Retry-After` and `expires_in` are told in real seconds, so that whoever obeys
    /// them is right; `Retry-After` is a whole number, and so is rounded up and never under 1.
    pub time_scale: f64,
    /// How long calls take, in the vendor's time.
    pub execution: ExecutionTimes,
    /// Longest execution of a call in milliseconds of the vendor's time; a longer one is given up then, undone, and
    /// answered as a timeout of the database. Plug-ins have two minutes.
    pub longest_execution_ms: u64,
    /// The service protection limits; none switches them off.
    pub protection: Option<ServiceProtection>,
    /// Web servers behind the address: limits hold for each of them. Calls go to them in turn, except those with an
    /// affinity cookie.
    pub web_servers: usize,
    /// What `x-ms-dop-hint` recommends; none leaves the header out.
    pub parallelism_hint: Option<u32>,
    /// Lifetime of access tokens, in seconds of the vendor's time.
    pub access_token_seconds: u64,
    /// The organisation's address as scopes of tokens name it, such as `https://contoso.crm.dynamics.com`. The
    /// sandbox's own address is always taken too.
    pub organization_url: Option<String>,
    /// What `@odata.nextLink` begins with instead of the address that was called: another host leads a careless
    /// client's token astray.
    pub next_link_origin: Option<String>,
    /// Actions that `$metadata` does not have and that cannot be called.
    pub missing_actions: Vec<ListAction>,
    /// Most values that one `In` takes. The vendor has an error for too many and publishes no number.
    pub most_in_values: usize,
    /// Most members that one call takes; none is any number. The vendor publishes no number; a thousand is what is
    /// practised and what its own product does.
    pub most_members: Option<usize>,
    /// What a contact twice in one call does.
    pub repeated_members: RepeatedMembers,
    /// What adding an inactive contact does.
    pub inactive_contacts: InactiveContacts,
    /// What removing somebody who is no member does.
    pub removed_strangers: RemovedStrangers,
    /// Whether the error for contacts that do not exist names them.
    pub missing_contacts: MissingContacts,
    /// What a second membership call for the same list does while the first is being executed.
    pub concurrent_list_calls: ConcurrentListCalls,
    /// What a column that cannot change does in an update.
    pub fixed_columns: FixedColumns,
    /// Whether changing members needs the privilege to write lists too; documents differ.
    pub member_privileges: MemberPrivileges,
    /// How `RemoveMemberList` names the contact; documents differ.
    pub remove_member_parameter: RemoveMemberParameter,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            time_scale: 1.0,
            execution: ExecutionTimes::default(),
            longest_execution_ms: 120_000,
            protection: Some(ServiceProtection::default()),
            web_servers: 1,
            parallelism_hint: Some(4),
            access_token_seconds: 3_599,
            organization_url: None,
            next_link_origin: None,
            missing_actions: Vec::new(),
            most_in_values: 500,
            most_members: Some(1_000),
            repeated_members: RepeatedMembers::Refused,
            inactive_contacts: InactiveContacts::Refused,
            removed_strangers: RemovedStrangers::Refused,
            missing_contacts: MissingContacts::Unnamed,
            concurrent_list_calls: ConcurrentListCalls::Deadlock,
            fixed_columns: FixedColumns::Refused,
            member_privileges: MemberPrivileges::WithWriteList,
            remove_member_parameter: RemoveMemberParameter::ListMember,
        }
    }
}

/// How long calls take, in the vendor's time: the vendor publishes nothing, so by default no time at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExecutionTimes {
    /// Milliseconds of a call that adds members.
    pub add_base_ms: u64,
    /// Microseconds more for each member that a call adds.
    pub add_member_us: u64,
    /// Milliseconds of a call that removes members.
    pub remove_base_ms: u64,
    /// Microseconds more for each member that a call removes.
    pub remove_member_us: u64,
    /// Milliseconds of a call that reads.
    pub read_base_ms: u64,
    /// Microseconds more for each row that a call reads.
    pub read_row_us: u64,
    /// Milliseconds of any other call that writes.
    pub write_ms: u64,
}

impl ExecutionTimes {
    /// Times as they may be in an organisation with a few plug-ins: a thousand members in about five seconds, a full
    /// page in a quarter of one. They are nobody's measurements.
    #[must_use]
    pub fn plausible() -> Self {
        Self {
            add_base_ms: 200,
            add_member_us: 5_000,
            remove_base_ms: 200,
            remove_member_us: 5_000,
            read_base_ms: 50,
            read_row_us: 40,
            write_ms: 150,
        }
    }
}

/// An action on members of marketing lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListAction {
    /// Unbound: many members at once.
    AddListMembersList,
    /// Unbound: many members at once.
    RemoveListMembersList,
    /// Bound to a list: one member.
    AddMemberList,
    /// Bound to a list: one member.
    RemoveMemberList,
}

impl ListAction {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::AddListMembersList, Self::RemoveListMembersList, Self::AddMemberList, Self::RemoveMemberList];

    /// The name in `$metadata` and in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AddListMembersList => "AddListMembersList",
            Self::RemoveListMembersList => "RemoveListMembersList",
            Self::AddMemberList => "AddMemberList",
            Self::RemoveMemberList => "RemoveMemberList",
        }
    }
}

/// A contact more than once in the members of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatedMembers {
    /// The whole call fails as a duplicate key: the vendor's own client takes care never to send one.
    Refused,
    /// Once is enough.
    Ignored,
}

/// An inactive contact in the members to add: only active ones may be, and no error is documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InactiveContacts {
    /// The whole call fails.
    Refused,
    /// They are left out without a word.
    LeftOut,
    /// They are added as the others.
    Added,
}

/// A contact in the members to remove that is not on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovedStrangers {
    /// The whole call fails and nobody is removed.
    Refused,
    /// The others are removed.
    Ignored,
}

/// The message about contacts that do not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingContacts {
    /// It does not say which: they have to be found by halves.
    Unnamed,
    /// It has their ids, as the messages of bulk operations have them.
    Named,
}

/// Two membership calls for one list at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConcurrentListCalls {
    /// The later one is the victim of a deadlock: an error of the database, nothing done.
    Deadlock,
    /// Both are done.
    Done,
}

/// `type`, `createdfromcode`, `membertype` or another column that is not valid for update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixedColumns {
    /// The update is refused.
    Refused,
    /// They are left as they are without a word.
    Ignored,
}

/// What changing members needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberPrivileges {
    /// `prvReadList`, `prvReadContact`, `prvAppendToList`, `prvAppendContact` and `prvWriteList`.
    WithWriteList,
    /// Without `prvWriteList`.
    WithoutWriteList,
}

/// The parameter of `RemoveMemberList`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemoveMemberParameter {
    /// `{"ListMember":{"listmemberid":"…"}}` with the contact's id, as a shipping integration sends it.
    ListMember,
    /// `{"EntityId":"…"}`, as `AddMemberList` has it.
    EntityId,
}
