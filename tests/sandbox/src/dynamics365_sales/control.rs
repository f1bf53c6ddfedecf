//! Preparing the sandbox, looking into it and changing what is in it behind the API's back.

use super::control_trouble::{ForcedThrottle, Pace, Poison};
use super::control_types::{
    Application, ApplicationChange, ContactChange, ControlError, ListView, ListedMember, NewApplication,
    NewContact, NewList, NumberedContacts, PendingChange,
};
use super::ids::Guid;
use super::report::Report;
use super::server::lock;
use super::{Fault, Sandbox};

impl Sandbox {
    /// Registers an application and makes its user.
    pub fn create_application(&self, application: NewApplication) -> Result<Application, ControlError> {
        self.shared.create_application(application)
    }

    /// Something happens to an application.
    pub fn change_application(&self, client_id: Guid, change: ApplicationChange) -> Result<(), ControlError> {
        self.shared.change_application(client_id, change)
    }

    /// Makes contacts, or replaces them.
    pub fn seed_contacts(&self, contacts: Vec<NewContact>) {
        self.shared.seed_contacts(contacts);
    }

    /// Makes many contacts with ids that follow from their numbers.
    pub fn seed_numbered_contacts(&self, numbered: NumberedContacts) {
        self.shared.seed_numbered_contacts(numbered);
    }

    /// Something happens to a contact.
    pub fn change_contact(&self, id: Guid, change: ContactChange) -> Result<(), ControlError> {
        self.shared.change_contact(id, change)
    }

    /// From now on the contact spoils the membership calls that it is in.
    pub fn poison(&self, contact: Guid, poison: Poison) {
        self.shared.world().poisons.insert(contact, poison);
    }

    /// No contact spoils calls any more.
    pub fn clear_poisons(&self) {
        self.shared.world().poisons.clear();
    }

    /// Makes a list.
    pub fn create_list(&self, list: NewList) -> Result<Guid, ControlError> {
        self.shared.create_list(list)
    }

    /// Something happens to a list, now or after some membership calls.
    pub fn change_list(&self, list: Guid, change: PendingChange) -> Result<(), ControlError> {
        self.shared.change_list(list, change)
    }

    /// Puts contacts on a list as somebody of the company does: they are no export's to remove.
    pub fn seed_members(&self, list: Guid, contacts: &[Guid]) -> Result<(), ControlError> {
        self.shared.seed_members(list, contacts)
    }

    /// The members of a list, by id.
    pub fn members(&self, list: Guid) -> Result<Vec<ListedMember>, ControlError> {
        self.shared.members(list)
    }

    /// All lists, by id.
    #[must_use]
    pub fn lists(&self) -> Vec<ListView> {
        self.shared.lists()
    }

    /// A list.
    pub fn list(&self, list: Guid) -> Result<ListView, ControlError> {
        self.shared.list(list)
    }

    /// How many contacts there are.
    #[must_use]
    pub fn contacts(&self) -> usize {
        self.shared.world().contacts.len()
    }

    /// What was seen since the start or the last reset.
    #[must_use]
    pub fn report(&self) -> Report {
        self.shared.world().report.clone()
    }

    /// Sets all of the report's figures to zero.
    pub fn reset_report(&self) {
        self.shared.world().report = Report::default();
    }

    /// Refuses the next matching calls as a service protection limit does.
    pub fn force_throttle(&self, throttle: ForcedThrottle) {
        self.shared.world().throttles.push(throttle);
    }

    /// Adds a fault behind those that are waiting already.
    pub fn add_fault(&self, fault: Fault) {
        lock(&self.shared.faults).add(fault);
    }

    /// Forgets all faults and asked-for refusals.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
        self.shared.world().throttles.clear();
    }

    /// The faults that are still to come, each with the number of calls that it will still hit.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        lock(&self.shared.faults).remaining()
    }

    /// Changes execution times and service protection limits.
    pub fn set_pace(&self, pace: Pace) {
        self.shared.set_pace(pace);
    }
}
