//! One batch: what was sent, what became of each item, and how both are told.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/get_batches-batchid-items>

use super::clock;
use super::dialect::Dialect;
use super::options::{EndedAtSpelling, ItemIds, Options};
use super::show;
use super::world::Brand;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

/// Where a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BatchStatus {
    /// It waits.
    Pending,
    /// Its items are being done.
    InProgress,
    /// All of its items are done or failed.
    Finished,
    /// It ended before all of its items were looked at.
    Stopped,
}

impl BatchStatus {
    /// Its name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "inProgress",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
        }
    }
}

/// A batch of contacts.
#[derive(Debug)]
pub(super) struct Batch {
    /// How it was sent.
    pub(super) dialect: Dialect,
    pub(super) status: BatchStatus,
    pub(super) accepted: Instant,
    pub(super) created_at: i64,
    pub(super) started_at: Option<i64>,
    pub(super) ended_at: Option<i64>,
    pub(super) origin: Option<String>,
    pub(super) total: usize,
    pub(super) errors: usize,
    /// As sent, compressed: it is kept for days, and a million items have to fit.
    pub(super) body: Arc<[u8]>,
    /// Of the items that were looked at, in the order of the items.
    pub(super) outcomes: Vec<Outcome>,
}

/// What became of an item.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Applied { contact: u32, code: u16 },
    Failed { code: u16, response: Box<str> },
}

/// What is told with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Counts,
    Items,
}

/// Everything but the items.
pub(super) fn summary(
    batch: &Batch,
    id: &str,
    dialect: Dialect,
    shown: Shown,
    options: &Options,
) -> Map<String, Value> {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("batchID", id.into());
    set("method", "POST".into());
    set("endpoint", "contacts".into());
    set("status", batch.status.name().into());
    set("createdAt", clock::show(batch.created_at).into());
    set("totalCount", batch.total.into());
    set("finishedCount", batch.outcomes.len().into());
    set("errorsCount", batch.errors.into());
    if let Some(origin) = &batch.origin {
        set("origin", origin.as_str().into());
    }
    if let Some(started_at) = batch.started_at {
        set("startedAt", clock::show(started_at).into());
    }
    if let Some(ended_at) = batch.ended_at {
        let is_misspelled = dialect == Dialect::V5
            && shown == Shown::Counts
            && options.ended_at_spelling == EndedAtSpelling::Misspelled;
        set(if is_misspelled { "enddedAt" } else { "endedAt" }, clock::show(ended_at).into());
    }
    body
}

/// The items that were looked at, beside what was sent: failed ones and the others.
pub(super) fn items(
    brand: &Brand,
    batch: &Batch,
    batch_id: &str,
    requests: Vec<Value>,
    options: &Options,
) -> (Vec<Value>, Vec<Value>) {
    let (mut errors, mut responses) = (Vec::new(), Vec::new());
    for (position, (request, outcome)) in requests.into_iter().zip(&batch.outcomes).enumerate() {
        let item_id = item_id(batch_id, position, options.item_ids);
        match outcome {
            Outcome::Applied { contact, code } => responses.push(json!({
                "itemID": item_id,
                "request": request,
                "responseCode": code,
                "response": show::brief(brand, *contact, batch.dialect),
                "status": "finished",
            })),
            Outcome::Failed { code, response } => {
                let response: Value = serde_json::from_str(response).unwrap_or_default();
                errors.push(json!({
                    "itemID": item_id,
                    "request": request,
                    "responseCode": code,
                    "response": response,
                    "status": "finished",
                }));
            }
        }
    }
    (errors, responses)
}

fn item_id(batch_id: &str, position: usize, how: ItemIds) -> String {
    match how {
        ItemIds::Position => position.saturating_add(1).to_string(),
        ItemIds::Opaque => {
            let mut hasher = DefaultHasher::new();
            (batch_id, position).hash(&mut hasher);
            format!("{:016x}", hasher.finish())
        }
    }
}
