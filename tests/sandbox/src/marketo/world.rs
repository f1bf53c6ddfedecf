//! Everything that the instance has: people, lists, folders, fields, partitions and who may call.

use super::auth::{Caller, Service};
use super::clock::{Clock, Moment};
use super::errors::{self, ApiError};
use super::exports::Exports;
use super::fields::Fields;
use super::folders::Folders;
use super::ids::{FolderId, LeadId, ListId};
use super::imports::Imports;
use super::leads::{Leads, PartitionId};
use super::limits::Limits;
use super::options::Options;
use super::report::{LoggedRequest, Report};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// The state of the sandbox.
#[derive(Debug)]
pub struct World {
    pub(super) options: Options,
    pub(super) clock: Clock,
    pub(super) report: Report,
    pub(super) limits: Limits,
    pub(super) services: HashMap<String, Service>,
    /// How many of the next identity answers say that the token is over.
    pub(super) zero_lifetimes: usize,
    pub(super) fields: Fields,
    pub(super) partitions: Vec<Partition>,
    pub(super) leads: Leads,
    pub(super) lists: BTreeMap<ListId, StaticList>,
    pub(super) next_list: ListId,
    pub(super) folders: Folders,
    pub(super) imports: Imports,
    pub(super) exports: Exports,
    pub(super) requests: VecDeque<LoggedRequest>,
}

#[derive(Clone, Debug)]
pub(super) struct Partition {
    pub(super) id: PartitionId,
    pub(super) name: String,
}

#[derive(Debug)]
pub(super) struct StaticList {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) folder: FolderId,
    pub(super) created_at: Moment,
    pub(super) updated_at: Moment,
    pub(super) members: BTreeSet<LeadId>,
    /// Members that no call of the API put here.
    pub(super) seeded: BTreeSet<LeadId>,
    /// Another asset uses it, so that it cannot be deleted.
    pub(super) is_used: bool,
}

impl World {
    pub(super) fn new(options: Options) -> Self {
        let clock = Clock::new(options.time_scale);
        Self {
            clock,
            report: Report::default(),
            limits: Limits::default(),
            services: HashMap::new(),
            zero_lifetimes: 0,
            fields: Fields::default(),
            partitions: vec![Partition { id: 1, name: "Default".to_owned() }],
            leads: Leads::new(options.key_case),
            lists: BTreeMap::new(),
            next_list: ListId::from(1001),
            folders: Folders::new(clock.now()),
            imports: Imports::default(),
            exports: Exports::default(),
            requests: VecDeque::new(),
            options,
        }
    }

    /// A new, empty list.
    pub(super) fn add_list(
        &mut self,
        name: String,
        description: Option<String>,
        folder: FolderId,
        now: Moment,
    ) -> ListId {
        let id = self.next_list;
        self.next_list = id.next();
        let list = StaticList {
            name,
            description,
            folder,
            created_at: now,
            updated_at: now,
            members: BTreeSet::new(),
            seeded: BTreeSet::new(),
            is_used: false,
        };
        self.lists.insert(id, list);
        id
    }

    /// The list of an id in a path of the lead database.
    pub(super) fn list_id(&self, text: &str) -> Result<ListId, ApiError> {
        let id = text.parse().map_err(|_| errors::LIST_NOT_FOUND)?;
        if self.lists.contains_key(&id) { Ok(id) } else { Err(errors::LIST_NOT_FOUND) }
    }

    /// Puts a lead on a list, if both are there. False: it is on it already.
    pub(super) fn add_member(&mut self, list: ListId, lead: LeadId, now: Moment) -> bool {
        let Some(list) = self.lists.get_mut(&list).filter(|_| self.leads.get(lead).is_some()) else {
            return false;
        };
        list.updated_at = now;
        list.members.insert(lead)
    }

    /// The lead is gone, from all lists too.
    pub(super) fn delete_lead(&mut self, lead: LeadId) -> bool {
        for list in self.lists.values_mut() {
            list.members.remove(&lead);
            list.seeded.remove(&lead);
        }
        self.leads.delete(lead)
    }

    pub(super) fn partition_name(&self, id: PartitionId) -> &str {
        self.partitions.iter().find(|partition| partition.id == id).map_or("", |partition| &partition.name)
    }

    pub(super) fn sees(&self, caller: &Caller, partition: PartitionId) -> bool {
        let name = self.partition_name(partition);
        caller.partitions.as_ref().is_none_or(|seen| seen.iter().any(|seen| seen == name))
    }

    /// The partition that a call names; the caller has to see it.
    pub(super) fn partition(&self, caller: &Caller, name: &str) -> Result<PartitionId, ApiError> {
        let found = self.partitions.iter().find(|partition| partition.name == name);
        let found = found.ok_or(errors::PARTITION_ACCESS)?.id;
        if self.sees(caller, found) { Ok(found) } else { Err(errors::PARTITION_ACCESS) }
    }
}
