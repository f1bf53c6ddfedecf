//! Methods that prepare the sandbox, inspect it and change its state without the API.

use super::Sandbox;
use super::auth::Service;
use super::control_types::{
    ControlError, Credentials, NewFolder, NewList, NewService, SeedLead, ShownLead, ShownList,
};
use super::fields::{EMAIL, Field};
use super::folders::Folder;
use super::ids::{FolderId, LeadId, ListId};
use super::imports::ImportTrouble;
use super::leads::Lead;
use super::options::{OtherUsers, Pace};
use super::report::{LoggedRequest, Report};
use super::value_check;
use super::values::Changes;
use super::world::{Partition, World};
use crate::kit::random::hexadecimal_id;
use serde_json::Value;

const GROUP_LISTS: u32 = 12;

impl Sandbox {
    /// Makes a custom service.
    #[must_use]
    pub fn create_service(&self, new: NewService) -> Credentials {
        let client_id = new.client_id.unwrap_or_else(hexadecimal_id);
        let client_secret = new.client_secret.unwrap_or_else(hexadecimal_id);
        let service = Service::new(client_secret.clone(), new.user, new.permissions, new.partitions);
        self.world().services.insert(client_id.clone(), service);
        Credentials { client_id, client_secret }
    }

    /// From now on the service's token is expired (602).
    pub fn expire_token(&self, client_id: &str) -> Result<(), ControlError> {
        let now = self.shared().gate.now();
        service(&mut self.world(), client_id)?.expire_token(now);
        Ok(())
    }

    /// From now on the service's token is unknown (601).
    pub fn revoke_token(&self, client_id: &str) -> Result<(), ControlError> {
        service(&mut self.world(), client_id)?.forget_token();
        Ok(())
    }

    /// From now on the service has another secret; its token goes on.
    pub fn change_secret(&self, client_id: &str, secret: &str) -> Result<(), ControlError> {
        secret.clone_into(&mut service(&mut self.world(), client_id)?.secret);
        Ok(())
    }

    /// The next so many identity answers have `expires_in` 0.
    pub fn answer_zero_lifetimes(&self, times: usize) {
        self.world().zero_lifetimes = times;
    }

    /// Makes a field, or puts it in the place of the one with its name.
    pub fn add_field(&self, field: Field) {
        self.world().fields.add(field);
    }

    /// Makes a partition.
    pub fn add_partition(&self, name: &str) {
        let mut world = self.world();
        let id = world.partitions.iter().map(|partition| partition.id).max().unwrap_or(0).saturating_add(1);
        world.partitions.push(Partition { id, name: name.to_owned() });
    }

    /// Makes a folder.
    pub fn create_folder(&self, new: NewFolder) -> Result<FolderId, ControlError> {
        let mut world = self.world();
        let parent = match new.parent {
            Some(parent) => Some(world.folders.get(parent).ok_or(ControlError::Unknown("folder"))?),
            None => None,
        };
        let inherited = parent.map_or("Default", |parent| &parent.workspace).to_owned();
        let folder = Folder {
            name: new.name,
            description: None,
            kind: new.kind,
            parent: new.parent,
            workspace: new.workspace.unwrap_or(inherited),
            is_system: new.is_system,
            created_at: self.shared().gate.now(),
        };
        Ok(world.folders.add(folder))
    }

    /// Makes a list.
    pub fn create_list(&self, new: NewList) -> Result<ListId, ControlError> {
        let mut world = self.world();
        let folder = new.folder.unwrap_or(FolderId::from(GROUP_LISTS));
        if world.folders.get(folder).is_none() {
            return Err(ControlError::Unknown("folder"));
        }
        Ok(world.add_list(new.name, new.description, folder, self.shared().gate.now()))
    }

    /// Somebody deletes a list in the user interface.
    pub fn delete_list(&self, list: ListId) -> Result<(), ControlError> {
        self.world().lists.remove(&list).map(drop).ok_or(ControlError::Unknown("list"))
    }

    /// Another asset begins to use the list: calls cannot delete it (1022).
    pub fn begin_list_use(&self, list: ListId) -> Result<(), ControlError> {
        self.use_list(list, true)
    }

