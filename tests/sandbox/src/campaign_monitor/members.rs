//! The people of one list, found by address, and in an order for paging.

use super::email;
use super::subscriber::Subscriber;
use std::collections::HashMap;

/// Everybody who was ever on a list, in whatever state.
#[derive(Debug, Default)]
pub(super) struct Members {
    positions: HashMap<Box<str>, usize>,
    people: Vec<Subscriber>,
    // Goes up with each change, so that an order that was made before is known to be out of date.
    revision: u64,
    order: Option<Order>,
}

#[derive(Debug)]
struct Order {
    revision: u64,
    query: OrderQuery,
    positions: Vec<usize>,
}

/// Which people, in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OrderQuery {
    pub(super) state: super::SubscriberState,
    pub(super) changed_since: Option<i64>,
    pub(super) by: OrderField,
    pub(super) descending: bool,
}

/// What people are put in order by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderField {
    Email,
    Name,
    Date,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.people.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Subscriber> {
        self.people.iter()
    }

    /// By the address in the form that addresses are compared by.
    pub(super) fn get(&self, key: &str) -> Option<&Subscriber> {
        self.people.get(*self.positions.get(key)?)
    }

    /// As [`Members::get`], to change the person.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Subscriber> {
        self.revision = self.revision.wrapping_add(1);
        self.people.get_mut(*self.positions.get(key)?)
    }

    /// Adds a person whose address is not there yet, or replaces the one with the same address.
    pub(super) fn put(&mut self, key: String, person: Subscriber) {
        self.revision = self.revision.wrapping_add(1);
        if let Some(old) =
            self.positions.get(key.as_str()).and_then(|position| self.people.get_mut(*position))
        {
            *old = person;
            return;
        }
        self.positions.insert(key.into_boxed_str(), self.people.len());
        self.people.push(person);
    }

    /// Gives a person another address, which nobody else on the list has.
    pub(super) fn rename(&mut self, old_key: &str, address: &str) {
        self.revision = self.revision.wrapping_add(1);
        if let Some(position) = self.positions.remove(old_key) {
            self.positions.insert(email::key(address).into_boxed_str(), position);
            if let Some(person) = self.people.get_mut(position) {
                person.email = address.into();
            }
        }
    }

    /// Forgets everybody's values of a custom field.
    pub(super) fn forget_values(&mut self, number: usize) {
        self.revision = self.revision.wrapping_add(1);
        for person in &mut self.people {
            person.values.retain(|(field, _)| *field != number);
        }
    }

    /// How many match the query, and those from `skip` on, at most `take`.
    pub(super) fn page(&mut self, query: OrderQuery, skip: usize, take: usize) -> (usize, Vec<&Subscriber>) {
        let revision = self.revision;
        let kept = self.order.take().filter(|order| order.revision == revision && order.query == query);
        let order = kept.unwrap_or_else(|| Order {
            revision,
            query,
            positions: sorted_positions(&self.people, query),
        });
        let rows = order
            .positions
            .iter()
            .skip(skip)
            .take(take)
            .filter_map(|position| self.people.get(*position))
            .collect();
        (self.order.insert(order).positions.len(), rows)
    }
}

fn sorted_positions(people: &[Subscriber], query: OrderQuery) -> Vec<usize> {
    let mut matching: Vec<(usize, &Subscriber)> = people
        .iter()
        .enumerate()
        .filter(|(_, person)| {
            person.state == query.state && query.changed_since.is_none_or(|since| person.changed_at >= since)
        })
        .collect();
    // The sort is stable: people who are equal by the field keep the order in which they joined.
    match query.by {
        OrderField::Email => matching.sort_by_cached_key(|(_, person)| email::key(&person.email)),
        OrderField::Name => matching.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name)),
        OrderField::Date => matching.sort_by_key(|(_, person)| person.changed_at),
    }
    if query.descending {
        matching.reverse();
    }
    matching.into_iter().map(|(position, _)| position).collect()
}
