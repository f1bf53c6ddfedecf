//! Methods that prepare the sandbox, inspect it and change its state without the API.

use super::Sandbox;
use super::control_trouble::{ForcedThrottle, Pace, Poison};
use super::control_types::{
    Application, ApplicationChange, ApplicationUser, ContactChange, ContactState, ControlError,
    LEAST_PRIVILEGES, ListChange, ListKind, ListView, ListedMember, NewApplication, NewContact, NewList,
    NumberedContacts, PendingChange, UserState,
};
use super::ids::Guid;
use super::report::{Origin, Report};
use super::world::{Contact, List, Member, Secret, User, World};
use crate::kit::random::hexadecimal_id;
use jiff::Timestamp;

impl Sandbox {
    /// Registers an application and makes its user.
    pub fn create_application(&self, application: NewApplication) -> Result<Application, ControlError> {
        let client_id = application.client_id.unwrap_or_else(Guid::random);
        let tenant_id = application.tenant_id.unwrap_or_else(Guid::random);
        let client_secret = application.client_secret.unwrap_or_else(hexadecimal_id);
        let user = user(application.user, None);
        let user_id = user.as_ref().map(|user| user.id);
        let secret = Secret { text: client_secret.clone(), is_expired: false };
        let mut world = self.world();
        if world.applications.contains_key(&client_id) {
            return Err(ControlError::Taken("application"));
        }
        world.applications.insert(client_id, super::world::Application { tenant: tenant_id, secret, user });
        Ok(Application { tenant_id, client_id, client_secret, user_id })
    }

    /// Something happens to an application.
    pub fn change_application(&self, client_id: Guid, change: ApplicationChange) -> Result<(), ControlError> {
        let mut world = self.world();
        let World { applications, tokens, .. } = &mut *world;
        let application = applications.get_mut(&client_id).ok_or(ControlError::Unknown("application"))?;
        match change {
            ApplicationChange::User(new) => application.user = user(new, application.user.as_ref()),
            ApplicationChange::State(state) => {
                application.user.as_mut().ok_or(ControlError::Unknown("application user"))?.state = state;
            }
            ApplicationChange::SecretExpires => application.secret.is_expired = true,
            ApplicationChange::TokensExpire => tokens.retain(|_, token| token.application != client_id),
        }
        Ok(())
    }

    /// Makes contacts, or replaces them.
    pub fn seed_contacts(&self, contacts: Vec<NewContact>) {
        let mut world = self.world();
        for NewContact { contact_id, state, email } in contacts {
            put_contact(&mut world, contact_id, state, email);
        }
    }

    /// Makes many contacts with ids that follow from their numbers.
    pub fn seed_numbered_contacts(&self, numbered: NumberedContacts) {
        let mut world = self.world();
        for number in numbered.first..numbered.first.saturating_add(numbered.count) {
            put_contact(&mut world, Guid::numbered(number), ContactState::Active, None);
        }
    }

    /// Something happens to a contact.
    pub fn change_contact(&self, id: Guid, change: ContactChange) -> Result<(), ControlError> {
        let mut world = self.world();
        let version = world.next_version();
        let contact = world.contacts.get_mut(&id).ok_or(ControlError::Unknown("contact"))?;
        match change {
            ContactChange::Activate => contact.is_active = true,
            ContactChange::Deactivate => contact.is_active = false,
            ContactChange::Delete => {
                world.contacts.remove(&id);
                for list in world.lists.values_mut() {
                    list.members.remove(&id);
                }
                return Ok(());
            }
        }
        contact.version = version;
        Ok(())
    }

    /// From now on the contact spoils the membership calls that it is in.
    pub fn poison(&self, contact: Guid, poison: Poison) {
        self.world().poisons.insert(contact, poison);
    }

    /// No contact spoils calls any more.
    pub fn clear_poisons(&self) {
        self.world().poisons.clear();
    }

    /// Makes a list.
    pub fn create_list(&self, list: NewList) -> Result<Guid, ControlError> {
        let NewList { list_id, name, member_type, kind } = list;
        let id = list_id.unwrap_or_else(Guid::random);
        let mut world = self.world();
        if world.lists.contains_key(&id) {
            return Err(ControlError::Taken("list"));
        }
        let version = world.next_version();
        let list = super::lists::new_list(name, member_type, kind == ListKind::Dynamic, version);
        world.lists.insert(id, list);
        Ok(id)
    }

    /// Something happens to a list, now or after some membership calls.
    pub fn change_list(&self, id: Guid, pending: PendingChange) -> Result<(), ControlError> {
        let mut world = self.world();
        let list = world.lists.get_mut(&id).ok_or(ControlError::Unknown("list"))?;
        if pending.after_calls == 0 {
            change(&mut world, id, pending.change);
        } else {
            list.pending.push(pending);
        }
        Ok(())
    }