    /// Nothing else uses the list any more.
    pub fn end_list_use(&self, list: ListId) -> Result<(), ControlError> {
        self.use_list(list, false)
    }

    /// All lists, by id.
    #[must_use]
    pub fn lists(&self) -> Vec<ShownList> {
        lists(&self.world())
    }

    /// Puts people into the database.
    pub fn seed_leads(&self, seeds: Vec<SeedLead>) -> Result<Vec<LeadId>, ControlError> {
        let now = self.shared().gate.now();
        let mut world = self.world();
        let mut ids = Vec::with_capacity(seeds.len());
        for seed in seeds {
            let wanted = seed.partition.as_deref();
            let partition =
                world.partitions.iter().find(|known| wanted.is_none_or(|name| known.name == name));
            let partition = partition.ok_or(ControlError::Unknown("partition"))?.id;
            let changes: Changes = seed
                .fields
                .iter()
                .filter_map(|(name, value)| Some((world.fields.find(name)?.0, seeded_text(value))))
                .collect();
            let id = world.leads.create(partition, &changes, now);
            for list in seed.lists {
                let list = world.lists.get_mut(&list).ok_or(ControlError::Unknown("list"))?;
                list.members.insert(id);
                list.seeded.insert(id);
            }
            ids.push(id);
        }
        Ok(ids)
    }

    /// Somebody deletes or merges away a person in the user interface.
    pub fn delete_lead(&self, lead: LeadId) -> Result<(), ControlError> {
        if self.world().delete_lead(lead) { Ok(()) } else { Err(ControlError::Unknown("lead")) }
    }

    /// Somebody puts people on a list in the user interface.
    pub fn seed_members(&self, list: ListId, leads: &[LeadId]) -> Result<(), ControlError> {
        let mut world = self.world();
        if !leads.iter().all(|lead| world.leads.get(*lead).is_some()) {
            return Err(ControlError::Unknown("lead"));
        }
        let list = world.lists.get_mut(&list).ok_or(ControlError::Unknown("list"))?;
        list.members.extend(leads);
        list.seeded.extend(leads);
        Ok(())
    }

    /// Somebody takes people off a list in the user interface.
    pub fn remove_members(&self, list: ListId, leads: &[LeadId]) -> Result<(), ControlError> {
        let mut world = self.world();
        let list = world.lists.get_mut(&list).ok_or(ControlError::Unknown("list"))?;
        list.members.retain(|member| !leads.contains(member));
        list.seeded.retain(|member| !leads.contains(member));
        Ok(())
    }

    /// How many people there are.
    #[must_use]
    pub fn lead_count(&self) -> usize {
        self.world().leads.len()
    }

    /// At most so many people with ids above this one, by id.
    #[must_use]
    pub fn leads(&self, after: LeadId, most: usize) -> Vec<ShownLead> {
        let world = self.world();
        world.leads.after(after).take(most).map(|lead| shown(&world, lead)).collect()
    }

    /// The people with this value of a field.
    pub fn leads_by(&self, field: &str, value: &str) -> Result<Vec<ShownLead>, ControlError> {
        let mut world = self.world();
        let (number, _) = world.fields.find(field).ok_or(ControlError::Unknown("field"))?;
        let ids = world.leads.find(number, value);
        Ok(ids.into_iter().filter_map(|id| world.leads.get(id)).map(|lead| shown(&world, lead)).collect())
    }

    /// At most so many ids of a list's people above this one, by id.
    pub fn members(&self, list: ListId, after: LeadId, most: usize) -> Result<Vec<LeadId>, ControlError> {
        let world = self.world();
        let list = world.lists.get(&list).ok_or(ControlError::Unknown("list"))?;
        Ok(list.members.range(after.next()..).take(most).copied().collect())
    }

