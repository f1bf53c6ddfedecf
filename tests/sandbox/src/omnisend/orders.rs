//! What batches are told to do wrong.

use serde::{Deserialize, Serialize};

/// The next batches that begin stop before their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopBatches {
    /// How many batches.
    #[serde(default = "once")]
    pub times: usize,
    /// The items that each still does; the others are never looked at.
    pub after_items: usize,
}

/// Items of batches fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailItems {
    /// The code that the item gets, such as 503.
    pub response_code: u16,
    /// How many items.
    #[serde(default = "once")]
    pub times: usize,
    /// Each so-many-th item that matches: 1 is each of them.
    #[serde(default = "once")]
    pub every: usize,
    /// Only items with this address.
    #[serde(default)]
    pub email: Option<String>,
    /// Whether the item is applied all the same.
    #[serde(default)]
    pub work: ItemWork,
}

/// Whether the work of a failing item is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemWork {
    /// It is not: nothing has changed.
    #[default]
    NotDone,
    /// It is, and only the answer says otherwise.
    Done,
}

fn once() -> usize {
    1
}

/// The orders that wait for their batches.
#[derive(Debug, Default)]
pub(super) struct Orders {
    stops: Vec<StopBatches>,
    failures: Vec<(FailItems, usize)>,
}

impl Orders {
    pub(super) fn stop(&mut self, order: StopBatches) {
        self.stops.push(order);
    }

    pub(super) fn fail(&mut self, order: FailItems) {
        self.failures.push((order, 0));
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// After how many items the batch that begins now stops, if it does.
    pub(super) fn take_stop(&mut self) -> Option<usize> {
        self.stops.retain(|order| order.times > 0);
        let order = self.stops.first_mut()?;
        order.times -= 1;
        Some(order.after_items)
    }

    /// What goes wrong with an item, if anything does.
    pub(super) fn take_failure(&mut self, email: Option<&str>) -> Option<(u16, ItemWork)> {
        let mut hit = None;
        for (order, seen) in &mut self.failures {
            if order.email.is_some() && order.email.as_deref() != email {
                continue;
            }
            *seen += 1;
            if hit.is_none() && order.times > 0 && seen.is_multiple_of(order.every.max(1)) {
                order.times -= 1;
                hit = Some((order.response_code, order.work));
            }
        }
        self.failures.retain(|(order, _)| order.times > 0);
        hit
    }
}
