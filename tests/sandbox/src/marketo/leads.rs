//! The people of the lead database, found by id and by the values of fields.

use super::clock::Moment;
use super::fields::{EMAIL, FieldNumber, ID, PARTITION_ID};
use super::ids::LeadId;
use super::options::KeyCase;
use super::values::{Changes, Values};
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry, RandomState};
use std::hash::{BuildHasher, Hasher};

/// The number of a partition.
pub(super) type PartitionId = u32;

#[derive(Clone, Debug)]
pub(super) struct Lead {
    pub(super) id: LeadId,
    pub(super) partition: PartitionId,
    pub(super) created_at: Moment,
    pub(super) updated_at: Moment,
    pub(super) values: Values,
}

/// All leads. Ids go up from 1; who is deleted leaves a gap.
#[derive(Debug)]
pub(super) struct Leads {
    all: Vec<Option<Lead>>,
    count: usize,
    key_case: KeyCase,
    hashing: RandomState,
    indexes: HashMap<FieldNumber, Index>,
}

/// Leads by the hash of a field's value: what is found has to be compared.
type Index = HashMap<u64, Found>;

#[derive(Debug)]
enum Found {
    One(LeadId),
    Several(Vec<LeadId>),
}

impl Found {
    fn ids(&self) -> &[LeadId] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Several(ids) => ids,
        }
    }
}

