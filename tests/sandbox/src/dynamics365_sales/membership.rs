//! Members of lists: added and removed, many at once or one by one.
//!
//! <https://learn.microsoft.com/previous-versions/dynamicscrm-2016/developers-guide/mt607641(v=crm.8)>,
//! <https://learn.microsoft.com/dotnet/api/microsoft.crm.sdk.messages.addlistmemberslistrequest>

use super::access::Caller;
use super::answer::Answer;
use super::control_trouble::PoisonError;
use super::control_types::MemberType;
use super::endpoint::Endpoint;
use super::errors::{self, ApiError};
use super::ids::Guid;
use super::members_body;
use super::options::{InactiveContacts, MissingContacts, Options, RemovedStrangers, RepeatedMembers};
use super::report::Origin;
use super::world::{Contact, List, Member, World};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;

/// A call of one of the four actions, as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) endpoint: Endpoint,
    pub(super) list: Guid,
    pub(super) member_type: MemberType,
    pub(super) members: Vec<Guid>,
}

impl Call {
    /// Reads the body, and the list of a bound action from the address.
    pub(super) fn read(
        endpoint: Endpoint,
        list: Option<Guid>,
        body: &[u8],
        options: &Options,
    ) -> Result<Self, ApiError> {
        if endpoint.action().is_some_and(|action| options.missing_actions.contains(&action)) {
            let name = endpoint.action().map(super::options::ListAction::name).unwrap_or_default();
            return Err(errors::no_segment(name));
        }
        let single = |list: Option<Guid>, member: Guid| {
            let list = list.ok_or_else(|| errors::server_error(404))?;
            Ok(Self { endpoint, list, member_type: MemberType::Contact, members: vec![member] })
        };
        match endpoint {
            Endpoint::AddMember => single(list, members_body::added(body)?),
            Endpoint::RemoveMember => {
                single(list, members_body::removed(body, options.remove_member_parameter)?)
            }
            _ => {
                let (list, member_type, members) = members_body::many(body)?;
                Ok(Self { endpoint, list, member_type, members })
            }
        }
    }

    fn is_adding(&self) -> bool {
        matches!(self.endpoint, Endpoint::AddListMembers | Endpoint::AddMember)
    }

    /// How long it takes, in the vendor's milliseconds.
    pub(super) fn execution_ms(&self, options: &Options) -> u64 {
        let times = &options.execution;
        let (base_ms, member_us) = if self.is_adding() {
            (times.add_base_ms, times.add_member_us)
        } else {
            (times.remove_base_ms, times.remove_member_us)
        };
        let members = u64::try_from(self.members.len()).unwrap_or(u64::MAX);
        base_ms.saturating_add(members.saturating_mul(member_us).div_ceil(1000))
    }

    /// Does it, wholly or not at all.
    pub(super) fn apply(
        &self,
        world: &mut World,
        caller: &Caller,
        organization: &str,
    ) -> Result<Answer, ApiError> {
        caller.need_for_members(world.options.member_privileges)?;
        self.check(world)?;
        let now = Timestamp::now();
        let is_left_out = |contact: &Contact| {
            !contact.is_active && world.options.inactive_contacts == InactiveContacts::LeftOut
        };
        let World { contacts, lists, report, .. } = world;
        let list = lists.get_mut(&self.list).ok_or_else(|| errors::does_not_exist("list", self.list))?;
        let (mut added, mut already, mut removed, mut foreign) = (0, 0, 0, 0);
        for id in &self.members {
            if !self.is_adding() {
                if let Some(member) = list.members.remove(id) {
                    removed += 1;
                    foreign += usize::from(member.origin == Origin::Seeded);
                }
            } else if list.members.contains_key(id) {
                already += 1;
            } else if !contacts.get(id).is_none_or(is_left_out) {
                let member = Member { id: Guid::random(), origin: Origin::Api, created: now };
                list.members.insert(*id, member);
                added += 1;
            }
        }
        let counts = &mut report.members;
        counts.calls += 1;
        counts.most_in_one_call = counts.most_in_one_call.max(self.members.len());
        counts.added += added;
        counts.already += already;
        counts.removed += removed;
        counts.foreign_removed += foreign;
        let member = self.members.first().and_then(|id| list.members.get(id)).map(|member| member.id);
        Ok(match (self.endpoint, member) {
            (Endpoint::AddMember, Some(id)) => {
                let context = "Microsoft.Dynamics.CRM.AddMemberListResponse";
                let context = format!("{organization}/api/data/v9.2/$metadata#{context}");
                Answer::json(200, &json!({ "@odata.context": context, "Id": id }))
            }
            _ => Answer::nothing(),
        })
    }

    /// Everything that makes it fail as a whole.
    fn check(&self, world: &World) -> Result<(), ApiError> {
        let options = &world.options;
        let list = world.lists.get(&self.list).ok_or_else(|| errors::does_not_exist("list", self.list))?;
        if list.is_dynamic {
            return Err(errors::list_dynamic());
        }
        if !list.is_active {
            return Err(errors::list_inactive());
        }
        if list.is_locked {
            return Err(errors::list_locked());
        }
        if list.member_type != self.member_type || self.member_type != MemberType::Contact {
            return Err(errors::wrong_member_type());
        }
        if options.most_members.is_some_and(|most| self.members.len() > most) {
            return Err(errors::invalid_argument("There are too many members in one call"));
        }
        let mut sorted = self.members.clone();
        sorted.sort_unstable();
        if options.repeated_members == RepeatedMembers::Refused
            && sorted.windows(2).any(|two| two.first() == two.last())
        {
            return Err(errors::duplicate_record());
        }
        if self.is_adding() {
            self.check_contacts(&world.contacts, options)?;
        } else {
            self.check_members(list, options)?;
        }
        self.check_poisons(world)
    }

    fn check_contacts(&self, contacts: &BTreeMap<Guid, Contact>, options: &Options) -> Result<(), ApiError> {
        let missing: Vec<Guid> =
            self.members.iter().filter(|id| !contacts.contains_key(id)).copied().collect();
        if !missing.is_empty() {
            let named: &[Guid] = match options.missing_contacts {
                MissingContacts::Unnamed => &[],
                MissingContacts::Named => &missing,
            };
            return Err(errors::contacts_do_not_exist(named));
        }
        let is_inactive = |id: &Guid| contacts.get(id).is_some_and(|contact| !contact.is_active);
        if options.inactive_contacts == InactiveContacts::Refused && self.members.iter().any(is_inactive) {
            return Err(errors::invalid_argument("Only active records can be added to a marketing list."));
        }
        Ok(())
    }

    fn check_members(&self, list: &List, options: &Options) -> Result<(), ApiError> {
        let is_refused = options.removed_strangers == RemovedStrangers::Refused;
        if is_refused && self.members.iter().any(|id| !list.members.contains_key(id)) {
            return Err(errors::not_a_member());
        }
        Ok(())
    }

    fn check_poisons(&self, world: &World) -> Result<(), ApiError> {
        let poisons = &world.poisons;
        if poisons.is_empty() {
            return Ok(());
        }
        let poison =
            self.members.iter().filter_map(|id| poisons.get(id)).find(|poison| poison.hits(self.endpoint));
        match poison.map(|poison| poison.error) {
            None => Ok(()),
            Some(PoisonError::PlugIn) => Err(errors::aborted_by_plug_in()),
            Some(PoisonError::Missing) => Err(errors::contacts_do_not_exist(&[])),
            Some(PoisonError::Timeout) => Err(errors::database_timeout()),
        }
    }
}