    /// The addresses of all people on a list, sorted.
    pub fn member_emails(&self, list: ListId) -> Result<Vec<String>, ControlError> {
        let world = self.world();
        let list = world.lists.get(&list).ok_or(ControlError::Unknown("list"))?;
        let leads = list.members.iter().filter_map(|id| world.leads.get(*id));
        let mut emails: Vec<String> =
            leads.map(|lead| lead.values.get(EMAIL).unwrap_or_default().to_owned()).collect();
        emails.sort_unstable();
        Ok(emails)
    }

    /// What was seen since the start or the last reset.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut world = self.world();
        let now = self.shared().gate.now();
        let World { limits, options, .. } = &mut *world;
        limits.turn_day(options, now);
        Report {
            most_calls_in_window: world.limits.most_in_window,
            most_in_flight: world.limits.most_in_flight,
            calls_of_day: world.limits.day.calls,
            ..world.report.clone()
        }
    }

    /// Sets the report's figures to zero; limits stay used up.
    pub fn reset_report(&self) {
        let mut world = self.world();
        world.report = Report::default();
        world.limits.most_in_window = 0;
        world.limits.most_in_flight = 0;
        world.requests.clear();
    }

    /// The last requests, if the options keep some.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.world().requests.iter().cloned().collect()
    }

    /// Changes latencies and limits.
    pub fn set_pace(&self, pace: Pace) {
        let options = &mut self.world().options;
        options.latency_ms = pace.latency_ms.unwrap_or(options.latency_ms);
        options.latency_ms_of.extend(pace.latency_ms_of);
        options.rate_calls = pace.rate_calls.unwrap_or(options.rate_calls);
        options.rate_window_ms = pace.rate_window_ms.unwrap_or(options.rate_window_ms);
        options.concurrency = pace.concurrency.unwrap_or(options.concurrency);
        options.daily_quota = pace.daily_quota.unwrap_or(options.daily_quota);
        options.import_rows_per_second =
            pace.import_rows_per_second.unwrap_or(options.import_rows_per_second);
    }

    /// From now on other users take this much.
    pub fn set_others(&self, others: OtherUsers) {
        self.world().options.others = others;
    }

    /// Somebody else has made so many calls today.
    pub fn use_quota(&self, calls: usize) {
        let now = self.shared().gate.now();
        let mut world = self.world();
        let World { limits, options, .. } = &mut *world;
        limits.turn_day(options, now);
        limits.day.calls = limits.day.calls.saturating_add(calls);
        *limits.day.by_user.entry("other@example.com".to_owned()).or_default() += calls;
    }

    /// The next import that nothing goes wrong with yet has this trouble.
    pub fn trouble_import(&self, trouble: ImportTrouble) {
        self.world().imports.troubles.push_back(trouble);
    }

    /// How many imports run or wait.
    #[must_use]
    pub fn active_imports(&self) -> usize {
        self.world().imports.active()
    }

    /// The day's quota begins anew.
    pub fn reset_quota(&self) {
        self.world().limits.reset_day();
    }

    fn use_list(&self, list: ListId, is_used: bool) -> Result<(), ControlError> {
        let mut world = self.world();
        world.lists.get_mut(&list).ok_or(ControlError::Unknown("list"))?.is_used = is_used;
        Ok(())
    }
}

pub(super) fn lists(world: &World) -> Vec<ShownList> {
    let shown = world.lists.iter().map(|(id, list)| ShownList {
        id: *id,
        name: list.name.clone(),
        description: list.description.clone(),
        folder: list.folder,
        members: list.members.len(),
    });
    shown.collect()
}

fn service<'a>(world: &'a mut World, client_id: &str) -> Result<&'a mut Service, ControlError> {
    world.services.get_mut(client_id).ok_or(ControlError::Unknown("service"))
}

fn seeded_text(value: &Value) -> Option<Box<str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.as_str().into()),
        other => Some(other.to_string().into()),
    }
}

fn shown(world: &World, lead: &Lead) -> ShownLead {
    let fields = lead.values.iter().filter_map(|(number, text)| {
        let field = world.fields.get(number)?;
        Some((field.name.clone(), value_check::shown(field.data_type, text)))
    });
    ShownLead {
        id: lead.id,
        partition: world.partition_name(lead.partition).to_owned(),
        fields: fields.collect(),
    }
}