impl Leads {
    pub(super) fn new(key_case: KeyCase) -> Self {
        Self {
            all: Vec::new(),
            count: 0,
            key_case,
            hashing: RandomState::new(),
            indexes: HashMap::from([(EMAIL, Index::new())]),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn get(&self, id: LeadId) -> Option<&Lead> {
        self.all.get(position(id)?)?.as_ref()
    }

    /// In the order of ids, beginning behind this one.
    pub(super) fn after(&self, id: LeadId) -> impl Iterator<Item = &Lead> {
        let start = usize::try_from(id.get()).unwrap_or(usize::MAX);
        self.all.iter().skip(start).flatten()
    }

    /// A new lead, whether there is one like it or not.
    pub(super) fn create(&mut self, partition: PartitionId, changes: &Changes, now: Moment) -> LeadId {
        let id = LeadId::from(u32::try_from(self.all.len()).unwrap_or(u32::MAX)).next();
        let values = Values::default().changed(changes);
        self.index(id, changes);
        self.all.push(Some(Lead { id, partition, created_at: now, updated_at: now, values }));
        self.count += 1;
        id
    }

    /// Changes a lead's values. False: it is gone.
    pub(super) fn update(&mut self, id: LeadId, changes: &Changes, now: Moment) -> bool {
        let Some(lead) =
            position(id).and_then(|position| self.all.get_mut(position)).and_then(Option::as_mut)
        else {
            return false;
        };
        let old = std::mem::take(&mut lead.values);
        lead.values = old.changed(changes);
        lead.updated_at = now;
        let touched: Vec<FieldNumber> = changes.iter().map(|(number, _)| *number).collect();
        self.forget(id, &old, |number| touched.contains(&number));
        self.index(id, changes);
        true
    }

    pub(super) fn delete(&mut self, id: LeadId) -> bool {
        let Some(lead) = position(id).and_then(|position| self.all.get_mut(position)).and_then(Option::take)
        else {
            return false;
        };
        self.forget(id, &lead.values, |_| true);
        self.count -= 1;
        true
    }

    /// The leads whose field has this value. The first search by a field goes through everybody once.
    pub(super) fn find(&mut self, field: FieldNumber, text: &str) -> Vec<LeadId> {
        match field {
            ID => return text.parse().ok().filter(|id| self.get(*id).is_some()).into_iter().collect(),
            PARTITION_ID => {
                let Ok(partition) = text.parse::<PartitionId>() else {
                    return Vec::new();
                };
                let leads = self.all.iter().flatten();
                return leads.filter(|lead| lead.partition == partition).map(|lead| lead.id).collect();
            }
            _ => {}
        }
        if !self.indexes.contains_key(&field) {
            let mut index = Index::new();
            for lead in self.all.iter().flatten() {
                if let Some(text) = lead.values.get(field) {
                    insert(&mut index, self.hash(text), lead.id);
                }
            }
            self.indexes.insert(field, index);
        }
        let key = self.key(text);
        let found = self.indexes.get(&field).and_then(|index| index.get(&self.hash(text)));
        let ids = found.map_or(&[][..], Found::ids).iter().copied();
        ids.filter(|id| {
            let value = self.get(*id).and_then(|lead| lead.values.get(field));
            value.is_some_and(|value| self.key(value) == key)
        })
        .collect()
    }

    /// A text in the form for comparing.
    pub(super) fn key<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.key_case {
            KeyCase::Ignored if text.chars().any(char::is_uppercase) => Cow::Owned(text.to_lowercase()),
            _ => Cow::Borrowed(text),
        }
    }

    fn hash(&self, text: &str) -> u64 {
        let mut hasher: DefaultHasher = self.hashing.build_hasher();
        hasher.write(self.key(text).as_bytes());
        hasher.finish()
    }

    fn index(&mut self, id: LeadId, changes: &Changes) {
        for (number, text) in changes {
            let Some(text) = text else {
                continue;
            };
            let hash = self.hash(text);
            if let Some(index) = self.indexes.get_mut(number) {
                insert(index, hash, id);
            }
        }
    }

    fn forget(&mut self, id: LeadId, values: &Values, is_touched: impl Fn(FieldNumber) -> bool) {
        for (number, text) in values.iter() {
            if !is_touched(number) || !self.indexes.contains_key(&number) {
                continue;
            }
            let hash = self.hash(text);
            let Some(index) = self.indexes.get_mut(&number) else {
                continue;
            };
            let is_empty = match index.get_mut(&hash) {
                Some(Found::One(one)) => *one == id,
                Some(Found::Several(ids)) => {
                    ids.retain(|other| *other != id);
                    ids.is_empty()
                }
                None => false,
            };
            if is_empty {
                index.remove(&hash);
            }
        }
    }
}

fn insert(index: &mut Index, hash: u64, id: LeadId) {
    match index.entry(hash) {
        Entry::Vacant(place) => {
            place.insert(Found::One(id));
        }
        Entry::Occupied(mut place) => {
            let mut ids = place.get().ids().to_vec();
            if !ids.contains(&id) {
                ids.push(id);
            }
            place.insert(Found::Several(ids));
        }
    }
}

fn position(id: LeadId) -> Option<usize> {
    usize::try_from(id.get().checked_sub(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Changes {
        vec![(EMAIL, Some(text.into()))]
    }

    #[test]
    fn leads_are_found_by_what_they_have_now() {
        let mut leads = Leads::new(KeyCase::Ignored);
        let one = leads.create(1, &email("A@example.com"), 0);
        let two = leads.create(1, &email("a@example.com"), 0);
        assert_eq!(leads.find(EMAIL, "a@EXAMPLE.com"), [one, two]);
        assert!(leads.update(one, &email("b@example.com"), 1));
        assert_eq!(leads.find(EMAIL, "a@example.com"), [two]);
        assert_eq!(leads.find(EMAIL, "b@example.com"), [one]);
        assert!(leads.update(one, &vec![(9, Some("x".into()))], 1));
        assert_eq!(leads.find(9, "X"), [one]);
        assert!(leads.delete(two) && !leads.delete(two));
        assert!(leads.find(EMAIL, "a@example.com").is_empty());
        assert_eq!((leads.len(), leads.after(LeadId::default()).count()), (1, 1));
    }

    #[test]
    fn case_can_be_significant() {
        let mut leads = Leads::new(KeyCase::Significant);
        let one = leads.create(1, &email("A@example.com"), 0);
        assert!(leads.find(EMAIL, "a@example.com").is_empty());
        assert_eq!(leads.find(EMAIL, "A@example.com"), [one]);
        assert_eq!(leads.find(ID, &one.to_string()), [one]);
    }
}