    /// Puts contacts on a list as somebody of the company does: they are no export's to remove.
    pub fn seed_members(&self, id: Guid, contacts: &[Guid]) -> Result<(), ControlError> {
        let mut world = self.world();
        let World { contacts: known, lists, .. } = &mut *world;
        let list = lists.get_mut(&id).ok_or(ControlError::Unknown("list"))?;
        if !contacts.iter().all(|contact| known.contains_key(contact)) {
            return Err(ControlError::Unknown("contact"));
        }
        let now = Timestamp::now();
        for contact in contacts {
            let member = Member { id: Guid::random(), origin: Origin::Seeded, created: now };
            list.members.insert(*contact, member);
        }
        list.shown_count = i64::try_from(list.members.len()).unwrap_or(i64::MAX);
        Ok(())
    }

    /// The members of a list, by id.
    pub fn members(&self, id: Guid) -> Result<Vec<ListedMember>, ControlError> {
        let world = self.world();
        let list = world.lists.get(&id).ok_or(ControlError::Unknown("list"))?;
        let members = list.members.iter();
        Ok(members
            .map(|(contact_id, member)| ListedMember { contact_id: *contact_id, origin: member.origin })
            .collect())
    }

    /// All lists, by id.
    #[must_use]
    pub fn lists(&self) -> Vec<ListView> {
        lists(&self.world())
    }

    /// A list.
    pub fn list(&self, id: Guid) -> Result<ListView, ControlError> {
        let world = self.world();
        world.lists.get(&id).map(|list| view(id, list)).ok_or(ControlError::Unknown("list"))
    }

    /// How many contacts there are.
    #[must_use]
    pub fn contacts(&self) -> usize {
        self.world().contacts.len()
    }

    /// What was seen since the start or the last reset.
    #[must_use]
    pub fn report(&self) -> Report {
        self.world().report.clone()
    }

    /// Sets all of the report's figures to zero.
    pub fn reset_report(&self) {
        self.world().report = Report::default();
    }

    /// Refuses the next matching calls as a service protection limit does.
    pub fn force_throttle(&self, throttle: ForcedThrottle) {
        self.world().throttles.push(throttle);
    }

    /// Changes execution times and service protection limits.
    pub fn set_pace(&self, pace: Pace) {
        let options = &mut self.world().options;
        options.execution = pace.execution;
        options.protection = pace.protection;
    }
}

pub(super) fn lists(world: &World) -> Vec<ListView> {
    world.lists.iter().map(|(id, list)| view(*id, list)).collect()
}

/// Does it to a list that exists.
pub(super) fn change(world: &mut World, id: Guid, change: ListChange) {
    let version = world.next_version();
    if change == ListChange::Delete {
        world.lists.remove(&id);
        return;
    }
    let Some(list) = world.lists.get_mut(&id) else {
        return;
    };
    match change {
        ListChange::Lock => list.is_locked = true,
        ListChange::Unlock => list.is_locked = false,
        ListChange::Deactivate => list.is_active = false,
        ListChange::Activate => list.is_active = true,
        ListChange::Delete => {}
    }
    list.version = version;
}

/// The user that an application gets; it keeps the id that it had.
fn user(new: ApplicationUser, old: Option<&User>) -> Option<User> {
    let privileges = match new {
        ApplicationUser::Missing => return None,
        ApplicationUser::WithLeastPrivileges => {
            LEAST_PRIVILEGES.iter().map(|&name| name.to_owned()).collect()
        }
        ApplicationUser::WithPrivileges(privileges) => privileges.into_iter().collect(),
    };
    Some(User { id: old.map_or_else(Guid::random, |old| old.id), state: UserState::Enabled, privileges })
}

fn put_contact(world: &mut World, id: Guid, state: ContactState, email: Option<Box<str>>) {
    let version = world.next_version();
    let is_active = state == ContactState::Active;
    let contact = Contact { is_active, first_name: None, last_name: None, email, version };
    world.contacts.insert(id, contact);
}

fn view(list_id: Guid, list: &List) -> ListView {
    ListView {
        list_id,
        name: list.name.clone(),
        member_type: list.member_type,
        kind: if list.is_dynamic { ListKind::Dynamic } else { ListKind::Static },
        is_locked: list.is_locked,
        is_active: list.is_active,
        members: list.members.len(),
        members_by_api: list.members.values().filter(|member| member.origin == Origin::Api).count(),
    }
}
