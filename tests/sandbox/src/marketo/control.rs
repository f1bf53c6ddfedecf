//! Preparing the sandbox, looking into it and changing what is in it behind the API's back.

use super::control_types::{
    ControlError, Credentials, NewFolder, NewList, NewService, SeedLead, ShownLead, ShownList,
};
use super::fields::Field;
use super::ids::{FolderId, LeadId, ListId};
use super::imports::ImportTrouble;
use super::options::{OtherUsers, Pace};
use super::report::{LoggedRequest, Report};
use super::server::lock;
use super::{Fault, Sandbox};

impl Sandbox {
    /// Makes a custom service.
    #[must_use]
    pub fn create_service(&self, service: NewService) -> Credentials {
        self.shared.create_service(service)
    }

    /// From now on the service's token is expired (602).
    pub fn expire_token(&self, client_id: &str) -> Result<(), ControlError> {
        self.shared.expire_token(client_id)
    }

    /// From now on the service's token is unknown (601).
    pub fn revoke_token(&self, client_id: &str) -> Result<(), ControlError> {
        self.shared.revoke_token(client_id)
    }

    /// From now on the service has another secret; its token goes on.
    pub fn change_secret(&self, client_id: &str, secret: &str) -> Result<(), ControlError> {
        self.shared.change_secret(client_id, secret)
    }

    /// The next so many identity answers have `expires_in` 0.
    pub fn answer_zero_lifetimes(&self, times: usize) {
        self.shared.world().zero_lifetimes = times;
    }

    /// Makes a field, or puts it in the place of the one with its name.
    pub fn add_field(&self, field: Field) {
        self.shared.world().fields.add(field);
    }

    /// Makes a partition.
    pub fn add_partition(&self, name: &str) {
        self.shared.add_partition(name);
    }

    /// Makes a folder.
    pub fn create_folder(&self, folder: NewFolder) -> Result<FolderId, ControlError> {
        self.shared.create_folder(folder)
    }

    /// Makes a list.
    pub fn create_list(&self, list: NewList) -> Result<ListId, ControlError> {
        self.shared.create_list(list)
    }

    /// Somebody deletes a list in the user interface.
    pub fn delete_list(&self, list: ListId) -> Result<(), ControlError> {
        self.shared.delete_list(list)
    }

    /// Another asset begins to use the list: calls cannot delete it (1022).
    pub fn begin_list_use(&self, list: ListId) -> Result<(), ControlError> {
        self.shared.use_list(list, true)
    }

    /// Nothing else uses the list any more.
    pub fn end_list_use(&self, list: ListId) -> Result<(), ControlError> {
        self.shared.use_list(list, false)
    }

    /// All lists, by id.
    #[must_use]
    pub fn lists(&self) -> Vec<ShownList> {
        self.shared.lists()
    }

    /// Puts people into the database.
    pub fn seed_leads(&self, seeds: Vec<SeedLead>) -> Result<Vec<LeadId>, ControlError> {
        self.shared.seed_leads(seeds)
    }

    /// Somebody deletes or merges away a person in the user interface.
    pub fn delete_lead(&self, lead: LeadId) -> Result<(), ControlError> {
        self.shared.delete_lead(lead)
    }

    /// Somebody puts people on a list in the user interface.
    pub fn seed_members(&self, list: ListId, leads: &[LeadId]) -> Result<(), ControlError> {
        self.shared.seed_members(list, leads)
    }

    /// Somebody takes people off a list in the user interface.
    pub fn remove_members(&self, list: ListId, leads: &[LeadId]) -> Result<(), ControlError> {
        self.shared.remove_members(list, leads)
    }

    /// How many people there are.
    #[must_use]
    pub fn lead_count(&self) -> usize {
        self.shared.world().leads.len()
    }

    /// At most so many people with ids above this one, by id.
    #[must_use]
    pub fn leads(&self, after: LeadId, most: usize) -> Vec<ShownLead> {
        self.shared.leads(after, most)
    }

    /// The people with this value of a field.
    pub fn leads_by(&self, field: &str, value: &str) -> Result<Vec<ShownLead>, ControlError> {
        self.shared.leads_by(field, value)
    }

    /// At most so many ids of a list's people above this one, by id.
    pub fn members(&self, list: ListId, after: LeadId, most: usize) -> Result<Vec<LeadId>, ControlError> {
        self.shared.members(list, after, most)
    }

    /// The addresses of all people on a list, sorted.
    pub fn member_emails(&self, list: ListId) -> Result<Vec<String>, ControlError> {
        self.shared.member_emails(list)
    }

    /// What was seen since the start or the last reset.
    #[must_use]
    pub fn report(&self) -> Report {
        self.shared.report()
    }

    /// Sets the report's figures to zero; limits stay used up.
    pub fn reset_report(&self) {
        self.shared.reset_report();
    }

    /// The last requests, if the options keep some.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.world().requests.iter().cloned().collect()
    }

    /// Adds a fault behind those that are waiting already.
    pub fn add_fault(&self, fault: Fault) {
        lock(&self.shared.faults).add(fault);
    }

    /// Forgets all faults.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// The faults that are still to come, each with the number of calls that it will still hit.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        lock(&self.shared.faults).remaining()
    }

    /// Changes latencies and limits.
    pub fn set_pace(&self, pace: Pace) {
        self.shared.set_pace(pace);
    }

    /// From now on other users take this much.
    pub fn set_others(&self, others: OtherUsers) {
        self.shared.set_others(others);
    }

    /// Somebody else has made so many calls today.
    pub fn use_quota(&self, calls: usize) {
        self.shared.use_quota(calls);
    }

    /// The next import that nothing goes wrong with yet has this trouble.
    pub fn trouble_import(&self, trouble: ImportTrouble) {
        self.shared.world().imports.troubles.push_back(trouble);
    }

    /// How many imports run or wait.
    #[must_use]
    pub fn active_imports(&self) -> usize {
        self.shared.world().imports.active()
    }

    /// The day's quota begins anew.
    pub fn reset_quota(&self) {
        self.shared.world().limits.reset_day();
    }
}
